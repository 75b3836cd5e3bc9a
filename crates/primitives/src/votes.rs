//! Vote extensions as entry 0 carries them (ARCHITECTURE §4). What they say, and whether they hold, `chlom-chain` judges.

use alloy_primitives::{B256, Bytes, FixedBytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};

/// One validator's extension with CometBFT's signature over it.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SignedExtension {
    /// Ed25519 key of the validator.
    pub consensus_key: B256,
    /// What it says.
    pub extension: Bytes,
    /// Over CometBFT's canonical bytes of the extension, its height, its round and the chain's id.
    pub signature: FixedBytes<64>,
}

/// The extensions of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Evidence {
    /// The commit's round.
    pub round: u32,
    /// By consensus key, ascending, each once.
    pub extensions: Vec<SignedExtension>,
}

/// What consensus says of the last commit: its round, and who is flagged as having committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitFlags {
    /// The commit's round.
    pub round: u32,
    /// Keys of the validators that committed, in any order.
    pub committed: Vec<B256>,
}
