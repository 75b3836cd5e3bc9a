//! Answers have the shape of the OpenRPC document: alloy's types, which implement it, read them back to what went in.

use alloy_consensus::{Transaction as _, TxEip2930, TxEip7702, TxEnvelope};
use alloy_eips::{
    Decodable2718,
    eip2930::{AccessList, AccessListItem},
    eip7702::Authorization,
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy_rpc_types_eth::{Block, Log, Transaction, TransactionReceipt};
use chlom_primitives::Tx;
use serde_json::{Value, json};

use super::{
    chain::{Chain, FEE_CAP, FUNDS, PROPOSER, TIP, word},
    contracts::{OUTER, REVERTER, STORE, TOPIC},
};

fn list() -> AccessList {
    AccessList(vec![AccessListItem { address: STORE, storage_keys: vec![B256::ZERO] }])
}

/// One transaction of every type, a creation and a failure among them.
fn every_type(chain: &Chain) -> Vec<Tx> {
    let chain_id = chain.ctx.params.chain.evm_chain_id;
    let eip2930 = TxEip2930 {
        chain_id,
        nonce: 1,
        gas_price: FEE_CAP,
        gas_limit: 100_000,
        to: STORE.into(),
        value: U256::ZERO,
        access_list: list(),
        input: word(5),
    };
    let authorization = Authorization { chain_id: U256::from(chain_id), address: STORE, nonce: 0 };
    let signature = chain.keys[2].sign_hash(authorization.signature_hash());
    let eip7702 = TxEip7702 {
        chain_id,
        nonce: 2,
        gas_limit: 200_000,
        max_fee_per_gas: FEE_CAP,
        max_priority_fee_per_gas: TIP,
        to: chain.keys[2].address(),
        value: U256::ZERO,
        access_list: AccessList::default(),
        authorization_list: vec![authorization.into_signed(signature)],
        input: word(6),
    };
    vec![
        chain.legacy(0, 0, Address::repeat_byte(9), 1),
        chain.sign(0, eip2930.into()),
        chain.sign(0, eip7702.into()),
        chain.tx(0, 3, TxKind::Create, 0, Bytes::from_static(&[0x60, 0, 0x60, 0, 0xf3])),
        chain.tx(1, 0, OUTER, 3, word(7)),
        chain.tx(1, 1, REVERTER, 0, Bytes::new()),
    ]
}

#[test]
fn blocks_transactions_and_receipts_read_back_to_what_was_committed() {
    let chain = Chain::new();
    let committed = chain.mine(every_type(&chain));
    let answer = chain.ok("eth_getBlockByNumber", json!(["latest", true]));
    let block: Block = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(block.header.inner, committed.header);
    assert_eq!(block.header.hash, committed.hash);
    assert_eq!(block.withdrawals.map(|w| w.len()), Some(0));
    let rlp = chain.ok("debug_getRawBlock", json!(["latest"]));
    let size = (rlp.as_str().unwrap().len() - 2) / 2;
    assert_eq!(answer["size"], json!(format!("{size:#x}")));
    for (index, (tx, shown)) in committed.txs.iter().zip(block.transactions.txns()).enumerate() {
        assert_eq!(&shown.inner.inner().clone(), tx.envelope());
        assert_eq!(shown.inner.signer(), tx.sender());
        assert_eq!(shown.transaction_index, Some(index as u64));
        assert_eq!(shown.block_hash, Some(committed.hash));
        let alone = chain.ok("eth_getTransactionByHash", json!([tx.hash()]));
        assert_eq!(alone, answer["transactions"][index]);
        for (method, block) in [
            ("eth_getTransactionByBlockHashAndIndex", json!(committed.hash)),
            ("eth_getTransactionByBlockNumberAndIndex", json!("0x1")),
        ] {
            assert_eq!(chain.ok(method, json!([block, format!("{index:#x}")])), alone);
        }
    }
    let receipts = chain.ok("eth_getBlockReceipts", json!(["latest"]));
    check_receipts(&chain, &committed, &receipts);
}

fn check_receipts(chain: &Chain, committed: &chlom_primitives::Block, answer: &Value) {
    let receipts: Vec<TransactionReceipt> = serde_json::from_value(answer.clone()).unwrap();
    let stored = chain.ctx.store.receipts(committed.height()).unwrap().unwrap();
    let (mut used, mut logs) = (0, 0);
    for (index, (receipt, stored)) in receipts.iter().zip(stored.iter()).enumerate() {
        let tx = &committed.txs[index];
        used += receipt.gas_used;
        assert_eq!(used, stored.cumulative_gas_used);
        assert_eq!(receipt.inner.cumulative_gas_used(), used);
        assert_eq!(receipt.status(), stored.success);
        assert_eq!(receipt.transaction_type(), stored.tx_type);
        assert_eq!(receipt.inner.logs_bloom(), &stored.bloom());
        assert_eq!(receipt.from, tx.sender());
        assert_eq!(receipt.to, tx.envelope().to());
        assert_eq!(receipt.transaction_hash, tx.hash());
        let price = tx.envelope().effective_gas_price(committed.header.base_fee_per_gas);
        assert_eq!(receipt.effective_gas_price, price);
        for (log, stored) in receipt.logs().iter().zip(&stored.logs) {
            assert_eq!(&log.inner, stored);
            assert_eq!(log.log_index, Some(logs));
            assert_eq!(log.block_timestamp, Some(committed.header.timestamp));
            logs += 1;
        }
        let alone = chain.ok("eth_getTransactionReceipt", json!([tx.hash()]));
        assert_eq!(alone, answer[index]);
    }
    assert_eq!(logs, 4, "STORE twice, STORE and OUTER within OUTER");
    let created = committed.txs[3].sender().create(3);
    assert_eq!(receipts[3].contract_address, Some(created));
    assert!(!receipts[5].status());
}

#[test]
fn a_legacy_transfer_and_its_receipt_are_spelt_as_geth_spells_them() {
    let chain = Chain::new();
    let to = Address::repeat_byte(9);
    let tx = chain.legacy(0, 0, to, 1);
    let block = chain.mine(vec![tx.clone()]);
    let from = format!("{:#x}", chain.keys[0].address());
    let signature = tx.envelope().signature();
    let v = 7272 * 2 + 35 + u64::from(signature.v());
    let shown = chain.ok("eth_getTransactionByHash", json!([tx.hash()]));
    let expected = json!({
        "blockHash": block.hash, "blockNumber": "0x1", "blockTimestamp": format!("{:#x}", block.header.timestamp),
        "transactionIndex": "0x0", "from": from, "hash": tx.hash(), "type": "0x0", "nonce": "0x0", "gas": "0x5208",
        "to": format!("{to:#x}"), "value": "0x1", "input": "0x", "gasPrice": "0x2540be400", "chainId": "0x1c68",
        "v": format!("{v:#x}"), "r": format!("{:#x}", signature.r()), "s": format!("{:#x}", signature.s()),
    });
    assert_eq!(shown, expected);
    let receipt = chain.ok("eth_getTransactionReceipt", json!([tx.hash()]));
    let expected = json!({
        "blockHash": block.hash, "blockNumber": "0x1", "transactionIndex": "0x0", "from": from,
        "to": format!("{to:#x}"), "transactionHash": tx.hash(), "type": "0x0", "status": "0x1", "gasUsed": "0x5208",
        "cumulativeGasUsed": "0x5208", "effectiveGasPrice": "0x2540be400", "contractAddress": null, "logs": [],
        "logsBloom": format!("0x{}", "0".repeat(512)),
    });
    assert_eq!(receipt, expected);
}

#[test]
fn an_empty_block_is_spelt_as_geth_spells_it() {
    let chain = Chain::new();
    let block = chain.mine(Vec::new());
    let shown = chain.ok("eth_getBlockByHash", json!([block.hash, false]));
    let size = shown["size"].clone();
    let header = &block.header;
    let expected = json!({
        "number": "0x1", "hash": block.hash, "parentHash": header.parent_hash, "nonce": "0x0000000000000000",
        "mixHash": header.mix_hash, "logsBloom": format!("0x{}", "0".repeat(512)),
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "stateRoot": header.state_root, "miner": format!("{PROPOSER:#x}"), "difficulty": "0x0",
        "extraData": header.extra_data, "gasLimit": "0xbebc200", "gasUsed": "0x0",
        "timestamp": format!("{:#x}", header.timestamp),
        "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "baseFeePerGas": format!("{:#x}", header.base_fee_per_gas.unwrap()),
        "withdrawalsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "blobGasUsed": "0x0", "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": "0x0000000000000000000000000000000000000000000000000000000000000000",
        "requestsHash": "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "size": size, "transactions": [], "uncles": [], "withdrawals": [],
    });
    assert_eq!(shown, expected);
}

#[test]
fn raw_records_hash_to_what_the_header_says() {
    let chain = Chain::new();
    let block = chain.mine(every_type(&chain));
    let bytes = |answer: Value| serde_json::from_value::<Bytes>(answer).unwrap();
    let header = bytes(chain.ok("debug_getRawHeader", json!(["latest"])));
    assert_eq!(keccak256(&header), block.hash);
    for tx in &block.txs {
        let raw = bytes(chain.ok("debug_getRawTransaction", json!([tx.hash()])));
        let decoded = TxEnvelope::decode_2718(&mut raw.as_ref()).unwrap();
        assert_eq!(chlom_crypto::recover(&decoded).unwrap(), tx.sender());
        assert_eq!(bytes(chain.ok("eth_getRawTransactionByHash", json!([tx.hash()]))), raw);
    }
    let whole = bytes(chain.ok("debug_getRawBlock", json!([block.hash])));
    let decoded: alloy_consensus::Block<TxEnvelope> = alloy_rlp::decode_exact(&whole).unwrap();
    assert_eq!(decoded.header, block.header);
    assert_eq!(
        decoded.body.transactions,
        block.txs.iter().map(|tx| tx.envelope().clone()).collect::<Vec<_>>()
    );
    let receipts: Vec<Bytes> =
        serde_json::from_value(chain.ok("debug_getRawReceipts", json!(["latest"]))).unwrap();
    let envelopes: Vec<alloy_consensus::ReceiptEnvelope> =
        receipts.iter().map(|raw| Decodable2718::decode_2718(&mut raw.as_ref()).unwrap()).collect();
    assert_eq!(alloy_consensus::proofs::calculate_receipt_root(&envelopes), block.header.receipts_root);
    assert_eq!(chain.ok("debug_getBadBlocks", json!([])), json!([]));
}

#[test]
fn pending_transactions_have_no_place_and_the_pending_block_no_hash() {
    let chain = Chain::new();
    let tx = chain.tx(0, 0, STORE, 0, word(1));
    let state = chain.ctx.store.head().unwrap().state;
    chain.ctx.pool.add(std::sync::Arc::new(tx.clone()), &state).unwrap();
    let shown = chain.ok("eth_getTransactionByHash", json!([tx.hash()]));
    for name in ["blockHash", "blockNumber", "blockTimestamp", "transactionIndex"] {
        assert_eq!(shown[name], Value::Null, "{name}");
    }
    let read: Transaction = serde_json::from_value(shown.clone()).unwrap();
    assert_eq!(&read.inner.into_inner(), tx.envelope());
    let block = chain.ok("eth_getBlockByNumber", json!(["pending", true]));
    for name in ["hash", "nonce", "miner"] {
        assert_eq!(block[name], Value::Null, "{name}");
    }
    assert_eq!(block["number"], json!("0x1"));
    assert_eq!(block["transactions"], json!([shown]));
    let count = chain.ok("eth_getBlockTransactionCountByNumber", json!(["pending"]));
    assert_eq!(count, json!("0x1"));
    let nonce = |tag| chain.ok("eth_getTransactionCount", json!([chain.keys[0].address(), tag]));
    assert_eq!((nonce("latest"), nonce("pending")), (json!("0x0"), json!("0x1")));
    assert_eq!(chain.ok("eth_getTransactionReceipt", json!([tx.hash()])), Value::Null);
}

#[test]
fn logs_read_back_with_their_places() {
    let chain = Chain::new();
    let block = chain.mine(every_type(&chain));
    let answer = chain.ok("eth_getLogs", json!([{ "address": STORE, "topics": [TOPIC] }]));
    let logs: Vec<Log> = serde_json::from_value(answer).unwrap();
    // The delegated account logs as itself.
    assert_eq!(logs.iter().map(|log| log.log_index.unwrap()).collect::<Vec<_>>(), [0, 2]);
    for log in &logs {
        assert_eq!(log.block_hash, Some(block.hash));
        assert_eq!(log.transaction_hash, Some(block.txs[log.transaction_index.unwrap() as usize].hash()));
        assert!(!log.removed);
    }
    assert_eq!(FUNDS, 1000 * 10u128.pow(18));
}
