//! A block, its entries and its receipts.

use std::sync::Arc;

use alloy_consensus::{
    Eip658Value, Header, Receipt as LogReceipt, ReceiptEnvelope, ReceiptWithBloom, TxType,
    proofs::{calculate_receipt_root, calculate_transaction_root},
};
use alloy_primitives::{B256, Bloom, Log};

use crate::{header::Additions, tx::Tx};

/// A block with recovered transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// keccak256 of the RLP header: the Ethereum block hash and the application hash.
    pub hash: B256,
    /// The Ethereum header.
    pub header: Header,
    /// What consensus adds in entry 0.
    pub additions: Additions,
    /// The transactions in order.
    pub txs: Vec<Arc<Tx>>,
}

/// What a transaction left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// EIP-2718 type.
    pub tx_type: TxType,
    /// False when execution reverted or halted.
    pub success: bool,
    /// Gas used by the block up to and including this transaction.
    pub cumulative_gas_used: u64,
    /// What contracts emitted, in order.
    pub logs: Vec<Log>,
}

impl Block {
    /// Seals a header: computes the hash once.
    pub fn seal(header: Header, additions: Additions, txs: Vec<Arc<Tx>>) -> Self {
        Self { hash: header.hash_slow(), header, additions, txs }
    }

    /// Position in the chain; genesis is 0.
    pub fn height(&self) -> u64 {
        self.header.number
    }
}

impl Receipt {
    /// The consensus form, with its bloom computed.
    pub fn to_envelope(&self) -> ReceiptEnvelope {
        let receipt = LogReceipt {
            status: Eip658Value::Eip658(self.success),
            cumulative_gas_used: self.cumulative_gas_used,
            logs: self.logs.clone(),
        };
        ReceiptEnvelope::from_typed(self.tx_type, ReceiptWithBloom::from(receipt))
    }

    /// Bloom filter over the logs (Yellow Paper, section 4.3.1).
    pub fn bloom(&self) -> Bloom {
        self.logs.iter().collect()
    }
}

/// Root of the ordered trie of transactions.
pub fn transactions_root(txs: &[Arc<Tx>]) -> B256 {
    let envelopes: Vec<_> = txs.iter().map(|tx| tx.envelope()).collect();
    calculate_transaction_root(&envelopes)
}

/// Root of the ordered trie of receipts, and the block's bloom.
pub fn receipts_root(receipts: &[Receipt]) -> (B256, Bloom) {
    let envelopes: Vec<_> = receipts.iter().map(Receipt::to_envelope).collect();
    let mut bloom = Bloom::ZERO;
    for envelope in &envelopes {
        bloom |= *envelope.logs_bloom();
    }
    (calculate_receipt_root(&envelopes), bloom)
}
