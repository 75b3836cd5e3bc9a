//! Point reads: tags, history, what does not exist, proofs.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{Nibbles, proof::verify_proof};
use chlom_store::{History, StoreConfig};
use serde_json::{Value, json};

use super::{
    chain::{Chain, word},
    contracts::{READER, STORE},
};
use crate::Limits;

fn balance(chain: &Chain, of: Address, block: Value) -> Value {
    chain.ok("eth_getBalance", json!([of, block]))
}

#[test]
fn every_name_of_a_block_finds_its_state() {
    let chain = Chain::new();
    let to = Address::repeat_byte(9);
    let first = chain.mine(vec![chain.legacy(0, 0, to, 5)]);
    chain.mine(vec![chain.legacy(0, 1, to, 6)]);
    assert_eq!(balance(&chain, to, json!("earliest")), json!("0x0"));
    assert_eq!(balance(&chain, to, json!("0x1")), json!("0x5"));
    assert_eq!(balance(&chain, to, json!(first.hash)), json!("0x5"));
    assert_eq!(
        balance(&chain, to, json!({ "blockHash": first.hash, "requireCanonical": true })),
        json!("0x5")
    );
    assert_eq!(balance(&chain, to, json!({ "blockNumber": "0x1" })), json!("0x5"));
    for tag in ["latest", "safe", "finalized", "pending"] {
        assert_eq!(balance(&chain, to, json!(tag)), json!("0xb"), "{tag}");
    }
    assert_eq!(chain.ok("eth_getBalance", json!([to])), json!("0xb"));
    assert_eq!(chain.ok("eth_blockNumber", json!([])), json!("0x2"));
}

