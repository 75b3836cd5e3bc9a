//! Every tracer on a transaction whose nested call fails.

use std::time::Duration;

use alloy_consensus::TxEip7702;
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_trace::geth::{CallFrame, PreStateFrame};
use chlom_primitives::Block;
use chlom_store::{History, StoreConfig};
use serde_json::{Value, json};

use crate::{
    Limits,
    eth::tests::{
        chain::{Chain, FEE_CAP, PROPOSER, TIP, word},
        contracts::{ENDLESS, INVALID, OUTER, READER, REVERTER, STORE, TOPIC, not_yours},
    },
};

/// A block whose second transaction calls OUTER: a call that succeeds and one, with value, that reverts.
fn chain() -> (Chain, std::sync::Arc<Block>) {
    let chain = Chain::new();
    let txs = vec![
        chain.tx(0, 0, STORE, 0, word(1)),
        chain.tx(0, 1, OUTER, 3, word(2)),
        chain.tx(1, 0, INVALID, 0, Default::default()),
    ];
    let block = chain.mine(txs);
    (chain, block)
}

fn hex(address: Address) -> Value {
    json!(format!("{address:#x}"))
}

#[test]
fn the_call_tracer_shows_every_frame_and_what_failed() {
    let (chain, block) = chain();
    let config = json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } });
    let trace = chain.ok("debug_traceTransaction", json!([block.txs[1].hash(), config]));
    let frame: CallFrame = serde_json::from_value(trace.clone()).unwrap();
    let receipts = chain.ctx.store.receipts(1).unwrap().unwrap();
    let used = receipts[1].cumulative_gas_used - receipts[0].cumulative_gas_used;
    assert_eq!(frame.gas_used.to::<u64>(), used);
    assert_eq!(
        (&trace["type"], &trace["from"], &trace["to"]),
        (&json!("CALL"), &hex(chain.keys[0].address()), &hex(OUTER))
    );
    assert_eq!(
        (&trace["value"], &trace["gas"], trace.get("error")),
        (&json!("0x3"), &json!("0xf4240"), None)
    );
    assert_eq!(trace["logs"].as_array().unwrap().len(), 1);
    let calls = trace["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!((&calls[0]["to"], &calls[0]["output"]), (&hex(STORE), &json!(word(2))));
    assert_eq!(calls[0]["logs"][0]["topics"][0], json!(TOPIC));
    assert_eq!((&calls[1]["to"], &calls[1]["error"]), (&hex(REVERTER), &json!("execution reverted")));
    assert_eq!((&calls[1]["revertReason"], &calls[1]["output"]), (&json!("not yours"), &json!(not_yours())));
    let top = json!({ "tracer": "callTracer", "tracerConfig": { "onlyTopCall": true } });
    let trace = chain.ok("debug_traceTransaction", json!([block.txs[1].hash(), top]));
    assert!(trace.get("calls").is_none());
}

#[test]
fn the_opcode_logger_tells_each_step_and_sums_to_the_receipt() {
    let (chain, block) = chain();
    let trace = chain.ok("debug_traceTransaction", json!([block.txs[0].hash()]));
    let gas = chain.ctx.store.receipts(1).unwrap().unwrap()[0].cumulative_gas_used;
    assert_eq!(
        (&trace["gas"], &trace["failed"], &trace["returnValue"]),
        (&json!(gas), &json!(false), &json!(word(1)))
    );
    let steps = trace["structLogs"].as_array().unwrap();
    let first = json!({ "pc": 0, "op": "PUSH1", "gas": steps[0]["gas"], "gasCost": 3, "depth": 1, "refund": 0, "stack": [] });
    assert_eq!(steps[0], first);
    assert_eq!((&steps[1]["op"], &steps[1]["stack"]), (&json!("CALLDATALOAD"), &json!(["0x0"])));
    let store = steps.iter().find(|step| step["op"] == "SSTORE").unwrap();
    let slot = format!("{:#066x}", 0);
    assert_eq!(store["storage"], json!({ slot: word(1) }));
    assert_eq!((&store["gasCost"], &store["stack"]), (&json!(22_100), &json!(["0x1", "0x1", "0x0"])));
    let intrinsic = 1_000_000 - steps[0]["gas"].as_u64().unwrap();
    let costs: u64 = steps.iter().map(|step| step["gasCost"].as_u64().unwrap()).sum();
    assert_eq!(intrinsic + costs, gas);
    assert!(steps.iter().all(|step| step.get("memory").is_none() && step.get("returnData").is_none()));
}

