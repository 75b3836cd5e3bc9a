use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use alloy_sol_types::{SolCall, SolError, SolValue};
use chlom_crypto::ValidatorKey;
use chlom_module::{MapStorage, MemoryContext, ModuleError, SystemModule, Word, error::UnknownSelector};
use chlom_primitives::{Params, address::STAKING, params::StakingParams};
use proptest::prelude::*;

use super::{
    block::{rotate, schedule},
    state_key::{AccountPower, SETS, WINDOW},
    *,
};

fn params() -> StakingParams {
    Params::default().staking
}

fn validator(seed: u8, power: u64) -> Validator {
    let key = ValidatorKey::from_seed(&[seed; 32]).consensus_key();
    Validator { consensus_key: key.to_bytes().into(), account: Address::repeat_byte(seed), power }
}

fn set(members: &[(u8, u64)]) -> ValidatorSet {
    ValidatorSet::new(members.iter().map(|(seed, power)| validator(*seed, *power)).collect(), &params())
        .unwrap()
}

fn context(members: &[(u8, u64)], height: u64) -> MemoryContext {
    let mut ctx = MemoryContext::new(STAKING);
    ctx.block.height = height;
    ctx.storage = MapStorage(StakingGenesis { validators: set(members) }.allocate().unwrap());
    ctx
}

fn call<C: SolCall>(ctx: &mut MemoryContext, call: &C) -> Result<C::Return, ModuleError> {
    let output = ctx.call(&Staking, &call.abi_encode())?;
    Ok(C::abi_decode_returns_validate(&output).unwrap())
}

#[test]
fn stk_1_a_list_that_is_no_set_is_refused_with_the_reason() {
    use ValidatorSetError as E;
    let new = |list: Vec<Validator>| ValidatorSet::new(list, &params()).unwrap_err();
    let (a, b) = (validator(1, 10), validator(2, 10));
    assert_eq!(new(vec![]), E::Empty);
    assert_eq!(new((1..=32).map(|seed| validator(seed, 1)).collect()), E::TooMany { got: 32, max: 31 });
    let key = a.consensus_key;
    assert_eq!(new(vec![a, Validator { account: b.account, ..a }]), E::DuplicateKey { key });
    assert_eq!(
        new(vec![a, Validator { account: a.account, ..b }]),
        E::DuplicateAccount { account: a.account }
    );
    assert_eq!(new(vec![a, Validator { power: 0, ..b }]), E::ZeroPower { account: b.account });
    assert_eq!(new(vec![Validator { account: Address::ZERO, ..a }]), E::ZeroAccount { key });
    let bad = Validator { consensus_key: B256::repeat_byte(0xff), ..a };
    assert!(matches!(new(vec![bad]), E::ConsensusKey { .. }));
    let half = Validator { power: MAX_TOTAL_POWER, ..a };
    assert_eq!(
        new(vec![half, b]),
        E::TotalPower { got: u128::from(MAX_TOTAL_POWER) + 10, max: MAX_TOTAL_POWER }
    );
    assert!(ValidatorSet::new(vec![half], &params()).is_ok());
}

#[test]
fn stk_4_the_hash_is_what_a_contract_computes_and_ignores_the_order_given() {
    let (forward, backward) = (set(&[(1, 5), (2, 7), (3, 9)]), set(&[(3, 9), (2, 7), (1, 5)]));
    assert_eq!(forward, backward);
    let mut members: Vec<_> = [(1, 5), (2, 7), (3, 9)].map(|(seed, power)| validator(seed, power)).into();
    members.sort_by_key(|member| member.consensus_key);
    // abi.encode(Validator[]): offset, length, then three words a validator.
    let mut bytes = U256::from(32).abi_encode();
    bytes.extend(U256::from(3).abi_encode());
    for Validator { consensus_key, account, power } in members {
        bytes.extend([consensus_key.0, account.into_word().0, U256::from(power).to_be_bytes()].concat());
    }
    assert_eq!(forward.hash(), keccak256(bytes));
    assert_ne!(forward.hash(), set(&[(1, 5), (2, 7), (3, 8)]).hash());
}

#[test]
fn genesis_storage_has_these_slots_and_no_others() {
    let member = validator(1, 10);
    let storage = StakingGenesis { validators: set(&[(1, 10)]) }.allocate().unwrap();
    let slots = SETS.entry(&1);
    let element = slots.validators.element(0);
    let want: BTreeMap<U256, U256> = [
        (U256::ZERO, U256::from_limbs([1, 1, 1, 1])),
        (U256::from(1), U256::from(1)),
        (
            keccak256([U256::from(1).to_be_bytes::<32>(), U256::from(2).to_be_bytes()].concat()).into(),
            U256::from(1),
        ),
        (slots.positions.entry(&member.account).slot(), U256::from(1)),
        (slots.total_power.slot(), U256::from(10)),
        (slots.hash.slot(), set(&[(1, 10)]).hash().to_word()),
        (element.consensus_key.slot(), member.consensus_key.to_word()),
        (element.account_power.slot(), AccountPower { account: member.account, power: 10 }.to_word()),
    ]
    .into();
    assert_eq!(storage, want);
    let packed = AccountPower { account: Address::repeat_byte(0xab), power: 0x1122_3344_5566_7788 };
    let bytes = hex!("000000001122334455667788abababababababababababababababababababab");
    assert_eq!(packed.to_word().to_be_bytes::<32>(), bytes);
    assert_eq!(AccountPower::from_word(packed.to_word()), Some(packed));
}

