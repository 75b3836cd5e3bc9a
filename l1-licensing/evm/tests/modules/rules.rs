//! The adapter's rules, one by one.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError, SolValue};
use chlom_evm::{BlockExecutor, ExecuteError};
use chlom_module::error::{
    DelegateCall, InsufficientBalance, MalformedInput, NativeModule, NotPayable, StaticCall, UnknownSelector,
};
use chlom_primitives::Params;
use chlom_state::{Account, MemoryState, StateError, StateReader};

use crate::{
    assembler::{Assembler, Scheme, caller},
    machine::{ENV, SENDER, contract, genesis, insert, modules, run, send, tx},
    probe::{IProbe, PROBE, stamp_of},
};

const CALLER: Address = Address::repeat_byte(0xca);

fn set(slot: u64, value: u64) -> Vec<u8> {
    IProbe::setCall { slot: U256::from(slot), value: U256::from(value) }.abi_encode()
}

/// A contract at CALLER makes the call; answers success and return data.
fn through(scheme: Scheme, value: u64, input: &[u8]) -> (bool, Bytes, crate::machine::Ran) {
    let mut state = genesis();
    contract(&mut state, CALLER, 100, caller(scheme, PROBE, 500_000, U256::from(value), input));
    let ran = send(&state, CALLER, 0, vec![]);
    let output = &ran.executed.output;
    (output[31] == 1, output.slice(32..), ran)
}

#[test]
fn a_module_answers_like_a_contract() {
    let ran = send(&genesis(), PROBE, 0, set(1, 7));
    assert!(ran.executed.success);
    assert_eq!(
        (ran.executed.output, ran.state.storage(&PROBE, &U256::from(1))),
        (U256::ZERO.abi_encode().into(), Ok(U256::from(7)))
    );
    let (success, output, ran) = through(Scheme::Call, 0, &set(1, 8));
    assert!(success && ran.slot(PROBE, 1) == U256::from(8));
    assert_eq!(output, U256::ZERO.abi_encode());
}

#[test]
fn a_module_sees_its_block_and_its_caller() {
    let ran = send(&genesis(), PROBE, 0, IProbe::block_Call {}.abi_encode());
    let chain_id = U256::from(Params::default().chain.evm_chain_id);
    let want = (U256::from(9), U256::from(1_000), B256::repeat_byte(0x3a), chain_id, ENV.beneficiary);
    assert_eq!(ran.executed.output, want.abi_encode());
    let stamp = IProbe::stampCall { slot: U256::from(3) }.abi_encode();
    let (_, output, ran) = through(Scheme::Call, 5, &stamp);
    assert_eq!(ran.slot(PROBE, 3), stamp_of(CALLER, U256::from(5)));
    assert_eq!(output, stamp_of(CALLER, U256::from(5)).abi_encode());
    assert_eq!(send(&genesis(), PROBE, 6, stamp).slot(PROBE, 3), stamp_of(SENDER, U256::from(6)));
}

#[test]
fn mod_2_a_delegate_call_is_refused_and_touches_nobodys_storage() {
    for scheme in [Scheme::DelegateCall, Scheme::CallCode] {
        let (success, output, ran) = through(scheme, 0, &set(1, 7));
        assert!(!success, "{scheme:?}");
        assert_eq!(output, DelegateCall {}.abi_encode());
        assert_eq!((ran.slot(PROBE, 1), ran.slot(CALLER, 1)), (U256::ZERO, U256::ZERO));
    }
}

#[test]
fn mod_2_an_account_that_delegates_to_a_module_runs_its_stub() {
    let mut state = genesis();
    let delegation = [&[0xef, 0x01, 0x00], PROBE.as_slice()].concat();
    insert(&mut state, CALLER, U256::ZERO, 1, delegation.into(), BTreeMap::new());
    let ran = send(&state, CALLER, 0, set(1, 7));
    assert!(!ran.executed.success);
    assert_eq!(ran.executed.output, NativeModule {}.abi_encode());
}

#[test]
fn mod_3_a_static_call_may_read_and_not_write() {
    let get = IProbe::getCall { slot: U256::from(1) }.abi_encode();
    assert!(through(Scheme::StaticCall, 0, &get).0);
    let pay = IProbe::payCall { to: CALLER, amount: U256::from(1) }.abi_encode();
    let note = IProbe::noteCall { topic: B256::ZERO }.abi_encode();
    for input in [set(1, 7), pay, note] {
        let (success, output, ran) = through(Scheme::StaticCall, 0, &input);
        assert!(!success && ran.logs.is_empty());
        assert_eq!(output, StaticCall {}.abi_encode());
        assert_eq!((ran.slot(PROBE, 1), ran.balance(PROBE)), (U256::ZERO, U256::from(500)));
    }
}