#[test]
fn the_opcode_logger_has_geth_s_options_and_names_failures() {
    let (chain, block) = chain();
    let options = json!({ "disableStack": true, "disableStorage": true, "enableMemory": true, "enableReturnData": true });
    let trace = chain.ok("debug_traceTransaction", json!([block.txs[1].hash(), options]));
    let steps = trace["structLogs"].as_array().unwrap();
    assert!(steps.iter().all(|step| step.get("stack").is_none() && step.get("storage").is_none()));
    assert_eq!(steps.iter().map(|step| step["depth"].as_u64().unwrap()).max(), Some(2));
    assert_eq!(steps.iter().filter(|step| step["op"] == "REVERT").count(), 1);
    let last = steps.last().unwrap();
    assert_eq!((&last["op"], &last["returnData"]), (&json!("STOP"), &json!(not_yours())));
    assert_eq!(last["memory"], json!([word(2)]));
    let invalid = chain.ok("debug_traceTransaction", json!([block.txs[2].hash()]));
    assert_eq!((&invalid["failed"], &invalid["returnValue"]), (&json!(true), &json!("0x")));
    assert_eq!(invalid["structLogs"][0]["error"], json!("invalid opcode: INVALID"));
    let full = chain.ok("debug_traceTransaction", json!([block.txs[1].hash()]));
    let short = chain.ok("debug_traceTransaction", json!([block.txs[1].hash(), { "limit": 5 }]));
    assert_eq!(short["structLogs"].as_array().unwrap()[..], full["structLogs"].as_array().unwrap()[..5]);
    assert_eq!(short["gas"], full["gas"]);
}

#[test]
fn the_prestate_tracer_shows_what_was_there_and_with_diff_mode_what_changed() {
    let (chain, block) = chain();
    let hash = block.txs[1].hash();
    let before = chain.ok("debug_traceTransaction", json!([hash, { "tracer": "prestateTracer" }]));
    serde_json::from_value::<PreStateFrame>(before.clone()).unwrap();
    let slot = format!("{:#066x}", 0);
    let store = &before[format!("{STORE:#x}")];
    assert_eq!(store["storage"][&slot], json!(word(1)), "the first transaction's value");
    assert_eq!(before[format!("{:#x}", chain.keys[0].address())]["nonce"], json!(1));
    assert!(before.get(format!("{REVERTER:#x}")).is_some());
    let config = json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } });
    let diff = chain.ok("debug_traceTransaction", json!([hash, config]));
    assert_eq!(diff["pre"][format!("{STORE:#x}")]["storage"][&slot], json!(word(1)));
    assert_eq!(diff["post"][format!("{STORE:#x}")]["storage"][&slot], json!(word(2)));
    assert_eq!(diff["post"][format!("{OUTER:#x}")]["balance"], json!("0x3"));
    assert!(diff["post"].get(format!("{REVERTER:#x}")).is_none(), "a reverted call changes nothing");
}

