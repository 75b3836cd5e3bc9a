//! eth_createAccessList: what a transaction touches, without what is warm anyway.

use alloy_primitives::{Address, B256};
use serde_json::json;

use super::{
    chain::{Chain, word},
    contracts::{BURNER, GASSY, OUTER, READER, REVERTER, STORE},
};

#[test]
fn touched_slots_and_accounts_are_listed_and_the_list_works() {
    let chain = Chain::new();
    let from = chain.keys[0].address();
    let answer = chain.ok("eth_createAccessList", json!([{ "from": from, "to": OUTER, "data": word(1) }]));
    let expected = json!([
        { "address": format!("{STORE:#x}"), "storageKeys": [B256::ZERO] },
        { "address": format!("{REVERTER:#x}"), "storageKeys": [] },
    ]);
    assert_eq!(answer["accessList"], expected);
    assert!(answer.get("error").is_none());
    let with = json!({ "from": from, "to": OUTER, "data": word(1), "accessList": expected });
    let again = chain.ok("eth_createAccessList", json!([with]));
    assert_eq!(again, answer, "stable under itself");
}

#[test]
fn the_receiver_is_listed_only_for_its_storage() {
    let chain = Chain::new();
    let alone = chain.ok("eth_createAccessList", json!([{ "to": READER }]));
    assert_eq!(
        alone["accessList"],
        json!([{ "address": format!("{READER:#x}"), "storageKeys": [B256::ZERO] }])
    );
    let none = chain.ok("eth_createAccessList", json!([{ "to": Address::repeat_byte(9) }]));
    assert_eq!((&none["accessList"], &none["gasUsed"]), (&json!([]), &json!("0x5208")));
}

#[test]
fn slots_are_sorted() {
    let chain = Chain::new();
    let answer = chain.ok("eth_createAccessList", json!([{ "to": GASSY }]));
    let list = answer["accessList"].as_array().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["address"], json!(format!("{BURNER:#x}")));
    let keys: Vec<B256> = serde_json::from_value(list[0]["storageKeys"].clone()).unwrap();
    assert_eq!(keys, (1..=10u8).map(B256::with_last_byte).collect::<Vec<_>>());
}

#[test]
fn a_failing_transaction_still_has_a_list_and_says_why() {
    let chain = Chain::new();
    let answer = chain.ok("eth_createAccessList", json!([{ "to": REVERTER }]));
    assert_eq!(answer["error"], json!("execution reverted: not yours"));
    assert_eq!(answer["accessList"], json!([]));
}