#[test]
fn mod_4_value_is_refused_unless_the_function_takes_it() {
    let (success, output, ran) = through(Scheme::Call, 5, &set(1, 7));
    let selector = IProbe::setCall::SELECTOR.into();
    assert!(!success);
    assert_eq!(output, NotPayable { selector, value: U256::from(5) }.abi_encode());
    assert_eq!((ran.balance(CALLER), ran.balance(PROBE)), (U256::from(100), U256::from(500)));
    let (success, _, ran) = through(Scheme::Call, 5, &IProbe::stampCall { slot: U256::ZERO }.abi_encode());
    assert!(success);
    assert_eq!((ran.balance(CALLER), ran.balance(PROBE)), (U256::from(95), U256::from(505)));
}

#[test]
fn mod_4_a_module_pays_out_what_it_has_and_no_more() {
    let pay = |amount: u64| IProbe::payCall { to: CALLER, amount: U256::from(amount) }.abi_encode();
    let ran = send(&genesis(), PROBE, 0, pay(499));
    assert_eq!((ran.balance(CALLER), ran.balance(PROBE)), (U256::from(499), U256::from(1)));
    let ran = send(&genesis(), PROBE, 0, pay(501));
    let refusal = InsufficientBalance { available: U256::from(500), needed: U256::from(501) };
    assert_eq!(ran.executed.output, refusal.abi_encode());
    assert_eq!(ran.balance(PROBE), U256::from(500));
    let held = send(&genesis(), PROBE, 0, IProbe::heldCall {}.abi_encode());
    assert_eq!(held.executed.output, U256::from(500).abi_encode());
}

#[test]
fn mod_6_what_a_caller_can_get_wrong_is_a_revert_that_says_so() {
    let cases = [
        (vec![], UnknownSelector { selector: [0; 4].into() }.abi_encode()),
        (vec![1, 2, 3], UnknownSelector { selector: [0; 4].into() }.abi_encode()),
        (vec![1, 2, 3, 4], UnknownSelector { selector: [1, 2, 3, 4].into() }.abi_encode()),
        (
            set(1, 7)[..40].to_vec(),
            MalformedInput { selector: IProbe::setCall::SELECTOR.into() }.abi_encode(),
        ),
        (
            IProbe::refuseCall { slot: U256::from(1), code: U256::from(3) }.abi_encode(),
            IProbe::Refused { code: U256::from(3) }.abi_encode(),
        ),
    ];
    for (input, want) in cases {
        let ran = send(&genesis(), PROBE, 0, input);
        assert!(!ran.executed.success && ran.executed.gas_used < 100_000 && ran.logs.is_empty());
        assert_eq!(ran.executed.output, want);
        assert_eq!(ran.slot(PROBE, 1), U256::ZERO);
    }
}

#[test]
fn mod_6_a_fault_sticks_whatever_the_module_makes_of_it() {
    let input = IProbe::swallowCall { slot: U256::from(1), value: U256::from(1) }.abi_encode();
    let mut state = genesis();
    // Enough for the dispatch, too little for the store: the module answers success, the call is out of gas.
    contract(&mut state, CALLER, 0, caller(Scheme::Call, PROBE, 3_000, U256::ZERO, &input));
    let ran = send(&state, CALLER, 0, vec![]);
    assert_eq!(ran.executed.output, U256::ZERO.abi_encode(), "no success, no return data");
    assert_eq!(ran.slot(PROBE, 1), U256::ZERO);
    // Nor can it be passed off as a refusal, which would give the gas back.
    let input = IProbe::disguiseCall { slot: U256::from(1), value: U256::from(1) }.abi_encode();
    let ran = run(&genesis(), &tx(PROBE, U256::ZERO, input, 25_000, 0)).unwrap();
    assert_eq!((ran.executed.gas_used, ran.executed.output), (25_000, Bytes::new()));
    // A refused write is not a fault of that kind: a module may live with it.
    let input = IProbe::swallowCall { slot: U256::from(1), value: U256::from(1) }.abi_encode();
    let (success, output, _) = through(Scheme::StaticCall, 0, &input);
    assert!(success);
    assert_eq!(output, U256::ZERO.abi_encode());
}

