//! The EVM that RPC builds: loosened rules, databases on top, and the tracers of `revm-inspectors`.

use alloy_primitives::{Address, Bytes, TxKind, U256, hex};
use alloy_sol_types::SolCall;
use chlom_chain::staking::IStaking;
use chlom_evm::{StateDb, build_evm, end_block, start_block, system_modules, tx_env};
use chlom_primitives::address::STAKING;
use revm::{ExecuteEvm, InspectCommitEvm, context::TxEnv, database::CacheDB};
use revm_inspectors::tracing::{TracingInspector, TracingInspectorConfig};

use crate::chain::{Chain, call};

const CONTRACT: Address = Address::repeat_byte(0xcc);

/// Calls Staking's `totalPower()` and returns what it answers.
fn asker() -> Bytes {
    let mut code = vec![0x63];
    code.extend(IStaking::totalPowerCall::SELECTOR);
    // mem[0] := selector << 224; staticcall(gas, 0x1010, 0, 4, 0, 32); return(0, 32)
    code.extend(hex!("60e01b5f52 6020 5f 6004 5f 611010 5a fa 50 60205ff3"));
    code.into()
}

#[test]
fn a_tracer_sees_the_module_as_a_call() {
    let chain = Chain::new(&[(CONTRACT, asker())]);
    let (env, modules) = (chain.next(), system_modules());
    let inspector = TracingInspector::new(TracingInspectorConfig::default_geth());
    let db = CacheDB::new(StateDb::new(&chain.state, &env));
    let mut evm = build_evm(db, &env, &chain.params, &modules, inspector);
    let result = evm.inspect_tx_commit(tx_env(&call(1, 0, TxKind::Call(CONTRACT), 0, Bytes::new()))).unwrap();
    assert_eq!(result.output(), Some(&U256::from(1).to_be_bytes_vec().into()));
    let frames: Vec<_> =
        evm.inspector.traces().nodes().iter().map(|node| (node.trace.address, node.trace.success)).collect();
    assert_eq!(frames, [(CONTRACT, true), (STAKING, true)]);
    let gas_used = result.tx_gas_used();
    let trace = evm.into_inspector().into_geth_builder().geth_call_traces(Default::default(), gas_used);
    assert_eq!(trace.calls[0].to, Some(STAKING));
}

#[test]
fn a_call_needs_no_balance_nonce_or_fee_when_the_rules_are_loosened() {
    let chain = Chain::new(&[(CONTRACT, asker())]);
    let (env, modules) = (chain.next(), system_modules());
    let mut evm = build_evm(StateDb::new(&chain.state, &env), &env, &chain.params, &modules, ());
    let tx = TxEnv {
        caller: CONTRACT, // Has code, and no money.
        kind: TxKind::Call(CONTRACT),
        gas_limit: 10_000_000,
        nonce: 77,
        chain_id: None,
        ..TxEnv::default()
    };
    assert!(evm.transact(tx.clone()).is_err());
    evm.ctx.modify_cfg(|cfg| {
        cfg.disable_balance_check = true;
        cfg.disable_nonce_check = true;
        cfg.disable_base_fee = true;
        cfg.disable_eip3607 = true;
    });
    assert!(evm.transact(tx).unwrap().result.is_success());
}

#[test]
fn a_simulated_block_begins_as_an_executed_one_does() {
    // sstore(0, blockhash(number - 1))
    let asks = Bytes::from(hex!("60014303405f5500").to_vec());
    let mut chain = Chain::new(&[(CONTRACT, asks)]);
    chain.block(&[]);
    let (env, modules) = (chain.next(), system_modules());
    let mut evm =
        build_evm(CacheDB::new(StateDb::new(&chain.state, &env)), &env, &chain.params, &modules, ());
    start_block(&mut evm, &env, &modules).unwrap();
    evm.transact_one(tx_env(&call(1, 0, TxKind::Call(CONTRACT), 0, Bytes::new()))).unwrap();
    end_block(&mut evm, &modules).unwrap();
    let state = evm.finalize();
    assert_eq!(state[&CONTRACT].storage[&U256::ZERO].present_value, U256::from_be_bytes(env.parent_hash.0));
    let history = &state[&alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS];
    assert_eq!(history.storage[&U256::from(1)].present_value, U256::from_be_bytes(env.parent_hash.0));
}
