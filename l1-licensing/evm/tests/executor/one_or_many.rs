//! One block of many transactions and many blocks of one are the same: what stays in the journal between transactions is
//! what a commit and a fresh read would give.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256};
use chlom_evm::{BlockExecutor, env::SPEC};
use chlom_module::ModuleSet;
use chlom_primitives::Tx;
use chlom_state::{MemoryState, StateDiff};
use proptest::prelude::*;

use crate::chain::{Chain, account, authorize, call, commit, delegating, transfer};

const FACTORY: Address = Address::repeat_byte(0xfa);

/// A child: with call data of 64 bytes stores (slot, value); of 32 bytes, self-destructs to the address in it; of none,
/// takes money.
const CHILD: [u8; 27] = hex!("3660401460135736602014600f57005b5f35ff5b6020355f355500");

/// Creates a child by CREATE2 with call data's first word as salt. With a second word, also destroys it at once, for that
/// address. With a third, first stores to it.
fn factory() -> Bytes {
    let init = child_init();
    let mut code = Vec::new();
    // mem[0..] := init code
    code.extend([0x60, u8::try_from(init.len()).unwrap(), 0x60, 0, 0x5f, 0x39]);
    let offset_at = 3;
    // child := create2(0, 0, len, salt)
    code.extend([0x5f, 0x35, 0x60, u8::try_from(init.len()).unwrap(), 0x5f, 0x5f, 0xf5]);
    // if calldatasize < 64 stop (child on the stack)
    code.extend([0x60, 0x40, 0x36, 0x10, 0x60, 0, 0x57]);
    let skip_at = code.len() - 2;
    // mem[0] := 1; mem[32] := 9; call(child, 0, 64 bytes): stores 9 at slot 1
    code.extend(hex!("60015f52 6009602052 5f 5f 6040 5f 5f 85 62ffffff f1 50"));
    // mem[0] := calldata[32]; call(child, 0, 32 bytes): destroys it
    code.extend(hex!("6020355f52 5f 5f 6020 5f 5f 85 62ffffff f1 50"));
    code[skip_at] = u8::try_from(code.len()).unwrap();
    code.extend([0x5b, 0x00]);
    code[offset_at] = u8::try_from(code.len()).unwrap();
    code.extend(init);
    code.into()
}

/// Stores 5 at slot 0 and deploys [`CHILD`].
fn child_init() -> Vec<u8> {
    let mut init = hex!("60055f55").to_vec();
    let len = u8::try_from(CHILD.len()).unwrap();
    let offset = u8::try_from(init.len() + 11).unwrap();
    // codecopy(0, offset, len); return(0, len)
    init.extend([0x60, len, 0x60, offset, 0x5f, 0x39, 0x60, len, 0x5f, 0xf3, 0x00]);
    init.extend(CHILD);
    init
}

fn child(salt: u8) -> Address {
    FACTORY.create2(B256::from(U256::from(salt)), keccak256(child_init()))
}

#[derive(Clone, Debug)]
enum Step {
    Transfer {
        to: u8,
        value: u64,
    },
    Create {
        salt: u8,
    },
    CreateAndDestroy {
        salt: u8,
        to: u8,
    },
    Store {
        salt: u8,
        slot: u64,
        value: u64,
    },
    Destroy {
        salt: u8,
        to: u8,
    },
    Fund {
        salt: u8,
        value: u64,
    },
    Delegate {
        authority: u8,
        nonce: u64,
        clear: bool,
    },
    /// Of a nonce far ahead: cannot be included.
    Invalid,
}

fn step() -> impl Strategy<Value = Step> {
    let salt = || 0_u8..2;
    prop_oneof![
        (1_u8..8, 0_u64..3).prop_map(|(to, value)| Step::Transfer { to, value }),
        salt().prop_map(|salt| Step::Create { salt }),
        (salt(), 1_u8..8).prop_map(|(salt, to)| Step::CreateAndDestroy { salt, to }),
        (salt(), 0_u64..3, 0_u64..3).prop_map(|(salt, slot, value)| Step::Store { salt, slot, value }),
        (salt(), 1_u8..8).prop_map(|(salt, to)| Step::Destroy { salt, to }),
        (salt(), 0_u64..3).prop_map(|(salt, value)| Step::Fund { salt, value }),
        (6_u8..8, 0_u64..3, any::<bool>()).prop_map(|(authority, nonce, clear)| Step::Delegate {
            authority,
            nonce,
            clear
        }),
        Just(Step::Invalid),
    ]
}

fn words(words: &[U256]) -> Bytes {
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<_>>().into()
}

fn address_word(seed: u8) -> U256 {
    U256::from_be_bytes(account(seed).into_word().0)
}