#[test]
fn state_of_blocks_that_do_not_exist_is_an_error_and_the_blocks_are_null() {
    let chain = Chain::new();
    let nowhere = B256::repeat_byte(0xee);
    for method in ["eth_getBalance", "eth_getCode", "eth_getTransactionCount"] {
        let (code, message) = chain.refused(method, json!([STORE, "0x1"]));
        assert_eq!((code, message.as_str()), (-32000, "header not found"));
        let (code, message) = chain.refused(method, json!([STORE, nowhere]));
        assert_eq!((code, message.as_str()), (-32000, "header for hash not found"));
    }
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x1", false])),
        ("eth_getBlockByHash", json!([nowhere, false])),
        ("eth_getBlockReceipts", json!(["0x1"])),
        ("eth_getBlockReceipts", json!([nowhere])),
        ("eth_getBlockTransactionCountByHash", json!([nowhere])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x1"])),
        ("eth_getUncleCountByBlockHash", json!([nowhere])),
        ("eth_getTransactionByHash", json!([nowhere])),
        ("eth_getTransactionReceipt", json!([nowhere])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x0", "0x0"])),
        ("eth_getUncleByBlockNumberAndIndex", json!(["0x0", "0x0"])),
    ] {
        assert_eq!(chain.ok(method, params), Value::Null, "{method}");
    }
    assert_eq!(chain.ok("eth_getUncleCountByBlockNumber", json!(["0x0"])), json!("0x0"));
    assert_eq!(chain.refused("eth_getBlockAccessList", json!(["latest"])).0, -32001);
}

#[test]
fn pruned_state_says_how_far_back_the_node_goes() {
    let store = StoreConfig { history: History::Heights(2), ..StoreConfig::memory() };
    let chain = Chain::with(store, Limits::default());
    for _ in 0..5 {
        chain.mine(Vec::new());
    }
    let (code, message) = chain.refused("eth_getBalance", json!([STORE, "0x1"]));
    assert_eq!(code, -32000);
    assert!(
        message.contains("block 1 was pruned") && message.contains("the oldest this node has is 3"),
        "{message}"
    );
    chain.ok("eth_getBalance", json!([STORE, "0x3"]));
    assert_eq!(chain.ok("eth_getBlockByNumber", json!(["0x1", false]))["number"], json!("0x1"));
    let capabilities = chain.ok("eth_capabilities", json!([]));
    assert_eq!(capabilities["state"]["oldestBlock"], json!("0x3"));
    assert_eq!(
        capabilities["state"]["deleteStrategy"],
        json!({ "type": "window", "retentionBlocks": "0x2" })
    );
    assert_eq!(capabilities["blocks"], json!({ "disabled": false, "oldestBlock": "0x0" }));
}

#[test]
fn storage_is_read_by_lenient_keys_one_or_many() {
    let chain = Chain::new();
    chain.mine(vec![chain.tx(0, 0, STORE, 0, word(77))]);
    let seven = format!("{:#066x}", 7);
    for key in ["0x0", "0x00", "0"] {
        assert_eq!(chain.ok("eth_getStorageAt", json!([READER, key, "latest"])), json!(seven));
    }
    let many = chain.ok(
        "eth_getStorageValues",
        json!([{ READER.to_string(): ["0x0", "0x1"], STORE.to_string(): ["0x0"] }]),
    );
    assert_eq!(many[format!("{READER:#x}")], json!([seven, format!("{:#066x}", 0)]));
    assert_eq!(many[format!("{STORE:#x}")], json!([format!("{:#066x}", 77)]));
    let before = chain.ok("eth_getStorageAt", json!([STORE, "0x0", "0x0"]));
    assert_eq!(before, json!(format!("{:#066x}", 0)));
    assert_eq!(chain.refused("eth_getStorageValues", json!([{}])), (-32602, "empty request".into()));
    let limits = Limits { proof_slots: 1, ..Limits::default() };
    let small = Chain::with(StoreConfig::memory(), limits);
    let request = json!([{ READER.to_string(): ["0x0", "0x1"] }]);
    assert_eq!(small.refused("eth_getStorageValues", request), (-38026, "too many slots (max 1)".into()));
}

#[test]
fn arguments_of_the_wrong_number_or_type_are_refused_as_geth_does() {
    let chain = Chain::new();
    for (method, params, message) in [
        ("eth_getBalance", json!([]), "missing value for required argument 0"),
        ("eth_getBalance", json!([STORE, "latest", 1]), "too many arguments, want at most 2"),
        ("eth_getBlockByNumber", json!(["latest"]), "missing value for required argument 1"),
        ("eth_chainId", json!([1]), "too many arguments, want at most 0"),
    ] {
        assert_eq!(chain.refused(method, params), (-32602, message.into()));
    }
    for params in [json!(["0x12"]), json!([5]), json!([STORE, "newest"]), json!([STORE, "0x01"])] {
        let (code, message) = chain.refused("eth_getBalance", params);
        assert_eq!(code, -32602);
        assert!(message.starts_with("invalid argument "), "{message}");
    }
}

#[test]
fn proofs_lead_from_the_header_to_the_values() {
    let chain = Chain::new();
    let block = chain.mine(vec![chain.tx(0, 0, STORE, 0, word(77))]);
    let nobody = Address::repeat_byte(0x77);
    for (address, slots) in
        [(STORE, vec!["0x0", "0x5"]), (nobody, vec!["0x0"]), (chain.keys[1].address(), vec![])]
    {
        let proof = chain.ok("eth_getProof", json!([address, slots, "latest"]));
        let account = check_account(&proof, address, block.header.state_root);
        for (slot, shown) in slots.iter().zip(proof["storageProof"].as_array().unwrap()) {
            assert_eq!(shown["key"], json!(slot));
            check_slot(shown, account);
        }
    }
    let full = chain.ok("eth_getProof", json!([STORE, [B256::ZERO], "latest"]));
    assert_eq!(full["storageProof"][0]["key"], json!(B256::ZERO));
    assert_eq!(full["storageProof"][0]["value"], json!("0x4d"));
    let limits = Limits { proof_slots: 1, ..Limits::default() };
    let small = Chain::with(StoreConfig::memory(), limits);
    let (code, message) = small.refused("eth_getProof", json!([STORE, ["0x0", "0x1"], "latest"]));
    assert_eq!((code, message.as_str()), (-32602, "too many storage keys requested (max 1, got 2)"));
}

fn nodes(value: &Value) -> Vec<Bytes> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Verifies an account's proof; its storage root.
fn check_account(proof: &Value, address: Address, state_root: B256) -> B256 {
    let field = |name: &str| proof[name].as_str().unwrap().to_owned();
    let quantity = |name: &str| field(name).parse::<U256>().unwrap();
    let (storage_hash, code_hash): (B256, B256) =
        (field("storageHash").parse().unwrap(), field("codeHash").parse().unwrap());
    let account = chlom_state::Account {
        nonce: quantity("nonce").to(),
        balance: quantity("balance"),
        storage_root: storage_hash,
        code_hash,
    };
    let expected = (!account.is_empty()).then(|| alloy_rlp::encode(account));
    let key = Nibbles::unpack(keccak256(address));
    verify_proof(state_root, key, expected, &nodes(&proof["accountProof"])).unwrap();
    storage_hash
}

fn check_slot(shown: &Value, root: B256) {
    let slot: U256 = shown["key"].as_str().unwrap().parse().unwrap();
    let value: U256 = shown["value"].as_str().unwrap().parse().unwrap();
    let expected = (!value.is_zero()).then(|| alloy_rlp::encode(value));
    let key = Nibbles::unpack(keccak256(slot.to_be_bytes::<32>()));
    verify_proof(root, key, expected, &nodes(&shown["proof"])).unwrap();
}

#[test]
fn the_node_tells_what_it_is() {
    let chain = Chain::new();
    chain.mine(Vec::new());
    assert_eq!(chain.ok("eth_chainId", json!([])), json!("0x1c68"));
    assert_eq!(chain.ok("eth_syncing", json!([])), json!(false));
    assert_eq!(chain.ok("eth_coinbase", json!([])), json!(format!("{:#x}", super::chain::PROPOSER)));
    let config = chain.ok("eth_config", json!([]));
    assert_eq!(config["current"]["chainId"], json!("0x1c68"));
    assert_eq!(config["current"]["forkId"].as_str().unwrap().len(), 10);
    assert_eq!((&config["next"], &config["last"]), (&Value::Null, &Value::Null));
    let history = "0x0000f90827f1c53a10cb7a02335b175320002935";
    assert_eq!(config["current"]["systemContracts"]["HISTORY_STORAGE_ADDRESS"], json!(history));
}