#[test]
fn mod_6_a_fault_below_the_state_aborts_execution() {
    let direct = tx(PROBE, U256::ZERO, IProbe::damageCall {}.abi_encode(), 100_000, 0);
    let found = StateError::Corrupt("the probe found damage".into());
    assert_eq!(run(&genesis(), &direct).err(), Some(ExecuteError::Fatal(found.clone())));
    let mut state = genesis();
    let input = IProbe::damageCall {}.abi_encode();
    contract(&mut state, CALLER, 0, caller(Scheme::Call, PROBE, 50_000, U256::ZERO, &input));
    let nested = tx(CALLER, U256::ZERO, vec![], 200_000, 0);
    assert_eq!(run(&state, &nested).err(), Some(ExecuteError::Fatal(found)));
}

/// A store that cannot read the probe's storage.
struct Broken(MemoryState);

impl StateReader for Broken {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        self.0.account(address)
    }
    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        if *address == PROBE {
            Err(StateError::Backend("disk".into()))
        } else {
            self.0.storage(address, slot)
        }
    }
    fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        self.0.code(hash)
    }
    fn storage_entries(&self, hashed: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        self.0.storage_entries(hashed)
    }
}

#[test]
fn mod_6_a_fault_of_the_store_comes_through_as_it_was() {
    let mut state = genesis();
    let get = IProbe::getCall { slot: U256::from(1) }.abi_encode();
    contract(&mut state, CALLER, 0, caller(Scheme::StaticCall, PROBE, 50_000, U256::ZERO, &get));
    let (state, params, modules) = (Broken(state), Params::default(), modules());
    for to in [PROBE, CALLER] {
        let mut executor = BlockExecutor::new(&state, &params, &modules, ENV).unwrap();
        let failed = executor.execute(&tx(to, U256::ZERO, get.clone(), 200_000, 0));
        assert_eq!(failed, Err(ExecuteError::Fatal(StateError::Backend("disk".into()))));
    }
}

#[test]
fn mod_1_a_modules_storage_survives_a_touch() {
    let state = send(&genesis(), PROBE, 0, set(1, 7)).state;
    // A call with nothing in it, a call of zero value from a contract, and an account that had no other life.
    for _ in 0..2 {
        let mut state = state.clone();
        let code =
            Assembler::default().call(Scheme::Call, PROBE, 50_000, U256::ZERO, &[], false).return_sum();
        contract(&mut state, CALLER, 0, code);
        let ran = run(&state, &tx(CALLER, U256::ZERO, vec![], 200_000, 1)).unwrap();
        assert_eq!(ran.slot(PROBE, 1), U256::from(7));
        assert!(!ran.diff.accounts.contains_key(&PROBE), "a touch is no change");
        let account = ran.state.account(&PROBE).unwrap().unwrap();
        assert_eq!(account.nonce, 1);
    }
    let touched = run(&state, &tx(PROBE, U256::ZERO, vec![], 100_000, 1)).unwrap();
    assert_eq!(touched.slot(PROBE, 1), U256::from(7));
}

#[test]
fn mod_7_an_outer_revert_undoes_storage_logs_and_money() {
    let mut state = genesis();
    let value = U256::from(5);
    let note = IProbe::noteCall { topic: B256::ZERO }.abi_encode();
    let stamp = IProbe::stampCall { slot: U256::from(1) }.abi_encode();
    let code = Assembler::default().call(Scheme::Call, PROBE, 100_000, value, &stamp, true).call(
        Scheme::Call,
        PROBE,
        100_000,
        U256::ZERO,
        &note,
        true,
    );
    contract(&mut state, CALLER, 100, code.clone().revert_sum());
    let ran = send(&state, CALLER, 0, vec![]);
    assert!(!ran.executed.success && ran.logs.is_empty());
    assert_eq!((ran.slot(PROBE, 1), ran.balance(PROBE)), (U256::ZERO, U256::from(500)));
    contract(&mut state, CALLER, 100, code.return_sum());
    let ran = send(&state, CALLER, 0, vec![]);
    assert!(ran.executed.success && ran.logs.len() == 1 && ran.logs[0].address == PROBE);
    assert_eq!(ran.balance(PROBE), U256::from(505));
}
