//! eth_simulateV1.

use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_eth::{Block, simulate::SimulatedBlock};
use chlom_store::StoreConfig;
use serde_json::{Value, json};

use super::{
    chain::{Chain, FEE_CAP, START, TIP, word},
    contracts::{ENDLESS, ENVIRONMENT, INVALID, OUTER, READER, REVERTER, STORE, TOPIC, not_yours},
};
use crate::Limits;

fn run(chain: &Chain, payload: Value) -> Vec<Value> {
    chain.ok("eth_simulateV1", json!([payload, "latest"])).as_array().unwrap().clone()
}

fn refused(chain: &Chain, payload: Value) -> (i64, String) {
    chain.refused("eth_simulateV1", json!([payload, "latest"]))
}

#[test]
fn blocks_build_upon_each_other_and_read_back() {
    let chain = Chain::new();
    let from = chain.keys[0].address();
    let blocks = run(
        &chain,
        json!({ "blockStateCalls": [
        { "calls": [{ "from": from, "to": STORE, "data": word(5) }, { "from": from, "to": STORE, "data": word(6) }] },
        { "calls": [{ "to": ENVIRONMENT }, { "to": READER }] },
    ] }),
    );
    assert_eq!(blocks.len(), 2);
    let read: Vec<SimulatedBlock<Block>> = serde_json::from_value(json!(blocks)).unwrap();
    assert_eq!(read[0].inner.header.hash_slow(), read[0].inner.header.hash);
    assert_eq!(read[1].inner.header.parent_hash, read[0].inner.header.hash);
    assert_eq!(read[0].inner.header.number, 1);
    assert_eq!(read[1].inner.header.timestamp, START + 2);
    assert_eq!(read[0].calls[1].return_data, word(6));
    let log = &read[0].calls[1].logs[0];
    assert_eq!((log.log_index, log.transaction_index), (Some(1), Some(1)));
    assert_eq!((log.block_hash, log.inner.topics()[0]), (Some(read[0].inner.header.hash), TOPIC));
    let seen = &read[1].calls[0].return_data;
    assert_eq!(seen[96..128], read[0].inner.header.hash.0, "BLOCKHASH of a simulated block");
    assert_eq!(chain.ok("eth_blockNumber", json!([])), json!("0x0"), "nothing stays");
}

#[test]
fn a_validated_simulation_gives_the_block_that_is_then_mined() {
    let chain = Chain::new();
    let (from, to) = (chain.keys[0].address(), Address::repeat_byte(9));
    let fees = json!({ "maxFeePerGas": format!("{FEE_CAP:#x}"), "maxPriorityFeePerGas": format!("{TIP:#x}"), "gas": "0xf4240" });
    let mut calls = vec![
        json!({ "from": from, "to": STORE, "data": word(5) }),
        json!({ "from": from, "to": to, "value": "0x7" }),
    ];
    for call in &mut calls {
        call.as_object_mut().unwrap().extend(fees.as_object().unwrap().clone());
    }
    let head = chain.ctx.store.head().unwrap().block;
    let mix = chlom_app::rules::next_mix(&head.header.mix_hash, 1);
    let overrides = json!({ "feeRecipient": super::chain::PROPOSER, "prevRandao": mix });
    let block = run(
        &chain,
        json!({ "validation": true, "blockStateCalls": [{ "blockOverrides": overrides, "calls": calls }] }),
    );
    let mined =
        chain.mine(vec![chain.tx(0, 0, STORE, 0, word(5)), chain.tx(0, 1, to, 7, Default::default())]);
    for (field, value) in [
        ("stateRoot", json!(mined.header.state_root)),
        ("receiptsRoot", json!(mined.header.receipts_root)),
        ("logsBloom", json!(mined.header.logs_bloom)),
        ("gasUsed", json!(format!("{:#x}", mined.header.gas_used))),
        ("baseFeePerGas", json!(format!("{:#x}", mined.header.base_fee_per_gas.unwrap()))),
        ("extraData", json!(mined.header.extra_data)),
    ] {
        assert_eq!(block[0][field], value, "{field}");
    }
}

