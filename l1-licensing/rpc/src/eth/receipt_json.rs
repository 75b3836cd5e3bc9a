//! Receipts and logs as JSON.

use alloy_consensus::{Transaction, Typed2718};
use alloy_primitives::{B256, Log};
use chlom_primitives::{Block, Receipt};

use super::{json::Json, transaction_json::Place};

/// What a receipt alone does not tell: it depends on the receipts before it in the block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    /// Gas used by the block before this transaction.
    pub(crate) gas: u64,
    /// Logs of the block before this transaction.
    pub(crate) logs: u64,
}

impl Before {
    /// What stands before receipt `index`.
    pub(crate) fn at(receipts: &[Receipt], index: usize) -> Self {
        let earlier = &receipts[..index.min(receipts.len())];
        Self {
            gas: earlier.last().map_or(0, |receipt| receipt.cumulative_gas_used),
            logs: earlier.iter().map(|receipt| receipt.logs.len() as u64).sum(),
        }
    }

    /// What stands before the receipt after this one.
    pub(crate) fn after(self, receipt: &Receipt) -> Self {
        Self { gas: receipt.cumulative_gas_used, logs: self.logs + receipt.logs.len() as u64 }
    }
}

/// Writes a receipt object.
pub(crate) fn write_receipt(json: &mut Json, block: &Block, index: usize, receipt: &Receipt, before: Before) {
    let tx = &block.txs[index];
    let (envelope, place) = (tx.envelope(), Place::of(block, index));
    let hash = tx.hash();
    json.open_object();
    json.key("type").quantity(envelope.ty().into());
    json.key("transactionHash").hex(hash.as_slice());
    json.key("transactionIndex").quantity(place.index);
    json.key("blockHash").hex(place.block_hash.as_slice());
    json.key("blockNumber").quantity(place.height);
    json.key("from").hex(tx.sender().as_slice());
    match envelope.to() {
        Some(to) => {
            json.key("to").hex(to.as_slice());
            json.key("contractAddress").null();
        }
        None => {
            json.key("to").null();
            json.key("contractAddress").hex(tx.sender().create(envelope.nonce()).as_slice());
        }
    }
    json.key("status").quantity(receipt.success.into());
    json.key("gasUsed").quantity(receipt.cumulative_gas_used.saturating_sub(before.gas));
    json.key("cumulativeGasUsed").quantity(receipt.cumulative_gas_used);
    json.key("effectiveGasPrice").quantity128(envelope.effective_gas_price(Some(place.base_fee)));
    json.key("logsBloom").hex(receipt.bloom().as_slice());
    json.key("logs").open_array();
    for (offset, log) in receipt.logs.iter().enumerate() {
        json.item();
        write_log(json, log, &place, &hash, before.logs + offset as u64);
    }
    json.close_array();
    json.close_object();
}

/// Writes a log object.
pub(crate) fn write_log(json: &mut Json, log: &Log, place: &Place, transaction_hash: &B256, log_index: u64) {
    json.open_object();
    json.key("address").hex(log.address.as_slice());
    json.key("topics").open_array();
    for topic in log.topics() {
        json.item().hex(topic.as_slice());
    }
    json.close_array();
    json.key("data").hex(&log.data.data);
    json.key("blockNumber").quantity(place.height);
    json.key("transactionHash").hex(transaction_hash.as_slice());
    json.key("transactionIndex").quantity(place.index);
    json.key("blockHash").hex(place.block_hash.as_slice());
    json.key("blockTimestamp").quantity(place.timestamp);
    json.key("logIndex").quantity(log_index);
    json.key("removed").raw(b"false");
    json.close_object();
}
