//! What a validator's vote extension says.

use alloy_primitives::B256;
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use chlom_crypto::{ConsensusKey, ValidatorKey};
use chlom_primitives::votes::SignedExtension;

use super::sign_bytes::extension_sign_bytes;
use crate::blobs::attest::MOST_BLOBS;

/// Most bytes of an extension (ARCHITECTURE §4).
pub const MOST_BYTES: usize = 4_096;

/// What a validator attests with its precommit. No bytes at all say nothing; otherwise an RLP list [version, blobs].
/// Inclusion lists and the checkpoint's signature come with later versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoteExtension {
    /// Blobs whose part it holds and has verified, ascending, each once.
    pub blobs: Vec<B256>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Wire {
    version: u8,
    blobs: Vec<B256>,
}

/// Why bytes are no vote extension, or not this validator's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionError {
    /// Longer than an extension may be.
    #[error("a vote extension of {got} bytes, at most {max}")]
    TooLong {
        /// Bytes found.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not canonical RLP of the expected shape.
    #[error("a vote extension is not canonical RLP")]
    Rlp,
    /// A version that this build does not know.
    #[error("a vote extension of version {got}, this build reads version {want}")]
    Version {
        /// Version found.
        got: u8,
        /// Version read by this build.
        want: u8,
    },
    /// Too many blobs, or not strictly ascending.
    #[error("the blobs of a vote extension ascend and are at most {MOST_BLOBS}")]
    Blobs,
    /// The signature is not the validator's over these bytes at this height and round.
    #[error("the signature over a vote extension is not that of {key}")]
    Signature {
        /// Whose it should be.
        key: ConsensusKey,
    },
}

impl VoteExtension {
    /// The version that this build writes and reads.
    pub const VERSION: u8 = 1;

    /// An extension about these blobs, in any order; those beyond the most that it may name are left for the next.
    pub fn of(mut blobs: Vec<B256>) -> Self {
        blobs.sort_unstable();
        blobs.dedup();
        blobs.truncate(MOST_BLOBS);
        Self { blobs }
    }

    /// Canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        if self.blobs.is_empty() {
            return Vec::new();
        }
        let mut out = Vec::new();
        Wire { version: Self::VERSION, blobs: self.blobs.clone() }.encode(&mut out);
        out
    }

    /// Reads bytes and checks everything that needs no state. Upholds [VOT-1].
    ///
    /// # Errors
    /// See [`ExtensionError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ExtensionError> {
        if bytes.len() > MOST_BYTES {
            return Err(ExtensionError::TooLong { got: bytes.len(), max: MOST_BYTES });
        }
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut rest = bytes;
        let wire = Wire::decode(&mut rest).map_err(|_| ExtensionError::Rlp)?;
        if wire.version != Self::VERSION {
            return Err(ExtensionError::Version { got: wire.version, want: Self::VERSION });
        }
        let ascending = wire.blobs.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || wire.blobs.len() > MOST_BLOBS {
            return Err(ExtensionError::Blobs);
        }
        let extension = Self { blobs: wire.blobs };
        // One meaning has one encoding; this also refuses what follows the list, and a list that says nothing.
        if extension.encode() != bytes {
            return Err(ExtensionError::Rlp);
        }
        Ok(extension)
    }
}

/// Signs an extension as CometBFT does for a validator: for chains that are driven in process.
pub fn sign_extension(
    key: &ValidatorKey,
    chain_id: &str,
    height: u64,
    round: u32,
    extension: &VoteExtension,
) -> SignedExtension {
    let extension = extension.encode();
    let signature = key.sign(&extension_sign_bytes(chain_id, height, round, &extension));
    SignedExtension {
        consensus_key: key.consensus_key().into(),
        extension: extension.into(),
        signature: signature.into(),
    }
}

/// The one predicate of an extension: its bytes, and that the key signed them for this height and round. Upholds [VOT-2].
///
/// # Errors
/// See [`ExtensionError`].
pub fn verify_extension(
    chain_id: &str,
    height: u64,
    round: u32,
    key: &ConsensusKey,
    extension: &[u8],
    signature: &[u8; 64],
) -> Result<VoteExtension, ExtensionError> {
    let read = VoteExtension::decode(extension)?;
    let message = extension_sign_bytes(chain_id, height, round, extension);
    if !key.verify(&message, signature) {
        return Err(ExtensionError::Signature { key: *key });
    }
    Ok(read)
}