#[test]
fn the_other_tracers_answer() {
    let (chain, block) = chain();
    let trace = |tracer: Value| chain.ok("debug_traceTransaction", json!([block.txs[1].hash(), tracer]));
    let four = trace(json!({ "tracer": "4byteTracer" }));
    assert_eq!(four, json!({ "0x00000000-28": 2 }));
    assert_eq!(trace(json!({ "tracer": "noopTracer" })), json!({}));
    let flat = trace(json!({ "tracer": "flatCallTracer" }));
    assert_eq!(flat.as_array().unwrap().len(), 3);
    let mux =
        trace(json!({ "tracer": "muxTracer", "tracerConfig": { "callTracer": {}, "4byteTracer": null } }));
    assert_eq!(mux["4byteTracer"], four);
    assert_eq!(mux["callTracer"]["calls"].as_array().unwrap().len(), 2);
}

#[test]
fn a_block_s_traces_are_its_transactions_traces() {
    let (chain, block) = chain();
    let config = json!({ "tracer": "callTracer" });
    let by_number = chain.ok("debug_traceBlockByNumber", json!(["0x1", config]));
    let by_hash = chain.ok("debug_traceBlockByHash", json!([block.hash, config]));
    assert_eq!(by_number, by_hash);
    for (tx, trace) in block.txs.iter().zip(by_number.as_array().unwrap()) {
        assert_eq!(trace["txHash"], json!(tx.hash()));
        assert_eq!(trace["result"], chain.ok("debug_traceTransaction", json!([tx.hash(), config])));
    }
    let empty = chain.mine(Vec::new());
    assert_eq!(chain.ok("debug_traceBlockByHash", json!([empty.hash])), json!([]));
}

#[test]
fn a_traced_call_stands_where_it_is_asked_to() {
    let (chain, _) = chain();
    let config = json!({ "tracer": "callTracer" });
    let request = json!({ "from": chain.keys[1].address(), "to": OUTER, "value": "0x3", "data": word(2) });
    let trace = chain.ok("debug_traceCall", json!([request, "latest", config]));
    assert_eq!(trace["calls"][1]["error"], json!("execution reverted"));
    // MSTORE(0, SLOAD(0)); RETURN: the value of STORE's slot before and after the block's transactions.
    let code = "0x60005460005260206000f3";
    let read = |index: Value| {
        let state = json!({ STORE.to_string(): { "code": code } });
        let mut config = json!({ "tracer": "callTracer", "stateOverrides": state });
        if !index.is_null() {
            config["txIndex"] = index;
        }
        chain.ok("debug_traceCall", json!([{ "to": STORE }, "0x1", config]))["output"].clone()
    };
    assert_eq!(read(json!("0x0")), json!(word(0)));
    assert_eq!(read(json!("0x1")), json!(word(1)));
    assert_eq!(read(json!("0x2")), json!(word(2)));
    assert_eq!(read(Value::Null), json!(word(2)));
    let steps = chain.ok("debug_traceCall", json!([{ "to": READER }, "latest"]));
    assert_eq!(steps["returnValue"], json!(word(7)));
    let seen = json!({ "blockOverrides": { "feeRecipient": PROPOSER } });
    chain.ok("debug_traceCall", json!([{ "to": READER }, "latest", seen]));
}

#[test]
fn what_cannot_be_traced_says_why() {
    let (chain, _) = chain();
    for (method, params, text) in [
        ("debug_traceTransaction", json!([B256::ZERO]), "transaction not found".to_owned()),
        ("debug_traceBlockByNumber", json!(["0x0"]), "genesis is not traceable".to_owned()),
        ("debug_traceBlockByNumber", json!(["0x9"]), "block 0x9 not found".to_owned()),
        ("debug_traceBlockByHash", json!([B256::ZERO]), format!("block {:#x} not found", B256::ZERO)),
        (
            "debug_traceCall",
            json!([{ "to": READER }, "pending"]),
            "tracing on top of pending is not supported".to_owned(),
        ),
    ] {
        assert_eq!(chain.refused(method, params), (-32000, text));
    }
    let (code, message) =
        chain.refused("debug_traceCall", json!([{ "to": READER }, "latest", { "tracer": "{fault: ...}" }]));
    assert_eq!(code, -32000);
    assert!(message.contains("is not available; this node has callTracer"), "{message}");
    let poor = Address::repeat_byte(0x44);
    let (_, message) =
        chain.refused("debug_traceCall", json!([{ "from": poor, "to": READER, "value": "0x1" }, "latest"]));
    assert!(message.starts_with("tracing failed: insufficient funds"), "{message}");
    assert_eq!(chain.refused("debug_getRawHeader", json!(["0x9"])).0, -32000);
    assert_eq!(chain.refused("debug_getRawBlockAccessList", json!(["latest"])).0, -32001);
}

