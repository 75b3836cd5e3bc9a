use alloy_primitives::{Address, B256, U256, address, b256};

use super::*;

type Balances = Mapping<Address, Slot<U256>>;

#[test]
fn a_mappings_value_is_where_solidity_puts_it() {
    // `forge inspect`/`cast index address 0x…1 0` and the Solidity manual's formula keccak256(h(k) . p).
    let balances = Balances::new(0);
    let entry = balances.entry(&address!("0000000000000000000000000000000000000001"));
    let want = b256!("ada5013122d395ba3c54772283fb069b10426056ef8ca54750cb9bb552a59e7d");
    assert_eq!(B256::from(entry.slot()), want);
}

#[test]
fn nested_mappings_hash_from_the_inside_out() {
    let nested: Mapping<u64, Mapping<Address, Slot<U256>>> = Mapping::new(3);
    let inner = nested.entry(&7);
    let mut bytes = [0; 64];
    bytes[31] = 7;
    bytes[63] = 3;
    assert_eq!(inner, Mapping::at(alloy_primitives::keccak256(bytes).into()));
}

#[test]
fn an_arrays_elements_follow_the_hash_of_its_slot() {
    struct Pair(Slot<u64>, Slot<B256>);
    impl Layout for Pair {
        const SLOTS: u64 = 2;
        fn at(slot: U256) -> Self {
            Self(Slot::at(slot), Slot::at(slot.wrapping_add(U256::from(1))))
        }
    }
    // keccak256(uint256(0)), the constant that every disassembly of a Solidity array shows.
    let first: U256 = b256!("290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563").into();
    let array: Array<Pair> = Array::new(0);
    assert_eq!(array.element(0).0.slot(), first);
    assert_eq!(array.element(3).1.slot(), first + U256::from(7));
    let mut map = MapStorage::default();
    array.set_len(&mut map, 4).unwrap();
    assert_eq!(array.len(&mut map), Ok(4));
    assert_eq!(map.0.get(&U256::ZERO), Some(&U256::from(4)));
}

#[test]
fn a_slot_whose_bits_are_no_value_is_damage_and_not_a_default() {
    let mut map = MapStorage::default();
    map.store(U256::from(1), U256::MAX).unwrap();
    assert!(matches!(Slot::<u64>::new(1).get(&mut map), Err(chlom_state::StateError::Corrupt(_))));
    assert!(Slot::<Address>::new(1).get(&mut map).is_err());
    assert!(Slot::<bool>::new(1).get(&mut map).is_err());
    assert_eq!(Slot::<U256>::new(1).get(&mut map), Ok(U256::MAX));
}

#[test]
fn values_come_back_as_they_were_set() {
    let mut map = MapStorage::default();
    Slot::new(1).set(&mut map, &u64::MAX).unwrap();
    Slot::new(2).set(&mut map, &Address::repeat_byte(0xab)).unwrap();
    Slot::new(3).set(&mut map, &true).unwrap();
    Slot::new(4).set(&mut map, &B256::repeat_byte(0xcd)).unwrap();
    assert_eq!(Slot::<u64>::new(1).get(&mut map), Ok(u64::MAX));
    assert_eq!(Slot::<Address>::new(2).get(&mut map), Ok(Address::repeat_byte(0xab)));
    assert_eq!(Slot::<bool>::new(3).get(&mut map), Ok(true));
    assert_eq!(Slot::<B256>::new(4).get(&mut map), Ok(B256::repeat_byte(0xcd)));
    Slot::new(3).set(&mut map, &false).unwrap();
    assert!(!map.0.contains_key(&U256::from(3)), "zero is not stored");
}