#[test]
fn stk_2_solidity_reads_the_sets_of_four_heights_and_learns_of_others_that_they_are_unknown() {
    let mut ctx = context(&[(1, 10), (2, 20)], 7);
    let abi = set(&[(1, 10), (2, 20)]).to_abi();
    assert_eq!(call(&mut ctx, &IStaking::validatorsCall {}).unwrap(), abi);
    assert_eq!(call(&mut ctx, &IStaking::totalPowerCall {}).unwrap(), U256::from(30));
    for height in 6..=9 {
        let height = U256::from(height);
        assert_eq!(call(&mut ctx, &IStaking::validatorSetCall { height }).unwrap(), abi);
        let hash = set(&[(1, 10), (2, 20)]).hash();
        assert_eq!(call(&mut ctx, &IStaking::setHashCall { height }).unwrap(), hash);
    }
    for height in [U256::from(5), U256::from(10), U256::MAX] {
        let refusal = IStaking::UnknownHeight { height, first: U256::from(6), last: U256::from(9) };
        let refusal = Err(ModuleError::Revert(refusal.abi_encode().into()));
        assert_eq!(call(&mut ctx, &IStaking::validatorSetCall { height }), refusal);
        assert_eq!(call(&mut ctx, &IStaking::setHashCall { height }).map(|_| vec![]), refusal);
    }
}

#[test]
fn a_validator_is_found_by_its_account_and_a_stranger_is_not() {
    let mut ctx = context(&[(1, 10), (2, 20)], 1);
    let found = call(&mut ctx, &IStaking::validatorCall { account: Address::repeat_byte(2) }).unwrap();
    assert_eq!(found, validator(2, 20).into());
    let account = Address::repeat_byte(3);
    let refusal = ModuleError::revert(&IStaking::NotValidator { account });
    assert_eq!(call(&mut ctx, &IStaking::validatorCall { account }), Err(refusal));
}

#[test]
fn an_unknown_selector_is_a_revert_that_says_so() {
    let mut ctx = context(&[(1, 10)], 1);
    let refusal =
        |selector: [u8; 4]| Err(ModuleError::revert(&UnknownSelector { selector: selector.into() }));
    assert_eq!(ctx.call(&Staking, &[1, 2, 3, 4]), refusal([1, 2, 3, 4]));
    assert_eq!(ctx.call(&Staking, &[]), refusal([0; 4]));
    ctx.value = U256::from(1);
    let paid = ctx.call(&Staking, &IStaking::validatorsCall {}.abi_encode());
    assert!(matches!(paid, Err(ModuleError::Revert(_))), "no function takes value");
}

#[test]
fn a_height_without_changes_writes_nothing() {
    let mut ctx = context(&[(1, 10)], 1);
    let before = ctx.storage.clone();
    ctx.is_static = true; // Every write would be an error.
    assert_eq!(Staking.begin_block(&mut ctx), Ok(()));
    assert_eq!(ctx.storage, before);
}

#[derive(Clone, Debug)]
enum Step {
    Rotate,
    Schedule(Vec<(u8, u64)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let members = proptest::collection::btree_map(1_u8..5, 1_u64..3, 1..4);
    let step = prop_oneof![
        2 => Just(Step::Rotate),
        1 => members.prop_map(|members| Step::Schedule(members.into_iter().collect())),
    ];
    proptest::collection::vec(step, 0..24)
}

proptest! {
    /// [STK-3] What is decided at H acts at H + 2, against a model that simply remembers every height's set.
    #[test]
    fn stk_3_a_decision_at_h_acts_at_h_plus_2(steps in steps()) {
        let first = set(&[(9, 1)]);
        let mut storage = MapStorage(StakingGenesis { validators: first.clone() }.allocate().unwrap());
        let mut heights = vec![first.clone(), first.clone(), first];
        let mut now = 0;
        for step in steps {
            match step {
                Step::Rotate => {
                    rotate(&mut storage).unwrap();
                    now += 1;
                    heights.push(heights.last().unwrap().clone());
                }
                Step::Schedule(members) => {
                    let members = set(&members);
                    schedule(&mut storage, &members).unwrap();
                    *heights.last_mut().unwrap() = members;
                }
            }
            for (height, want) in (0_u64..).zip(&heights) {
                let kept = height + 1 >= now && height <= now + 2;
                prop_assert_eq!(storage.validator_set(now, height).unwrap(), kept.then(|| want.clone()));
                prop_assert_eq!(storage.set_hash(now, height).unwrap(), kept.then(|| want.hash()));
            }
            let current = &heights[usize::try_from(now).unwrap()];
            prop_assert_eq!(storage.total_power().unwrap(), current.total_power());
            for member in current.iter() {
                prop_assert_eq!(storage.validator(&member.account).unwrap(), Some(*member));
            }
        }
        // Sets that no height needs are gone: what is left is what the window names.
        let window = storage.window().unwrap();
        let mut named = vec![window.previous, window.current, window.next, window.after_next];
        named.sort_unstable();
        named.dedup();
        let slots: usize = named.iter().map(|id| 3 + 3 * storage.set(*id).unwrap().len()).sum();
        prop_assert_eq!(storage.0.len(), 2 + slots);
        prop_assert!(storage.0.contains_key(&WINDOW.slot()));
    }
}
