//! eth_call: results, reverts, limits, fees, overrides.

use alloy_primitives::{Address, B256, U256, hex};
use chlom_store::StoreConfig;
use serde_json::{Value, json};

use super::{
    chain::{Chain, FUNDS, word},
    contracts::{ENVIRONMENT, INVALID, OUTER, READER, REVERTER, STORE, not_yours},
};
use crate::Limits;

fn words(answer: &Value) -> Vec<U256> {
    let bytes = hex::decode(answer.as_str().unwrap()).unwrap();
    bytes.chunks(32).map(U256::from_be_slice).collect()
}

#[test]
fn a_call_returns_data_and_changes_nothing() {
    let chain = Chain::new();
    let request = json!({ "to": STORE, "data": word(5) });
    assert_eq!(chain.ok("eth_call", json!([request])), json!(word(5)));
    assert_eq!(
        chain.ok("eth_call", json!([{ "to": STORE, "data": "0x", "input": word(6) }, "latest"])),
        json!(word(6))
    );
    assert_eq!(chain.ok("eth_call", json!([{ "to": READER }, "0x0"])), json!(word(7)));
    let stored = chain.ok("eth_getStorageAt", json!([STORE, "0x0", "latest"]));
    assert_eq!(stored, json!(B256::ZERO));
    assert_eq!(chain.ok("eth_call", json!([{ "to": Address::repeat_byte(9) }])), json!("0x"));
}

#[test]
fn a_revert_is_code_3_with_its_data_and_reason() {
    let chain = Chain::new();
    let error = chain.call("eth_call", json!([{ "to": REVERTER }])).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (3, "execution reverted: not yours"));
    assert_eq!(error.data.unwrap().get(), json!(not_yours()).to_string());
    let (code, message) = chain.refused("eth_call", json!([{ "to": INVALID }]));
    assert_eq!((code, message.as_str()), (-32000, "invalid opcode: INVALID"));
    let (code, message) = chain.refused("eth_call", json!([{ "to": STORE, "gas": "0x6000" }]));
    assert_eq!((code, message.as_str()), (-32000, "out of gas"));
}

#[test]
fn more_gas_than_a_transaction_may_have_is_no_fault_of_a_call() {
    let limits = Limits { call_gas: 40_000_000, ..Limits::default() };
    let chain = Chain::with(StoreConfig::memory(), limits);
    // GAS; MSTORE; RETURN
    let gas = |asked: Value| {
        let over =
            json!({ "0x0000000000000000000000000000000000abcdef": { "code": "0x5a60005260206000f3" } });
        let mut request = json!({ "to": "0x0000000000000000000000000000000000abcdef" });
        if !asked.is_null() {
            request["gas"] = asked;
        }
        words(&chain.ok("eth_call", json!([request, "latest", over])))[0]
    };
    let all = U256::from(40_000_000 - 21_000 - 2);
    assert_eq!(gas(json!("0x1312d00")), U256::from(20_000_000 - 21_000 - 2), "above 2^24");
    assert_eq!(gas(json!("0xffffffff")), all, "lowered to the node's limit");
    assert_eq!(gas(Value::Null), all);
}

#[test]
fn gas_is_free_unless_a_price_is_named() {
    let chain = Chain::new();
    let poor = Address::repeat_byte(0x44);
    let base_fee = |request: Value| words(&chain.ok("eth_call", json!([request])))[2];
    assert_eq!(base_fee(json!({ "from": poor, "to": ENVIRONMENT })), U256::ZERO);
    let rich = chain.keys[0].address();
    let priced = json!({ "from": rich, "to": ENVIRONMENT, "gasPrice": "0x77359400" });
    assert_eq!(base_fee(priced), U256::from(1_000_000_000));
    let (code, message) = chain.refused(
        "eth_call",
        json!([{ "from": poor, "to": STORE, "gas": "0x186a0", "gasPrice": "0x77359400" }]),
    );
    let text = format!(
        "err: insufficient funds for gas * price + value: address {poor} have 0 want 200000000000000 (supplied gas 100000)"
    );
    assert_eq!((code, message), (-32000, text));
    let (_, message) =
        chain.refused("eth_call", json!([{ "from": rich, "to": STORE, "maxFeePerGas": "0x1" }]));
    assert!(
        message.contains(&format!(
            "max fee per gas less than block base fee: address {rich}, maxFeePerGas: 1, baseFee: 1000000000"
        )),
        "{message}"
    );
    let (_, message) = chain.refused("eth_call", json!([{ "from": rich, "to": STORE, "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x77359401" }]));
    assert!(message.contains("max priority fee per gas higher than max fee per gas"), "{message}");
    let (_, message) = chain.refused("eth_call", json!([{ "from": poor, "to": STORE, "value": "0x1" }]));
    assert!(message.contains("insufficient funds for gas * price + value"), "{message}");
}

#[test]
fn contradictory_requests_are_refused_in_geth_s_words() {
    let chain = Chain::new();
    for (request, text) in [
        (
            json!({ "to": STORE, "gasPrice": "0x1", "maxFeePerGas": "0x1" }),
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ),
        (json!({ "to": STORE, "chainId": "0x1" }), "chainId does not match node's (have=1, want=7272)"),
        (
            json!({ "to": STORE, "gas": "0x5207" }),
            "err: intrinsic gas too low: have 20999, want 21000 (supplied gas 20999)",
        ),
        (
            json!({ "to": STORE, "blobVersionedHashes": [B256::ZERO] }),
            "transaction type not supported: this chain carries no blob transactions",
        ),
    ] {
        assert_eq!(chain.refused("eth_call", json!([request])), (-32000, text.into()));
    }
}

