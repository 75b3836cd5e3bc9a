//! A signed transaction with its recovered sender and its exact bytes.

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::{Decodable2718, Encodable2718, eip7702::RecoveredAuthorization};
use alloy_primitives::{Address, B256, Bytes};

/// Largest encoded transaction that anything in CHLOM decodes: 128 KiB, the limit that Ethereum's pools share.
pub const MAX_TX_BYTES: usize = 128 * 1024;

/// A signed transaction whose sender is known. Recovery is the dearest part of a transfer, so it happens once, on
/// arrival, and travels with the transaction from then on. So do the authorities of its authorizations (EIP-7702), each as
/// dear as a sender.
#[derive(Clone, Debug)]
pub struct Tx {
    envelope: TxEnvelope,
    sender: Address,
    raw: Bytes,
    authorizations: Option<Box<[RecoveredAuthorization]>>,
}

/// What was recovered follows from the bytes, and whether it is at hand already makes no difference.
impl PartialEq for Tx {
    fn eq(&self, other: &Self) -> bool {
        self.sender == other.sender && self.raw == other.raw
    }
}

impl Eq for Tx {}

/// Why bytes are not a transaction that CHLOM takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TxDecodeError {
    /// The encoding is longer than [`MAX_TX_BYTES`].
    #[error("oversized data: transaction size {size}, limit {limit}")]
    TooLarge {
        /// Bytes received.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not a transaction of EIP-2718 or a legacy one.
    #[error("rlp: {0}")]
    Malformed(String),
    /// Blob transactions carry their data outside of CHLOM's blocks and are not taken.
    #[error("transaction type not supported")]
    UnsupportedType,
    /// Bytes follow the transaction.
    #[error("rlp: input contains more than one value")]
    TrailingBytes,
}

/// Decodes one signed transaction in its network form; takes legacy, EIP-2930, EIP-1559 and EIP-7702, refuses the rest
/// and anything after it. The sender is not recovered here. Upholds [BLK-4].
///
/// # Errors
/// See [`TxDecodeError`].
pub fn decode(raw: &[u8]) -> Result<TxEnvelope, TxDecodeError> {
    if raw.len() > MAX_TX_BYTES {
        return Err(TxDecodeError::TooLarge { size: raw.len(), limit: MAX_TX_BYTES });
    }
    let mut rest = raw;
    let envelope = TxEnvelope::decode_2718(&mut rest).map_err(|e| TxDecodeError::Malformed(e.to_string()))?;
    if !rest.is_empty() {
        return Err(TxDecodeError::TrailingBytes);
    }
    if envelope.is_eip4844() {
        return Err(TxDecodeError::UnsupportedType);
    }
    Ok(envelope)
}

impl Tx {
    /// Joins an envelope with the sender recovered from its signature. The caller vouches for `sender`
    /// (`chlom_crypto::recover` does it).
    pub fn new(envelope: TxEnvelope, sender: Address) -> Self {
        let raw = envelope.encoded_2718().into();
        Self::with_raw(envelope, sender, raw)
    }

    /// Like [`Tx::new`] for a caller that still holds the bytes which `envelope` was decoded from.
    pub fn with_raw(envelope: TxEnvelope, sender: Address, raw: Bytes) -> Self {
        Self { envelope, sender, raw, authorizations: None }
    }

    /// Adds the authorizations with their authorities, in order. The caller vouches for them, as for the sender.
    #[must_use]
    pub fn with_authorizations(mut self, recovered: Vec<RecoveredAuthorization>) -> Self {
        self.authorizations = Some(recovered.into());
        self
    }

    /// The authorizations with their authorities, in order; `None` where nobody has recovered them. A transaction of
    /// another type than EIP-7702 has none to recover.
    pub fn authorizations(&self) -> Option<&[RecoveredAuthorization]> {
        match &self.authorizations {
            Some(recovered) => Some(recovered),
            None if self.envelope.is_eip7702() => None,
            None => Some(&[]),
        }
    }

    /// The signed transaction.
    pub fn envelope(&self) -> &TxEnvelope {
        &self.envelope
    }

    /// The account that signed and pays.
    pub fn sender(&self) -> Address {
        self.sender
    }

    /// The EIP-2718 bytes.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// keccak256 of the EIP-2718 bytes.
    pub fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }

    /// The sender's nonce.
    pub fn nonce(&self) -> u64 {
        self.envelope.nonce()
    }

    /// What the proposer earns per gas at `base_fee`, in wei, or `None` where the fee cap is below it.
    pub fn effective_tip(&self, base_fee: u64) -> Option<u128> {
        self.envelope.effective_tip_per_gas(base_fee)
    }
}