#[test]
fn transfers_are_reported_as_logs_in_order_and_only_of_what_succeeded() {
    let chain = Chain::new();
    let (from, to) = (chain.keys[0].address(), Address::repeat_byte(9));
    let calls = json!([{ "from": from, "to": to, "value": "0x3e8" }, { "from": from, "to": OUTER, "value": "0x3", "data": word(1) }]);
    let traced = run(&chain, json!({ "traceTransfers": true, "blockStateCalls": [{ "calls": calls }] }));
    let transfer = &traced[0]["calls"][0]["logs"][0];
    assert_eq!(transfer["address"], json!("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"));
    assert_eq!(transfer["data"], json!(word(1000)));
    assert_eq!(
        transfer["topics"],
        json!([
            "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
            from.into_word(),
            to.into_word()
        ])
    );
    let emitters: Vec<Value> =
        traced[0]["calls"][1]["logs"].as_array().unwrap().iter().map(|log| log["address"].clone()).collect();
    let native = json!("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    assert_eq!(emitters, [native, json!(format!("{STORE:#x}")), json!(format!("{OUTER:#x}"))]);
    let plain = run(&chain, json!({ "blockStateCalls": [{ "calls": calls }] }));
    assert_eq!(plain[0]["calls"][0]["logs"], json!([]));
    assert_eq!(plain[0]["logsBloom"], traced[0]["logsBloom"], "pseudo-logs are in no bloom");
}

#[test]
fn failed_calls_are_results_and_the_rest_goes_on() {
    let chain = Chain::new();
    let blocks = run(
        &chain,
        json!({ "blockStateCalls": [{ "calls": [
        { "to": REVERTER }, { "to": INVALID, "gas": "0x186a0" }, { "to": READER },
    ] }] }),
    );
    let calls = &blocks[0]["calls"];
    let reverted = json!({ "code": 3, "message": "execution reverted: not yours", "data": not_yours() });
    assert_eq!((&calls[0]["status"], &calls[0]["error"]), (&json!("0x0"), &reverted));
    assert_eq!(calls[0]["returnData"], json!(not_yours()));
    let halted = json!({ "code": -32015, "message": "vm execution error: invalid opcode: INVALID" });
    assert_eq!((&calls[1]["error"], &calls[1]["gasUsed"]), (&halted, &json!("0x186a0")));
    assert_eq!((&calls[2]["status"], &calls[2]["returnData"]), (&json!("0x1"), &json!(word(7))));
}

#[test]
fn overrides_hold_from_their_block_on() {
    let chain = Chain::new();
    let poor = Address::repeat_byte(0x44);
    let blocks = run(
        &chain,
        json!({ "returnFullTransactions": true, "blockStateCalls": [
        { "stateOverrides": { poor.to_string(): { "balance": "0x64" } },
          "blockOverrides": { "number": "0x5", "time": "0x70000000", "baseFeePerGas": "0x9" },
          "calls": [{ "from": poor, "to": READER, "value": "0x1" }, { "to": ENVIRONMENT }] },
        { "calls": [{ "from": poor, "to": READER, "value": "0x63" }] },
    ] }),
    );
    let numbers: Vec<&Value> = blocks.iter().map(|block| &block["number"]).collect();
    assert_eq!(
        numbers,
        [&json!("0x1"), &json!("0x2"), &json!("0x3"), &json!("0x4"), &json!("0x5"), &json!("0x6")]
    );
    assert_eq!((&blocks[4]["timestamp"], &blocks[4]["baseFeePerGas"]), (&json!("0x70000000"), &json!("0x9")));
    assert_eq!(blocks[5]["timestamp"], json!("0x70000001"));
    let tx = &blocks[4]["transactions"][0];
    assert_eq!(
        (&tx["from"], &tx["type"], &tx["nonce"]),
        (&json!(format!("{poor:#x}")), &json!("0x2"), &json!("0x0"))
    );
    assert_eq!(blocks[5]["transactions"][0]["nonce"], json!("0x1"));
    assert_eq!(blocks[5]["calls"][0]["status"], json!("0x1"), "the balance is what the first call left");
}

#[test]
fn invalid_transactions_have_the_codes_of_the_specification() {
    let chain = Chain::new();
    let (from, poor) = (chain.keys[0].address(), Address::repeat_byte(0x44));
    let fee = format!("{FEE_CAP:#x}");
    let one = |validation: bool, call: Value| {
        refused(&chain, json!({ "validation": validation, "blockStateCalls": [{ "calls": [call] }] })).0
    };
    assert_eq!(one(true, json!({ "from": from, "to": STORE, "nonce": "0x5", "maxFeePerGas": fee })), -38011);
    assert_eq!(one(true, json!({ "from": from, "to": STORE, "maxFeePerGas": "0x1" })), -38012);
    assert_eq!(one(false, json!({ "from": from, "to": STORE, "gas": "0x5207" })), -38013);
    assert_eq!(one(false, json!({ "from": poor, "to": STORE, "value": "0x1" })), -38014);
    assert_eq!(one(false, json!({ "from": from, "to": STORE, "gas": "0xbebc201" })), -38015);
    let initcode = format!("0x{}", "00".repeat(2 * 24_576 + 1));
    assert_eq!(one(false, json!({ "from": from, "data": initcode })), -38025);
    chain.mine(vec![chain.legacy(0, 0, poor, 1)]);
    assert_eq!(one(true, json!({ "from": from, "to": STORE, "nonce": "0x0", "maxFeePerGas": fee })), -38010);
    // Without validation, nonces are not looked at.
    let free = json!({ "blockStateCalls": [{ "calls": [{ "from": from, "to": READER, "nonce": "0x99" }] }] });
    assert_eq!(run(&chain, free)[0]["calls"][0]["status"], json!("0x1"));
}

#[test]
fn order_and_size_are_checked_before_anything_is_executed() {
    let chain = Chain::new();
    chain.mine(Vec::new());
    let blocks = |overrides: Value| json!({ "blockStateCalls": overrides });
    assert_eq!(refused(&chain, blocks(json!([]))), (-32602, "empty input".into()));
    let number = |n: &str| json!({ "blockOverrides": { "number": n } });
    assert_eq!(refused(&chain, blocks(json!([number("0x1")]))).0, -38020);
    assert_eq!(refused(&chain, blocks(json!([number("0x9"), number("0x9")]))).0, -38020);
    assert_eq!(refused(&chain, blocks(json!([number("0x102")]))).0, -38026);
    assert_eq!(refused(&chain, blocks(json!([{ "blockOverrides": { "time": "0x1" } }]))).0, -38021);
    assert_eq!(refused(&chain, blocks(json!([{ "blockOverrides": { "number": U256::MAX } }]))).0, -38026);
    let many: Vec<Value> = (0..257).map(|_| json!({})).collect();
    assert_eq!(refused(&chain, blocks(json!(many))), (-38026, "too many blocks: the limit is 256".into()));
}

#[test]
fn all_calls_share_the_node_s_gas() {
    let limits = Limits { call_gas: 60_000, ..Limits::default() };
    let chain = Chain::with(StoreConfig::memory(), limits);
    let transfer = json!({ "to": Address::repeat_byte(9) });
    let blocks = run(&chain, json!({ "blockStateCalls": [{ "calls": [transfer, transfer] }] }));
    assert_eq!(blocks[0]["calls"][1]["gasUsed"], json!("0x5208"));
    let (code, message) =
        refused(&chain, json!({ "blockStateCalls": [{ "calls": [transfer, transfer, transfer] }] }));
    assert_eq!(code, -38013);
    assert!(message.contains("intrinsic gas too low: have 18000, want 21000"), "{message}");
}

#[test]
fn an_older_base_executes_on_its_state() {
    let chain = Chain::new();
    chain.mine(vec![chain.tx(0, 0, STORE, 0, word(5))]);
    let payload = json!({ "blockStateCalls": [{ "calls": [{ "to": ENVIRONMENT }] }] });
    let blocks = chain.ok("eth_simulateV1", json!([payload, "0x0"]));
    assert_eq!(blocks[0]["number"], json!("0x1"));
    assert_eq!(blocks[0]["stateRoot"], json!(B256::ZERO));
}

#[test]
fn the_time_limit_ends_a_simulation_within_a_call() {
    let limits = Limits {
        call_gas: u64::MAX / 2,
        call_time: std::time::Duration::from_millis(50),
        ..Limits::default()
    };
    let chain = Chain::with(StoreConfig::memory(), limits);
    // By its gas alone this loop would run for thousands of years.
    let gas = format!("{:#x}", u64::MAX / 4);
    let block = json!({
        "blockOverrides": { "gasLimit": format!("{:#x}", u64::MAX / 2) },
        "calls": [{ "to": ENDLESS, "gas": gas }],
    });
    let (code, message) = refused(&chain, json!({ "blockStateCalls": [block] }));
    assert_eq!((code, message.as_str()), (-32000, "execution aborted (timeout = 50ms)"));
}
