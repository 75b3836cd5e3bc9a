//! eth_estimateGas: the estimate suffices, and hardly less would.

use std::sync::Arc;

use alloy_primitives::{Address, TxKind, U256};
use chlom_store::StoreConfig;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    chain::{Chain, word},
    contracts::{BURNER, CLEARER, ENDLESS, GASSY, OUTER, REVERTER, STORE},
};
use crate::{
    Limits,
    eth::{block_id::BlockId, message::tx_env, request::CallRequest, stage::Stage},
};

fn quantity(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// True when the request succeeds with exactly this gas.
fn succeeds(chain: &Chain, request: &Value, gas: u64) -> bool {
    let request: CallRequest = serde_json::from_value(request.clone()).unwrap();
    let context: &Arc<_> = &chain.ctx;
    let mut stage = Stage::new(context, BlockId::default(), None, None).unwrap();
    stage.run(tx_env(&request, gas, 0, 7272)).is_ok_and(|result| result.is_success())
}

/// The exact need, by bisection over the real thing.
fn need(chain: &Chain, request: &Value) -> u64 {
    let (mut fails, mut works) = (0, 1 << 24);
    while fails + 1 < works {
        let middle = (fails + works) / 2;
        if succeeds(chain, request, middle) { works = middle } else { fails = middle }
    }
    works
}

fn check(chain: &Chain, request: &Value) {
    let estimate = quantity(&chain.ok("eth_estimateGas", json!([request])));
    let need = need(chain, request);
    assert!(succeeds(chain, request, estimate), "{request}: {estimate} fails, {need} is needed");
    assert!(
        estimate >= need && (estimate - need) * 1000 <= estimate * 15,
        "{request}: {estimate} for {need}"
    );
}

#[test]
fn a_plain_transfer_needs_exactly_21000() {
    let chain = Chain::new();
    let from = chain.keys[0].address();
    let transfer = json!({ "from": from, "to": Address::repeat_byte(9), "value": "0x1" });
    assert_eq!(chain.ok("eth_estimateGas", json!([transfer])), json!("0x5208"));
    assert_eq!(chain.ok("eth_estimateGas", json!([transfer, "pending"])), json!("0x5208"));
}

#[test]
fn estimates_suffice_and_are_tight_for_every_kind_of_contract() {
    let chain = Chain::new();
    let from = chain.keys[0].address();
    for request in [
        json!({ "from": from, "to": STORE, "data": word(1) }),
        json!({ "from": from, "to": BURNER }),
        json!({ "from": from, "to": GASSY }),
        json!({ "from": from, "to": CLEARER }),
        json!({ "from": from, "to": OUTER, "value": "0x5", "data": word(4) }),
        json!({ "from": from, "data": "0x60006000f3" }),
        json!({ "from": from, "to": STORE, "data": word(1), "accessList": [{ "address": BURNER, "storageKeys": [] }] }),
        json!({ "from": from, "to": STORE, "data": word(1), "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1" }),
    ] {
        check(&chain, &request);
    }
}

#[test]
fn a_transaction_with_the_estimated_gas_is_mined_successfully() {
    let chain = Chain::new();
    let request = json!({ "from": chain.keys[0].address(), "to": GASSY });
    let gas_limit = quantity(&chain.ok("eth_estimateGas", json!([request])));
    let tx = alloy_consensus::TxEip1559 {
        chain_id: 7272,
        gas_limit,
        max_fee_per_gas: super::chain::FEE_CAP,
        to: TxKind::Call(GASSY),
        ..Default::default()
    };
    chain.mine(vec![chain.sign(0, tx.into())]);
    assert!(chain.ctx.store.receipts(1).unwrap().unwrap()[0].success);
}

#[test]
fn failures_say_why() {
    let chain = Chain::new();
    let from = chain.keys[0].address();
    let poor = Address::repeat_byte(0x44);
    let error = chain.call("eth_estimateGas", json!([{ "from": from, "to": REVERTER }])).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (3, "execution reverted: not yours"));
    assert!(error.data.is_some());
    let refused = |request: Value| chain.refused("eth_estimateGas", json!([request]));
    let endless = refused(json!({ "from": from, "to": ENDLESS, "gas": "0x30d40" }));
    assert_eq!(endless, (-32000, "gas required exceeds allowance (200000)".into()));
    let (code, message) = refused(json!({ "from": poor, "to": STORE, "value": "0x1" }));
    assert_eq!(code, -32000);
    assert!(
        message.contains("insufficient funds for gas * price + value")
            && message.starts_with("failed with 16777216 gas: "),
        "{message}"
    );
    let fee = "0x77359400";
    let broke = refused(json!({ "from": poor, "to": STORE, "value": "0x1", "gasPrice": fee }));
    assert_eq!(broke, (-32000, "insufficient funds for transfer".into()));
}

#[test]
fn what_the_sender_can_pay_bounds_the_search() {
    let chain = Chain::new();
    let poor = Address::repeat_byte(0x44);
    // 30,000 gas at 2 gwei.
    let funds =
        json!({ poor.to_string(): { "balance": format!("{:#x}", U256::from(60_000_000_000_000u64)) } });
    let request = json!({ "from": poor, "to": BURNER, "gasPrice": "0x77359400" });
    let refused = chain.refused("eth_estimateGas", json!([request, "latest", funds]));
    assert_eq!(refused, (-32000, "gas required exceeds allowance (30000)".into()));
    let limits = Limits { call_gas: 100_000, ..Limits::default() };
    let small = Chain::with(StoreConfig::memory(), limits);
    let refused = small.refused("eth_estimateGas", json!([{ "to": BURNER }]));
    assert_eq!(refused, (-32000, "gas required exceeds allowance (100000)".into()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn theorem_an_estimate_suffices_and_exceeds_the_need_by_at_most_15_in_1000(
        target in prop::sample::select(vec![STORE, BURNER, GASSY, CLEARER, OUTER]),
        value in 0u64..4,
        data in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let chain = Chain::new();
        let data = format!("0x{}", alloy_primitives::hex::encode(data));
        let value = format!("{value:#x}");
        check(&chain, &json!({ "from": chain.keys[0].address(), "to": target, "value": value, "data": data }));
    }
}
