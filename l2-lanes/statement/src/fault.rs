//! What can be wrong with a statement.

use alloy_primitives::{Address, B256, U256};

/// Why a statement is refused. Each says where and what; nothing of a refused statement is to be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More bytes than are read.
    #[error("the file is longer than {most} bytes, the most that a statement has")]
    TooLong {
        /// The most.
        most: usize,
    },
    /// Not the JSON of a statement.
    #[error("not a whole statement: {0}")]
    Malformed(String),
    /// Another format.
    #[error("the file says that its format is {found:?}; this build reads {expected:?}")]
    Format {
        /// What it says.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// The header's bytes are none.
    #[error("the block header in the file is none: {0}")]
    Header(String),
    /// The header is another than the one that is trusted.
    #[error(
        "the statement is proven against block {number}, {found}, which is not the trusted block {trusted}: it is of another block or another chain"
    )]
    OtherHeader {
        /// The header's height.
        number: u64,
        /// Its hash.
        found: B256,
        /// The trusted one.
        trusted: B256,
    },
    /// A trie's node is not in the file.
    #[error("the proof of {what} is cut: no node {node} is in the file")]
    NodeMissing {
        /// Of what.
        what: What,
        /// Hash of the node.
        node: B256,
    },
    /// A trie's node is none.
    #[error("the proof of {what} has a node {node} that is no node of a trie")]
    NodeMalformed {
        /// Of what.
        what: What,
        /// Hash of the node.
        node: B256,
    },
    /// The state has no such contract.
    #[error("the block's state has no contract at {0}: it is of another chain")]
    NoContract(Address),
    /// Something within the evidence that cannot be.
    #[error("{place}: {why}")]
    Evidence {
        /// Where in the file.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// What the evidence lists is not what the ledger received.
    #[error(
        "{place}: the ledger received {received} by this route and the file accounts for {listed}: something is left out or listed twice"
    )]
    Unexplained {
        /// Where in the file.
        place: String,
        /// By the state, minor units.
        received: u128,
        /// By the evidence.
        listed: u128,
    },
    /// A number that does not follow from the evidence.
    #[error("{place} is {found} in the file, and {proven} by the proofs")]
    Differs {
        /// Where in the file.
        place: String,
        /// What it says.
        found: String,
        /// What follows.
        proven: String,
    },
}

/// What a proof is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An account.
    Account(Address),
    /// A slot of a contract.
    Slot(Address, U256),
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(address) => write!(f, "account {address}"),
            Self::Slot(address, slot) => write!(f, "slot {slot:#x} of {address}"),
        }
    }
}

impl Fault {
    /// Something within the evidence that cannot be.
    pub(crate) fn evidence(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Evidence { place: place.into(), why: why.into() }
    }

    /// Whether the bytes are no statement at all, rather than one that does not hold.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::Malformed(_) | Self::Format { .. })
    }
}
