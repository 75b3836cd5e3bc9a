//! Prices, fee history, and transactions filled in.

use alloy_primitives::Address;
use chlom_store::StoreConfig;
use serde_json::{Value, json};

use super::{
    chain::{Chain, FEE_CAP, TIP, word},
    contracts::STORE,
};
use crate::Limits;

fn quantity(value: &Value) -> u128 {
    u128::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn the_suggested_tip_is_what_recent_transactions_paid() {
    let chain = Chain::new();
    let idle = quantity(&chain.ok("eth_maxPriorityFeePerGas", json!([])));
    assert_eq!(idle, u128::from(chain.ctx.params.gas.min_base_fee_wei));
    let block = chain.mine(vec![chain.tx(0, 0, STORE, 0, word(1))]);
    assert_eq!(quantity(&chain.ok("eth_maxPriorityFeePerGas", json!([]))), TIP);
    let base = quantity(&chain.ok("eth_baseFee", json!([])));
    assert_eq!(base, u128::from(chlom_app::rules::next_base_fee(&block.header, &chain.ctx.params)));
    let now = u128::from(block.header.base_fee_per_gas.unwrap());
    assert!(base < now, "an almost empty block");
    assert_eq!(quantity(&chain.ok("eth_gasPrice", json!([]))), now + TIP, "never below the head's base fee");
    assert_eq!(chain.ok("eth_blobBaseFee", json!([])), json!("0x1"));
}

#[test]
fn fee_history_tells_base_fees_ratios_and_tips_by_gas() {
    let chain = Chain::new();
    let to = Address::repeat_byte(9);
    let first = chain.mine(vec![chain.tx(0, 0, STORE, 0, word(1)), chain.legacy(1, 0, to, 1)]);
    let second = chain.mine(Vec::new());
    let history = chain.ok("eth_feeHistory", json!(["0x5", "latest", [0, 50.5, 100]]));
    assert_eq!(history["oldestBlock"], json!("0x0"));
    let fees: Vec<u128> = history["baseFeePerGas"].as_array().unwrap().iter().map(quantity).collect();
    let next = chlom_app::rules::next_base_fee(&second.header, &chain.ctx.params);
    let base = |block: &chlom_primitives::Block| u128::from(block.header.base_fee_per_gas.unwrap());
    assert_eq!(fees, [1_000_000_000, base(&first), base(&second), u128::from(next)]);
    let rows = history["reward"].as_array().unwrap();
    assert_eq!((&rows[0], &rows[2]), (&json!(["0x0", "0x0", "0x0"]), &json!(["0x0", "0x0", "0x0"])));
    let tips: Vec<u128> = rows[1].as_array().unwrap().iter().map(quantity).collect();
    assert_eq!(tips, [TIP, TIP, FEE_CAP - base(&first)], "the transfer pays more, for less gas");
    assert_eq!(history["gasUsedRatio"].as_array().unwrap().len(), 3);
    assert_eq!(history["blobGasUsedRatio"], json!([0, 0, 0]));
    assert_eq!(history["baseFeePerBlobGas"], json!(["0x1", "0x1", "0x1", "0x1"]));
    let plain = chain.ok("eth_feeHistory", json!([1, "0x1", []]));
    assert_eq!((plain["oldestBlock"].clone(), plain.get("reward")), (json!("0x1"), None));
    let pending = chain.ok("eth_feeHistory", json!(["0x2", "pending", []]));
    assert_eq!(
        (pending["oldestBlock"].clone(), pending["gasUsedRatio"].as_array().unwrap().len()),
        (json!("0x2"), 2)
    );
}

#[test]
fn fee_history_is_bounded_and_refuses_nonsense() {
    let limits = Limits { fee_history: 2, ..Limits::default() };
    let chain = Chain::with(StoreConfig::memory(), limits);
    for _ in 0..4 {
        chain.mine(Vec::new());
    }
    assert_eq!(chain.ok("eth_feeHistory", json!(["0x400", "latest", []]))["oldestBlock"], json!("0x3"));
    assert_eq!(chain.ok("eth_feeHistory", json!(["0x0", "latest", []]))["baseFeePerGas"], json!([]));
    let beyond = chain.refused("eth_feeHistory", json!(["0x1", "0x9", []]));
    assert_eq!(beyond, (-32000, "request beyond head block: requested 9, head 4".into()));
    let (code, message) = chain.refused("eth_feeHistory", json!(["0x1", "latest", [50, 10]]));
    assert_eq!((code, message.as_str()), (-32000, "invalid reward percentile: #0:50.000000 >= #1:10.000000"));
}

#[test]
fn a_filled_transaction_has_all_that_signing_needs() {
    let chain = Chain::new();
    let from = chain.keys[0].address();
    let filled = chain.ok("eth_fillTransaction", json!([{ "from": from, "to": STORE, "data": word(1) }]));
    let tx = &filled["tx"];
    assert_eq!((&tx["type"], &tx["nonce"], &tx["chainId"]), (&json!("0x2"), &json!("0x0"), &json!("0x1c68")));
    assert_eq!(
        tx["gas"],
        chain.ok("eth_estimateGas", json!([{ "from": from, "to": STORE, "data": word(1) }]))
    );
    let tip = quantity(&tx["maxPriorityFeePerGas"]);
    assert_eq!(quantity(&tx["maxFeePerGas"]), 2_000_000_000 + tip);
    assert!(filled["raw"].as_str().unwrap().starts_with("0x02"));
    let legacy = chain.ok(
        "eth_fillTransaction",
        json!([{ "from": from, "to": STORE, "gas": "0x186a0", "gasPrice": "0x77359400" }]),
    );
    assert_eq!((&legacy["tx"]["type"], &legacy["tx"]["gasPrice"]), (&json!("0x0"), &json!("0x77359400")));
    for (request, text) in [
        (json!({ "from": from }), "contract creation without any data provided"),
        (
            json!({ "from": from, "to": STORE, "gasPrice": "0x0" }),
            "gasPrice must be non-zero after london fork",
        ),
        (
            json!({ "from": from, "to": STORE, "maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2" }),
            "maxFeePerGas (0x1) < maxPriorityFeePerGas (0x2)",
        ),
        (
            json!({ "from": from, "to": STORE, "data": "0x01", "input": "0x02" }),
            "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data",
        ),
    ] {
        assert_eq!(chain.refused("eth_fillTransaction", json!([request])), (-32000, text.into()));
    }
}