fn build(step: &Step, nonce: u64) -> Tx {
    let to_child = |salt: u8, value, input| call(1, nonce, TxKind::Call(child(salt)), value, input);
    let to_factory = |input| call(1, nonce, TxKind::Call(FACTORY), 0, input);
    match step {
        Step::Transfer { to, value } => transfer(1, nonce, account(*to), *value),
        Step::Create { salt } => to_factory(words(&[U256::from(*salt)])),
        Step::CreateAndDestroy { salt, to } => to_factory(words(&[U256::from(*salt), address_word(*to)])),
        Step::Store { salt, slot, value } => {
            to_child(*salt, 0, words(&[U256::from(*slot), U256::from(*value)]))
        }
        Step::Destroy { salt, to } => to_child(*salt, 0, words(&[address_word(*to)])),
        Step::Fund { salt, value } => to_child(*salt, *value, Bytes::new()),
        Step::Delegate { authority, nonce: auth_nonce, clear } => {
            let address = if *clear { Address::ZERO } else { FACTORY };
            delegating(1, nonce, account(2), vec![authorize(*authority, *auth_nonce, address)])
        }
        Step::Invalid => transfer(1, nonce + 1_000, account(2), 1),
    }
}

/// Executes transactions as one block without what a block begins with, and commits.
fn block(chain: &Chain, state: &mut MemoryState, txs: &[Tx]) -> (Vec<Option<(bool, u64)>>, StateDiff) {
    let modules = ModuleSet::empty();
    let env = chain.next();
    let mut executor = BlockExecutor::at_spec(SPEC, &*state, &chain.params, &modules, &env);
    let results = txs.iter().map(|tx| executor.execute(tx).ok().map(|done| (done.success, done.gas_used)));
    let results = results.collect();
    let diff = executor.finish().unwrap().diff;
    commit(state, &diff);
    (results, diff)
}

#[test]
fn the_factory_makes_what_the_steps_need() {
    let chain = Chain::new(&[(FACTORY, factory())]);
    let mut state = chain.state.clone();
    let steps = [
        Step::Create { salt: 0 },
        Step::Store { salt: 0, slot: 1, value: 2 },
        Step::CreateAndDestroy { salt: 1, to: 4 },
        Step::Fund { salt: 1, value: 2 },
    ];
    let txs: Vec<_> = (0..).zip(&steps).map(|(nonce, step)| build(step, nonce)).collect();
    let (results, diff) = block(&chain, &mut state, &txs);
    assert!(results.iter().all(|result| result.is_some_and(|(success, _)| success)), "{results:?}");
    let stored: Vec<_> =
        diff.accounts[&child(0)].storage.iter().map(|(slot, value)| (*slot, value.after)).collect();
    assert_eq!(stored, [(U256::ZERO, U256::from(5)), (U256::from(1), U256::from(2))]);
    let funded = diff.accounts[&child(1)].after.unwrap();
    assert_eq!(
        (funded.balance, funded.nonce),
        (U256::from(2), 0),
        "destroyed, then no more than an account with money"
    );
}

/// revm's journal remembers a touch for as long as it lives, and EIP-7702's refund goes to authorities that exist.
#[test]
fn evm_4_an_account_touched_and_empty_does_not_exist_for_the_next_transaction() {
    let chain = Chain::new(&[]);
    let touch = Step::Transfer { to: 7, value: 0 };
    let delegate = Step::Delegate { authority: 7, nonce: 0, clear: false };
    let mut state = chain.state.clone();
    let (together, _) = block(&chain, &mut state, &[build(&touch, 0), build(&delegate, 1)]);
    let mut state = chain.state.clone();
    let (alone, _) = block(&chain, &mut state, &[build(&delegate, 0)]);
    assert_eq!(together[1], alone[0]);
}

proptest! {
    /// [EVM-4] The state after a block does not depend on where earlier blocks end.
    #[test]
    fn theorem_one_block_of_many_is_many_blocks_of_one(steps in proptest::collection::vec(step(), 1..14)) {
        let chain = Chain::new(&[(FACTORY, factory())]);
        let mut nonce = 0;
        let txs: Vec<_> = steps
            .iter()
            .map(|step| {
                let tx = build(step, nonce);
                nonce += u64::from(!matches!(step, Step::Invalid));
                tx
            })
            .collect();
        let (mut at_once, mut one_by_one) = (chain.state.clone(), chain.state.clone());
        let (results, _) = block(&chain, &mut at_once, &txs);
        let mut each = Vec::new();
        for tx in &txs {
            each.extend(block(&chain, &mut one_by_one, std::slice::from_ref(tx)).0);
        }
        prop_assert_eq!(results, each);
        prop_assert_eq!(at_once.state_root(), one_by_one.state_root());
        prop_assert_eq!(&at_once.accounts, &one_by_one.accounts);
        prop_assert_eq!(&at_once.storage, &one_by_one.storage);
        for (hash, code) in &one_by_one.codes {
            // A child that is destroyed in its own transaction leaves code in no state.
            prop_assert!(at_once.codes.get(hash).is_none_or(|there| there == code));
        }
        for account in at_once.accounts.values() {
            prop_assert!(account.code_hash == alloy_primitives::KECCAK256_EMPTY || at_once.codes.contains_key(&account.code_hash));
        }
    }
}
