//! eth_getLogs: ranges, filters, limits.

use std::sync::Arc;

use alloy_primitives::B256;
use chlom_store::StoreConfig;
use serde_json::{Value, json};

use super::{
    chain::{Chain, word},
    contracts::{OUTER, STORE, TOPIC},
};
use crate::{
    Limits, NewBlock,
    eth::{filter::Filter, logs::logs_of_block},
};

/// Blocks 1 to 3: none, one and 40 logs of STORE; the last also has OUTER's.
fn chain(limits: Limits) -> Chain {
    let chain = Chain::with(StoreConfig::memory(), limits);
    chain.mine(Vec::new());
    chain.mine(vec![chain.tx(0, 0, STORE, 0, word(1))]);
    let txs = (0..39).map(|n| chain.tx(0, 1 + n, STORE, 0, word(n))).collect::<Vec<_>>();
    let outer = chain.tx(1, 0, OUTER, 0, word(1));
    chain.mine(txs.into_iter().chain([outer]).collect());
    chain
}

fn count(chain: &Chain, filter: Value) -> usize {
    chain.ok("eth_getLogs", json!([filter])).as_array().unwrap().len()
}

#[test]
fn filters_choose_by_range_address_and_topic() {
    let chain = chain(Limits::default());
    let range = |from: &str, to: &str| json!({ "fromBlock": from, "toBlock": to });
    assert_eq!(count(&chain, json!({})), 41);
    assert_eq!(count(&chain, range("earliest", "latest")), 42);
    assert_eq!(count(&chain, range("0x1", "0x2")), 1);
    assert_eq!(count(&chain, range("0x1", "0x1")), 0);
    assert_eq!(count(&chain, json!({ "fromBlock": "0x0", "address": STORE })), 41);
    assert_eq!(count(&chain, json!({ "fromBlock": "0x0", "address": [STORE, OUTER] })), 42);
    assert_eq!(count(&chain, json!({ "fromBlock": "0x0", "topics": [TOPIC] })), 41);
    let caller = chain.keys[0].address().into_word();
    assert_eq!(count(&chain, json!({ "fromBlock": "0x0", "topics": [null, caller] })), 40);
    assert_eq!(count(&chain, json!({ "topics": [[TOPIC], [B256::ZERO, caller]] })), 39);
    let hash = chain.ctx.store.head().unwrap().block.hash;
    assert_eq!(count(&chain, json!({ "blockHash": hash, "address": OUTER })), 1);
    assert_eq!(count(&chain, json!({ "blockHash": hash })), 41);
}

#[test]
fn a_kept_block_answers_the_same_as_a_fresh_one() {
    let chain = chain(Limits::default());
    let all = chain.ok("eth_getLogs", json!([{}]));
    let again = chain.ok("eth_getLogs", json!([{ "fromBlock": "0x1" }]));
    assert_eq!(again.as_array().unwrap()[1..], all.as_array().unwrap()[..]);
    let indices: Vec<Value> = all.as_array().unwrap().iter().map(|log| log["logIndex"].clone()).collect();
    let expected: Vec<Value> = (0..41).map(|n| json!(format!("{n:#x}"))).collect();
    assert_eq!(indices, expected);
    let some = chain.ok("eth_getLogs", json!([{ "address": OUTER }]));
    assert_eq!(some[0], all[40]);
    let block = chain.ctx.store.head().unwrap().block;
    let new = NewBlock { block, receipts: Arc::new(chain.ctx.store.receipts(3).unwrap().unwrap().to_vec()) };
    let filter: Filter = serde_json::from_value(json!({ "address": OUTER })).unwrap();
    let mut texts = Vec::new();
    let keep = |log: &[u8]| {
        texts.push(log.to_vec());
        Ok::<(), ()>(())
    };
    logs_of_block(&new, &filter, keep).unwrap();
    assert_eq!(texts.len(), 1);
    assert_eq!(serde_json::from_slice::<Value>(&texts[0]).unwrap(), all[40]);
}

#[test]
fn impossible_ranges_are_refused_as_geth_does() {
    let chain = chain(Limits::default());
    for (filter, code, text) in [
        (json!({ "fromBlock": "0x3", "toBlock": "0x2" }), -32602, "invalid block range params"),
        (
            json!({ "fromBlock": "0x1", "toBlock": "0x9" }),
            -32602,
            "block range extends beyond current head block",
        ),
        (json!({ "fromBlock": "pending" }), -32602, "pending logs are not supported"),
        (json!({ "blockHash": B256::ZERO }), -32000, "unknown block"),
    ] {
        assert_eq!(chain.refused("eth_getLogs", json!([filter])), (code, text.into()));
    }
}

#[test]
fn limits_say_so_when_they_are_hit() {
    let narrow = chain(Limits { log_range: 2, ..Limits::default() });
    assert_eq!(count(&narrow, json!({ "fromBlock": "0x2" })), 42);
    let wide = narrow.refused("eth_getLogs", json!([{ "fromBlock": "0x1" }]));
    assert_eq!(wide, (-32602, "exceed maximum block range 2".into()));
    for limits in [
        Limits { log_results: 40, ..Limits::default() },
        Limits { response_bytes: 10_000, ..Limits::default() },
    ] {
        let small = chain(limits);
        for filter in [json!({ "fromBlock": "0x1" }), json!({ "fromBlock": "0x1", "topics": [TOPIC] })] {
            let (code, message) = small.refused("eth_getLogs", json!([filter]));
            assert_eq!(code, -32005);
            assert!(
                message.contains("more than 40 results") || message.contains("larger than 10000 bytes"),
                "{message}"
            );
        }
    }
}
