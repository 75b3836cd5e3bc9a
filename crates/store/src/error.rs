//! Why the store refuses or fails. Each message says what an operator can do about it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::B256;
use chlom_state::StateError;

/// What went wrong, by who can mend it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the directory open.
    #[error("{path} is in use by another process; stop it, or choose another --data-dir")]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory holds something else than a store of CHLOM.
    #[error(
        "{path} is not a CHLOM data directory ({found}); choose an empty or new directory with --data-dir"
    )]
    Foreign {
        /// The data directory.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// A store of another layout.
    #[error(
        "{path} was written in store format {got}, this build reads format {want}; use the build that wrote it, or a new directory"
    )]
    Version {
        /// The data directory.
        path: PathBuf,
        /// Format found.
        got: String,
        /// Format of this build.
        want: u32,
    },
    /// What is stored contradicts itself or does not decode.
    #[error("{path} is damaged: {what}; restore it from a backup, or remove it and start anew")]
    Damaged {
        /// The data directory, or `memory`.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
    /// The operating system refused an operation on the directory itself.
    #[error("cannot {action} {path}: {cause}; check that the directory exists and belongs to this user")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The system's answer.
        cause: Arc<io::Error>,
    },
    /// A write did not succeed. Nothing of it is visible, and the store takes no more writes until it is opened again.
    #[error(
        "writing to {path} failed: {cause}; free disk space or mend the disk, then restart: acknowledged blocks are safe"
    )]
    WriteFailed {
        /// The data directory, or `memory`.
        path: PathBuf,
        /// The engine's answer.
        cause: String,
    },
    /// A read did not succeed.
    #[error("reading from {path} failed: {cause}; check the disk")]
    ReadFailed {
        /// The data directory, or `memory`.
        path: PathBuf,
        /// The engine's answer.
        cause: String,
    },
    /// The block does not follow the tip.
    #[error("block {height} with parent {parent} does not follow the tip {tip:?}")]
    NotNext {
        /// Height offered.
        height: u64,
        /// Parent hash offered.
        parent: B256,
        /// Height and hash of the present tip; `None` for an empty store, which takes height 0 only.
        tip: Option<(u64, B256)>,
    },
    /// State this old is not kept any more.
    #[error(
        "state at height {height} is pruned, the oldest kept is {oldest}; start with a longer --history to keep more"
    )]
    Pruned {
        /// Height asked for.
        height: u64,
        /// Oldest height that answers.
        oldest: u64,
    },
    /// Proofs this old are not made.
    #[error(
        "proofs go back to height {oldest}, {height} is older; start with a longer --proof-history to prove more"
    )]
    NoProof {
        /// Height asked for.
        height: u64,
        /// Oldest height that is proved.
        oldest: u64,
    },
    /// More changed since this height than a proof may take back.
    #[error(
        "more changed since height {height} than the {limit} bytes that a proof may take; ask for a newer height, or start with a larger --cache"
    )]
    TooMuchSince {
        /// Height asked for.
        height: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// The trie of an earlier height was not worked out by the deadline.
    #[error("the trie at height {height} was not worked out in time; ask for a newer height, or again later")]
    Expired {
        /// Height asked for.
        height: u64,
    },
    /// The height is not committed yet.
    #[error("height {height} is not committed yet, the tip is {tip:?}")]
    Future {
        /// Height asked for.
        height: u64,
        /// Present height; `None` for an empty store.
        tip: Option<u64>,
    },
    /// A fault met while reading state.
    #[error(transparent)]
    State(#[from] StateError),
}

impl StoreError {
    /// Says of which directory a fault of the state is.
    pub(crate) fn at(self, path: &Path) -> Self {
        match self {
            Self::State(StateError::Corrupt(what)) => Self::Damaged { path: path.into(), what },
            Self::State(StateError::Backend(cause)) => Self::ReadFailed { path: path.into(), cause },
            other => other,
        }
    }
}

/// A fault of the engine below, before the store says where it happened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KvError {
    #[error("another process has the files open")]
    Locked,
    #[error("{0}")]
    Engine(String),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<KvError> for StateError {
    fn from(error: KvError) -> Self {
        Self::Backend(error.to_string())
    }
}
