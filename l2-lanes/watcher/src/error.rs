//! What can go wrong for a watcher.

use std::{io, path::PathBuf};

use alloy_primitives::B256;
use chlom_client::ClientError;

/// Why a watcher cannot go on, for now or at all.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// A node that does not answer, or a contract that refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The store's engine.
    #[error("the store in {path}: {why}")]
    Store {
        /// The directory.
        path: PathBuf,
        /// What the engine says.
        why: String,
    },
    /// A file of the store.
    #[error("cannot {action} {path}: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Another process has the store.
    #[error("{path} is in use by another watcher: each needs a directory of its own")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The store is about another chain.
    #[error(
        "{path} is about the chain with genesis {kept}, the node's has {found}: give another --dir or another --rpc"
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What the store says.
        kept: B256,
        /// What the node says.
        found: B256,
    },
    /// The store says something that this build never writes.
    #[error(
        "the store in {path} is damaged: {what}; move it away, and the watcher makes a new one from the chain"
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// Where.
        what: String,
    },
    /// The node contradicts itself, or another node.
    #[error("{url} cannot be trusted: {why}")]
    Lie {
        /// The node.
        url: String,
        /// What does not fit.
        why: String,
    },
    /// A blob that cannot be had, or is not the one that was committed to.
    #[error("the blob of batch {root}: {why}")]
    Blob {
        /// The batch.
        root: B256,
        /// What is wrong with it.
        why: String,
    },
    /// The system has no entropy for a salt.
    #[error("no entropy for a salt: {0}")]
    Entropy(String),
    /// A drill that cannot be held.
    #[error("{0}")]
    Drill(String),
}

impl WatchError {
    /// Whether trying again cannot help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Foreign { .. } | Self::Damaged { .. })
    }
}