#[test]
fn long_traces_end_at_the_limits_of_time_and_size() {
    let endless = json!([{ "to": ENDLESS, "gas": "0x1312d00" }, "latest"]);
    let hasty = Chain::with(StoreConfig::memory(), Limits { call_time: Duration::ZERO, ..Limits::default() });
    assert_eq!(hasty.refused("debug_traceCall", endless.clone()), (-32000, "execution timeout".into()));
    let small = Chain::with(StoreConfig::memory(), Limits { response_bytes: 100_000, ..Limits::default() });
    let (code, message) = small.refused("debug_traceCall", endless);
    assert_eq!(code, -32005);
    assert!(message.contains("larger than 100000 bytes"), "{message}");
    let calls = json!([{ "to": ENDLESS, "gas": "0x1312d00" }, "latest", { "tracer": "callTracer" }]);
    assert_eq!(hasty.refused("debug_traceCall", calls), (-32000, "execution timeout".into()));
}

#[test]
fn a_trace_whose_state_was_pruned_says_so() {
    let store = StoreConfig { history: History::Heights(1), ..StoreConfig::memory() };
    let chain = Chain::with(store, Limits::default());
    let tx = chain.tx(0, 0, STORE, 0, word(1));
    chain.mine(vec![tx.clone()]);
    for _ in 0..3 {
        chain.mine(Vec::new());
    }
    let (code, message) = chain.refused("debug_traceTransaction", json!([tx.hash()]));
    assert_eq!(code, -32000);
    assert!(message.contains("block 0 was pruned"), "{message}");
}

#[test]
fn evm_4_a_trace_gives_the_receipts_gas_where_an_authority_was_touched_before_it() {
    let chain = Chain::new();
    let chain_id = chain.ctx.params.chain.evm_chain_id;
    let authority = chlom_crypto::AccountKey::from_bytes([77; 32]).unwrap();
    let delegation = Authorization { chain_id: U256::from(chain_id), address: STORE, nonce: 0 };
    let signature = authority.sign_hash(delegation.signature_hash());
    let delegate = TxEip7702 {
        chain_id,
        nonce: 0,
        gas_limit: 200_000,
        max_fee_per_gas: FEE_CAP,
        max_priority_fee_per_gas: TIP,
        to: PROPOSER,
        authorization_list: vec![delegation.into_signed(signature)],
        ..Default::default()
    };
    let block = chain.mine(vec![
        chain.legacy(0, 0, authority.address(), 0),
        chain.sign(1, delegate.into()),
        chain.legacy(0, 1, PROPOSER, 0),
    ]);
    let receipts = chain.ctx.store.receipts(1).unwrap().unwrap();
    let used = receipts[1].cumulative_gas_used - receipts[0].cumulative_gas_used;
    let config = json!({ "tracer": "callTracer" });
    let alone = chain.ok("debug_traceTransaction", json!([block.txs[1].hash(), config]));
    assert_eq!(alone["gasUsed"], json!(format!("{used:#x}")));
    let all = chain.ok("debug_traceBlockByNumber", json!(["0x1", config]));
    assert_eq!(all[1]["result"], alone);
    assert_eq!(chain.ok("debug_traceTransaction", json!([block.txs[1].hash()]))["gas"], json!(used));
}
