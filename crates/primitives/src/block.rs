//! A block, its entries and its receipts.

use std::sync::Arc;

use alloy_consensus::{
    Eip658Value, Header, Receipt as LogReceipt, ReceiptEnvelope, ReceiptWithBloom, TxType,
};
use alloy_primitives::{B256, Bloom, Log};
use alloy_rlp::Encodable;

use crate::{header::Additions, list_root::list_root, tx::Tx};

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

    /// Appends the consensus form as EIP-2718 encodes it; `bloom` is [`Receipt::bloom`].
    fn put_consensus(&self, bloom: &Bloom, out: &mut Vec<u8>) {
        if self.tx_type != TxType::Legacy {
            out.push(self.tx_type as u8);
        }
        let payload_length =
            self.success.length() + self.cumulative_gas_used.length() + bloom.length() + self.logs.length();
        alloy_rlp::Header { list: true, payload_length }.encode(out);
        self.success.encode(out);
        self.cumulative_gas_used.encode(out);
        bloom.encode(out);
        self.logs.encode(out);
    }

    /// Bloom filter over the logs (Yellow Paper, section 4.3.1).
    pub fn bloom(&self) -> Bloom {
        self.logs.iter().collect()
    }
}

/// Root of the ordered trie of transactions.
pub fn transactions_root(txs: &[Arc<Tx>]) -> B256 {
    list_root(txs.len(), |at, out| out.extend_from_slice(txs[at].raw()))
}

/// Root of the ordered trie of receipts, and the block's bloom.
pub fn receipts_root(receipts: &[Receipt]) -> (B256, Bloom) {
    let blooms: Vec<Option<Bloom>> =
        receipts.iter().map(|receipt| (!receipt.logs.is_empty()).then(|| receipt.bloom())).collect();
    let root = list_root(receipts.len(), |at, out| {
        receipts[at].put_consensus(blooms[at].as_ref().unwrap_or(&Bloom::ZERO), out);
    });
    let mut bloom = Bloom::ZERO;
    for part in blooms.iter().flatten() {
        bloom |= *part;
    }
    (root, bloom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
    use alloy_eips::Encodable2718;
    use alloy_primitives::{Address, Bytes};
    use proptest::prelude::*;

    fn log() -> impl Strategy<Value = Log> {
        let topics = prop::collection::vec(any::<[u8; 32]>().prop_map(B256::from), 0..5);
        let data = prop::collection::vec(any::<u8>(), 0..80).prop_map(Bytes::from);
        (any::<[u8; 20]>(), topics, data)
            .prop_map(|(address, topics, data)| Log::new_unchecked(Address::from(address), topics, data))
    }

    fn receipt() -> impl Strategy<Value = Receipt> {
        let types = prop_oneof![
            Just(TxType::Legacy),
            Just(TxType::Eip2930),
            Just(TxType::Eip1559),
            Just(TxType::Eip7702)
        ];
        let logs = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(log(), 1..4)];
        (types, any::<bool>(), any::<u64>(), logs).prop_map(|(tx_type, success, gas, logs)| Receipt {
            tx_type,
            success,
            cumulative_gas_used: gas,
            logs,
        })
    }

    proptest! {
        #[test]
        fn receipts_root_and_bloom_are_those_of_their_envelopes(receipts in prop::collection::vec(receipt(), 0..300)) {
            let envelopes: Vec<_> = receipts.iter().map(Receipt::to_envelope).collect();
            for (receipt, envelope) in receipts.iter().zip(&envelopes) {
                let mut bytes = Vec::new();
                receipt.put_consensus(&receipt.bloom(), &mut bytes);
                prop_assert_eq!(bytes, envelope.encoded_2718());
            }
            let bloom = envelopes.iter().fold(Bloom::ZERO, |sum, envelope| sum | *envelope.logs_bloom());
            prop_assert_eq!(receipts_root(&receipts), (calculate_receipt_root(&envelopes), bloom));
        }
    }

    #[test]
    fn transactions_root_is_that_of_their_envelopes() {
        use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy};
        use alloy_primitives::{Signature, U256};

        let signature = Signature::new(U256::from(7), U256::from(9), true);
        let txs: Vec<Arc<Tx>> = (0..600)
            .map(|nonce| {
                let envelope = if nonce % 2 == 0 {
                    TxEnvelope::from(TxLegacy { nonce, ..Default::default() }.into_signed(signature))
                } else {
                    TxEnvelope::from(TxEip1559 { nonce, ..Default::default() }.into_signed(signature))
                };
                Arc::new(Tx::new(envelope, Address::ZERO))
            })
            .collect();
        for count in [0, 1, 2, 128, 129, 600] {
            let envelopes: Vec<_> = txs[..count].iter().map(|tx| tx.envelope().clone()).collect();
            assert_eq!(transactions_root(&txs[..count]), calculate_transaction_root(&envelopes));
        }
    }
}
