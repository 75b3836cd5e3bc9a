//! Headers and blocks as JSON and as Ethereum's RLP.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_primitives::B256;
use alloy_rlp::{Encodable, Header as RlpHeader};
use chlom_primitives::{Block, Tx};

use super::{
    json::Json,
    transaction_json::{Place, write_transaction},
};

/// The hash, nonce and miner of a block that does not exist yet are null, as geth has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// A block with this hash.
    Hash(B256),
    /// A preview.
    Pending,
}

/// Writes a block object without closing it, so that eth_simulateV1 can add its `calls`.
pub(crate) fn write_block_open(json: &mut Json, block: &Block, full: bool, sealed: Sealed) {
    json.open_object();
    write_header(json, &block.header, sealed);
    json.key("size").quantity(rlp_length(block) as u64);
    json.key("transactions").open_array();
    for (index, tx) in block.txs.iter().enumerate() {
        json.item();
        match (full, sealed) {
            (false, _) => json.hex(tx.hash().as_slice()),
            (true, Sealed::Pending) => write_transaction(json, tx, None),
            (true, Sealed::Hash(_)) => write_transaction(json, tx, Some(&Place::of(block, index))),
        }
    }
    json.close_array();
    json.key("uncles").raw(b"[]");
    json.key("withdrawals").raw(b"[]");
}

/// A block object.
pub(crate) fn block_json(block: &Block, full: bool) -> Json {
    let bytes = if full { 1024 + block.txs.len() * 900 } else { 2048 + block.txs.len() * 69 };
    let mut json = Json::with_capacity(bytes);
    write_block_open(&mut json, block, full, Sealed::Hash(block.hash));
    json.close_object();
    json
}

/// Writes a header's members.
pub(crate) fn write_header(json: &mut Json, header: &Header, sealed: Sealed) {
    json.key("number").quantity(header.number);
    match sealed {
        Sealed::Hash(hash) => {
            json.key("hash").hex(hash.as_slice());
            json.key("nonce").hex(header.nonce.as_slice());
            json.key("miner").hex(header.beneficiary.as_slice());
        }
        Sealed::Pending => {
            for name in ["hash", "nonce", "miner"] {
                json.key(name).null();
            }
        }
    }
    json.key("parentHash").hex(header.parent_hash.as_slice());
    json.key("mixHash").hex(header.mix_hash.as_slice());
    json.key("sha3Uncles").hex(header.ommers_hash.as_slice());
    json.key("logsBloom").hex(header.logs_bloom.as_slice());
    json.key("stateRoot").hex(header.state_root.as_slice());
    json.key("transactionsRoot").hex(header.transactions_root.as_slice());
    json.key("receiptsRoot").hex(header.receipts_root.as_slice());
    json.key("difficulty").quantity256(&header.difficulty);
    json.key("extraData").hex(&header.extra_data);
    json.key("gasLimit").quantity(header.gas_limit);
    json.key("gasUsed").quantity(header.gas_used);
    json.key("timestamp").quantity(header.timestamp);
    write_later_members(json, header);
}

/// Members that forks added; each is there when the header has it.
fn write_later_members(json: &mut Json, header: &Header) {
    if let Some(fee) = header.base_fee_per_gas {
        json.key("baseFeePerGas").quantity(fee);
    }
    if let Some(root) = header.withdrawals_root {
        json.key("withdrawalsRoot").hex(root.as_slice());
    }
    if let Some(gas) = header.blob_gas_used {
        json.key("blobGasUsed").quantity(gas);
    }
    if let Some(gas) = header.excess_blob_gas {
        json.key("excessBlobGas").quantity(gas);
    }
    if let Some(root) = header.parent_beacon_block_root {
        json.key("parentBeaconBlockRoot").hex(root.as_slice());
    }
    if let Some(hash) = header.requests_hash {
        json.key("requestsHash").hex(hash.as_slice());
    }
}

fn tx_length(tx: &Tx) -> usize {
    if tx.envelope().is_legacy() { tx.raw().len() } else { tx.raw().length() }
}

/// RLP lists of ommers and withdrawals, both always empty.
const EMPTY_LISTS: &[u8] = &[0xc0, 0xc0];

fn payload_lengths(block: &Block) -> (usize, usize) {
    let txs: usize = block.txs.iter().map(|tx| tx_length(tx)).sum();
    let list = RlpHeader { list: true, payload_length: txs }.length_with_payload();
    (txs, block.header.length() + list + EMPTY_LISTS.len())
}

/// Length of [`rlp`]; JSON-RPC's `size`.
pub(crate) fn rlp_length(block: &Block) -> usize {
    RlpHeader { list: true, payload_length: payload_lengths(block).1 }.length_with_payload()
}

/// The block as Ethereum encodes it: header, transactions, ommers, withdrawals.
pub(crate) fn rlp(block: &Block) -> Vec<u8> {
    debug_assert_eq!(block.header.ommers_hash, EMPTY_OMMER_ROOT_HASH, "no block has ommers");
    let (txs, all) = payload_lengths(block);
    let mut out = Vec::with_capacity(all + 9);
    RlpHeader { list: true, payload_length: all }.encode(&mut out);
    block.header.encode(&mut out);
    RlpHeader { list: true, payload_length: txs }.encode(&mut out);
    for tx in &block.txs {
        if tx.envelope().is_legacy() {
            out.extend_from_slice(tx.raw());
        } else {
            tx.raw().encode(&mut out);
        }
    }
    out.extend_from_slice(EMPTY_LISTS);
    out
}
