//! What can go wrong between a program and a node.

use alloy_primitives::B256;

use crate::{keystore::KeyError, revert::Revert};

/// Why a request had no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not an address that this client can speak to.
    #[error("{url}: {why}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No connection, or one that ended too early or took too long.
    #[error("no answer from {url}: {why}; does the node run there?")]
    Transport {
        /// Where.
        url: String,
        /// What happened.
        why: String,
    },
    /// An answer that is longer than any that was asked for.
    #[error("the answer from {url} has more than {most} bytes; ask for less at once")]
    TooLong {
        /// Where.
        url: String,
        /// The most that is read.
        most: u64,
    },
    /// An HTTP status that is no answer.
    #[error("{url} answers with HTTP status {status}")]
    Status {
        /// Where.
        url: String,
        /// The status.
        status: u16,
    },
    /// Something that is no JSON-RPC response to what was asked.
    #[error("{method}: the node's answer cannot be read: {why}")]
    Answer {
        /// What was asked.
        method: &'static str,
        /// Why not.
        why: String,
    },
    /// The node refuses.
    #[error("{method}: {message} (code {code})")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// What the node says.
        message: String,
    },
    /// A contract refuses.
    #[error("{what}: {revert}")]
    Revert {
        /// What was called.
        what: String,
        /// What the contract says.
        revert: Revert,
    },
    /// A transaction is in a block and failed there.
    #[error("{what}: transaction {hash} failed in block {height}")]
    Failed {
        /// What was called.
        what: String,
        /// The transaction.
        hash: B256,
        /// Its block.
        height: u64,
    },
    /// A transaction was sent and no block took it up in time. It may still be.
    #[error("transaction {hash} is in no block after {seconds} s; it may still get into one")]
    Late {
        /// The transaction.
        hash: B256,
        /// How long was waited.
        seconds: u64,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}
