//! What can be wrong with a journal, and what to do about it.

use std::{io, path::PathBuf, sync::Arc};

/// Why a journal does not open. Nothing on disk was changed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot {action} the transaction journal {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Another process holds the journal.
    #[error(
        "the transaction journal {path} is in use by another process; stop that one, or use another data directory"
    )]
    Locked {
        /// The journal.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{path} is not a transaction journal; move it away, and a new journal is begun")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Written by another version.
    #[error(
        "the transaction journal {path} has format {got}, this build reads {want}; start the version that wrote it and \
         let its transactions be included, or move the file away and lose those that still wait"
    )]
    Version {
        /// The journal.
        path: PathBuf,
        /// Format found.
        got: u32,
        /// Format of this build.
        want: u32,
    },
    /// Written for another chain.
    #[error(
        "the transaction journal {path} belongs to chain {got}, not to {want}; use another data directory"
    )]
    Chain {
        /// The journal.
        path: PathBuf,
        /// Chain id found.
        got: u64,
        /// This chain's.
        want: u64,
    },
    /// Bytes that were acknowledged are damaged.
    #[error(
        "the transaction journal {path} is damaged at byte {offset}, and not by a crash: data that was written later \
         follows. Check the disk and restore the file from a backup; or move it away and lose the transactions that \
         wait in it"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where the damage begins.
        offset: u64,
    },
}

/// A journal that could not write. The transactions of that group were not taken; the next attempt begins a new file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct JournalFailure {
    /// What was tried, and the operating system's answer.
    pub reason: Arc<str>,
}