#[test]
fn the_environment_is_the_named_block_s_and_pending_is_the_next() {
    let chain = Chain::new();
    let first = chain.mine(Vec::new());
    let second = chain.mine(Vec::new());
    let environment = |block: Value| words(&chain.ok("eth_call", json!([{ "to": ENVIRONMENT }, block])));
    let latest = environment(json!("latest"));
    assert_eq!((latest[0], latest[1]), (U256::from(2), U256::from(second.header.timestamp)));
    assert_eq!(latest[3], U256::from_be_bytes(first.hash.0));
    let earlier = environment(json!("0x1"));
    assert_eq!(earlier[0], U256::from(1));
    assert_eq!(earlier[3], U256::from_be_bytes(first.header.parent_hash.0));
    let pending = environment(json!("pending"));
    assert_eq!(pending[0], U256::from(3));
    assert!(pending[1] > latest[1]);
    assert_eq!(pending[3], U256::from_be_bytes(second.hash.0));
}

#[test]
fn block_overrides_change_what_contracts_see() {
    let chain = Chain::new();
    let head = chain.mine(Vec::new());
    let seen = |overrides: Value| {
        words(&chain.ok("eth_call", json!([{ "to": ENVIRONMENT }, "latest", null, overrides])))
    };
    assert_eq!(seen(json!({ "time": "0x99" }))[1], U256::from(0x99));
    // A call that pretends the next height sees the head's hash.
    let next = seen(json!({ "number": "0x2" }));
    assert_eq!((next[0], next[3]), (U256::from(2), U256::from_be_bytes(head.hash.0)));
    let refused =
        chain.refused("eth_call", json!([{ "to": STORE }, "latest", null, { "withdrawals": [{}] }]));
    assert_eq!(
        refused,
        (-32000, "block override \"withdrawals\" is not supported for this RPC method".into())
    );
}

#[test]
fn state_overrides_change_balances_code_and_storage() {
    let chain = Chain::new();
    let poor = Address::repeat_byte(0x44);
    let with = |request: Value, state: Value| chain.call("eth_call", json!([request, "latest", state]));
    let read = json!({ "to": READER });
    let slot = format!("{:#066x}", 0);
    let nine = format!("{:#066x}", 9);
    let diff =
        with(read.clone(), json!({ READER.to_string(): { "stateDiff": { slot.clone(): nine } } })).unwrap();
    assert_eq!(diff, json!(word(9)));
    let empty = with(read.clone(), json!({ READER.to_string(): { "state": {} } })).unwrap();
    assert_eq!(empty, json!(word(0)));
    let code =
        with(read.clone(), json!({ READER.to_string(): { "code": "0x602a60005260206000f3" } })).unwrap();
    assert_eq!(code, json!(word(42)));
    let pay = json!({ "from": poor, "to": STORE, "value": "0x1", "data": word(1) });
    assert!(with(pay.clone(), json!({})).is_err());
    let rich = with(pay, json!({ poor.to_string(): { "balance": "0x1" } })).unwrap();
    assert_eq!(rich, json!(word(1)));
    let both = json!({ READER.to_string(): { "state": {}, "stateDiff": {} } });
    let error = with(read, both).unwrap_err();
    assert_eq!(error.message, format!("account {READER} has both 'state' and 'stateDiff'"));
    assert_eq!(chain.ok("eth_call", json!([{ "to": READER }])), json!(word(7)), "nothing stays");
}

#[test]
fn a_precompile_answers_where_it_was_moved_to() {
    let chain = Chain::new();
    let (identity, there) =
        ("0x0000000000000000000000000000000000000004", "0x00000000000000000000000000000000000b0b0b");
    let with = |to: &str, state: Value| {
        chain.call("eth_call", json!([{ "to": to, "data": "0xabcd" }, "latest", state]))
    };
    let moved = json!({ identity: { "movePrecompileToAddress": there } });
    assert_eq!(with(there, moved.clone()).unwrap(), json!("0xabcd"));
    assert_eq!(with(identity, moved).unwrap(), json!("0x"));
    assert_eq!(with(identity, json!({})).unwrap(), json!("0xabcd"));
    let own = with(there, json!({ identity: { "movePrecompileToAddress": identity } })).unwrap_err();
    assert_eq!(own.code, -38022);
    let sha = "0x0000000000000000000000000000000000000002";
    let twice =
        json!({ identity: { "movePrecompileToAddress": there }, sha: { "movePrecompileToAddress": there } });
    assert_eq!(with(there, twice).unwrap_err().code, -38023);
    let no_precompile = json!({ READER.to_string(): { "movePrecompileToAddress": there } });
    assert_eq!(
        with(there, no_precompile).unwrap_err().message,
        format!("account {READER} is not a precompile")
    );
}

#[test]
fn a_failing_inner_call_does_not_fail_the_outer_one() {
    let chain = Chain::new();
    let from = chain.keys[0].address();
    assert_eq!(
        chain.ok("eth_call", json!([{ "from": from, "to": OUTER, "value": "0x3", "data": word(1) }])),
        json!("0x")
    );
    assert_eq!(chain.ok("eth_getBalance", json!([from])), json!(format!("{FUNDS:#x}")));
}
