//! What calls of modules cost.

use std::collections::BTreeMap;

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use chlom_evm::{StateDb, build_evm, tx_env};
use chlom_module::gas::{CALL_BASE, PER_INPUT_WORD, PER_OUTPUT_WORD};
use chlom_primitives::Params;
use chlom_state::MemoryState;
use proptest::prelude::*;
use revm::{ExecuteEvm, context::result::ResultGas};

use crate::{
    assembler::{Assembler, Scheme, caller},
    machine::{ENV, contract, genesis, insert, modules, run, send, tx},
    probe::{IProbe, PROBE},
};

const CONTRACT: Address = Address::repeat_byte(0xcc);

fn set(slot: u64, value: u64) -> Vec<u8> {
    IProbe::setCall { slot: U256::from(slot), value: U256::from(value) }.abi_encode()
}

/// Intrinsic gas of a call with this input: 21,000, 16 a byte that is not zero, 4 a zero byte.
fn intrinsic(input: &[u8]) -> u64 {
    21_000 + input.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum::<u64>()
}

#[test]
fn mod_5_a_call_costs_its_dispatch_its_words_and_its_storage() {
    let input = set(1, 7);
    let overhead = CALL_BASE + 3 * PER_INPUT_WORD + PER_OUTPUT_WORD;
    // A cold load, then a store to a warm slot that was zero.
    assert_eq!(
        send(&genesis(), PROBE, 0, input.clone()).executed.gas_used,
        intrinsic(&input) + overhead + 2_100 + 20_000
    );
}

#[test]
fn mod_5_at_every_gas_limit_a_call_is_done_or_undone_and_takes_all() {
    let input = set(1, 7);
    let needed = send(&genesis(), PROBE, 0, input.clone()).executed.gas_used;
    let state = genesis();
    for gas_limit in (intrinsic(&input)..needed + 3).step_by(1) {
        let Ok(ran) = run(&state, &tx(PROBE, U256::ZERO, input.clone(), gas_limit, 0)) else {
            assert!(gas_limit < 21_000 + 10 * 4 * 68, "{gas_limit}: only below EIP-7623's floor");
            continue;
        };
        let done = gas_limit >= needed;
        assert_eq!(ran.executed.success, done, "{gas_limit}");
        assert_eq!(ran.executed.gas_used, if done { needed } else { gas_limit });
        assert_eq!(ran.slot(PROBE, 1), U256::from(if done { 7 } else { 0 }));
    }
}

#[test]
fn mod_5_a_frame_out_of_gas_takes_what_it_was_given_and_no_more() {
    let burn = IProbe::burnCall { gas: U256::MAX }.abi_encode();
    let used = |given: u64| {
        let mut state = genesis();
        contract(&mut state, CONTRACT, 0, caller(Scheme::Call, PROBE, given, U256::ZERO, &burn));
        send(&state, CONTRACT, 0, vec![]).executed.gas_used
    };
    assert_eq!(used(50_000) - used(40_000), 10_000);
}

#[test]
fn mod_5_a_payment_costs_what_a_call_with_value_costs() {
    let gas = |to: Address| {
        let input = IProbe::payCall { to, amount: U256::from(1) }.abi_encode();
        let executed = send(&genesis(), PROBE, 0, input.clone()).executed;
        assert!(executed.success);
        executed.gas_used - intrinsic(&input) - CALL_BASE - 3 * PER_INPUT_WORD - 5
    };
    assert_eq!(gas(Address::repeat_byte(0x77)), 2_600 + 9_000 + 25_000, "cold, value, new account");
    assert_eq!(gas(crate::machine::SENDER), 100 + 9_000, "the sender is warm");
}

/// A load, or a store of a value, of one of four slots.
fn operations() -> impl Strategy<Value = Vec<(u64, Option<u64>)>> {
    proptest::collection::vec((0_u64..4, proptest::option::of(0_u64..4)), 0..12)
}

fn gas_of(state: &MemoryState, to: Address, input: Vec<u8>) -> ResultGas {
    let mut tx = tx_env(&tx(to, U256::ZERO, input, 16_000_000, 0));
    // 400 entries pay so much gas that the refund's cap (a fifth) is never reached.
    let item = |index: u64| AccessListItem {
        address: B256::from(U256::from(index + 9_999)).0[12..].try_into().unwrap(),
        storage_keys: vec![],
    };
    tx.access_list = AccessList((0..400).map(item).collect());
    tx.tx_type = 1;
    tx.gas_priority_fee = None;
    let mut evm = build_evm(StateDb::new(state, &ENV), &ENV, &Params::default(), &modules(), ());
    let result = evm.transact(tx).unwrap().result;
    assert!(result.is_success(), "{result:?}");
    *result.gas()
}

proptest! {
    /// [MOD-5] Loads and stores of a module cost, and refund, what SLOAD and SSTORE of a contract do.
    #[test]
    fn mod_5_a_modules_storage_costs_what_a_contracts_does(
        operations in operations(),
        before in proptest::collection::btree_map(0_u64..4, 1_u64..4, 0..4),
    ) {
        let mut code = Assembler::default();
        let (mut encoded, mut stack_gas) = (Vec::new(), 0);
        for (slot, value) in &operations {
            let at = U256::from(*slot);
            let push = |value: u64| if value == 0 { 2 } else { 3 };
            code = match value {
                None => code.sload(at),
                Some(value) => code.sstore(at, U256::from(*value)),
            };
            stack_gas += push(*slot) + value.map_or(2, push);
            encoded.push((at << 128) | U256::from(value.map_or(0, |value| value + 1)));
        }
        let storage: BTreeMap<U256, U256> =
            before.iter().map(|(slot, value)| (U256::from(*slot), U256::from(*value))).collect();
        let mut state = genesis();
        insert(&mut state, CONTRACT, U256::ZERO, 1, code.code(), storage.clone());
        insert(&mut state, PROBE, U256::ZERO, 1, chlom_module::stub::stub_code(), storage);
        let input = IProbe::runCall { operations: encoded }.abi_encode();
        let words = u64::try_from(input.len().div_ceil(32)).unwrap();
        let overhead = intrinsic(&input) - 21_000 + CALL_BASE + words * PER_INPUT_WORD;
        let (module, contract) = (gas_of(&state, PROBE, input), gas_of(&state, CONTRACT, vec![]));
        prop_assert_eq!(module.total_gas_spent() - overhead, contract.total_gas_spent() - stack_gas);
        prop_assert_eq!(module.inner_refunded(), contract.inner_refunded());
    }
}
