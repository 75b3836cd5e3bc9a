//! Why the store refuses or fails. Each message says what can be done about it.

use std::{io, path::PathBuf, sync::Arc};

use crate::{geometry::Position, meta::BlobId};

/// What went wrong, by who can mend it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BlobError {
    /// Another process has the directory open.
    #[error("{path} is in use by another process; stop it, or choose another directory for blobs")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds something else than blobs of CHLOM.
    #[error("{path} is not a CHLOM blob directory ({found}); choose an empty or new directory for blobs")]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// Blobs in another layout.
    #[error(
        "{path} was written in blob format {got}, this build reads format {want}; use the build that wrote it, or a new directory"
    )]
    Version {
        /// The directory.
        path: PathBuf,
        /// Format found.
        got: String,
        /// Format of this build.
        want: u32,
    },
    /// No space is left for a write. Nothing of it is visible.
    #[error(
        "cannot {action} {path}: {cause}; free disk space or lower the quota, then try again: nothing is half-stored"
    )]
    DiskFull {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        cause: Arc<io::Error>,
    },
    /// The operating system refused. A write that failed is not visible.
    #[error("cannot {action} {path}: {cause}; check the disk, and that the directory belongs to this user")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The system's answer.
        cause: Arc<io::Error>,
    },
    /// A blob's own records do not decode while it is open. Its cells are not trusted any more.
    #[error("{path} is damaged: {what}; restart the node, which sets it aside, and fetch the blob again")]
    Damaged {
        /// The blob's file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Storing would exceed the quota.
    #[error(
        "storing {needed} bytes more than the {used} in use would exceed the quota of {quota}; raise it, or prune"
    )]
    Quota {
        /// Bytes that the call would add.
        needed: u64,
        /// Bytes in use.
        used: u64,
        /// Most bytes allowed.
        quota: u64,
    },
    /// As many blobs as allowed are there.
    #[error("{limit} blobs are stored, which is the most allowed; prune, or raise the limit")]
    TooManyBlobs {
        /// Most blobs.
        limit: usize,
    },
    /// No blob of that name is there.
    #[error("blob {id} is not known here; announce it first, or fetch it from the archive")]
    Unknown {
        /// The name.
        id: BlobId,
    },
    /// A blob of that name is there with another header, size or commitments.
    #[error(
        "blob {id} is known with another header or other commitments; its name must be derived from its header"
    )]
    OtherBlob {
        /// The name.
        id: BlobId,
    },
    /// A number of rows that no blob has.
    #[error("a blob has 1, 2, 4, 8, 16 or 32 rows, not {rows}")]
    BadRows {
        /// Rows given.
        rows: u16,
    },
    /// Not one commitment a row.
    #[error("blob {id} came with {got} row commitments, it has {want} rows")]
    BadCommitments {
        /// The blob.
        id: BlobId,
        /// Commitments given.
        got: usize,
        /// Rows.
        want: usize,
    },
    /// A position outside of the blob.
    #[error("there is no cell at {at}: blob {id} has {rows} extended rows of 128 cells")]
    NoSuchCell {
        /// The blob.
        id: BlobId,
        /// The position.
        at: Position,
        /// Its extended rows.
        rows: u16,
    },
    /// A position twice in one call.
    #[error("the cell at {at} of blob {id} comes twice in one call")]
    Duplicate {
        /// The blob.
        id: BlobId,
        /// The position.
        at: Position,
    },
    /// Another cell is stored at the position. Two cells cannot both be proved there: one was never verified.
    #[error("another cell is stored at {at} of blob {id}; verify both, delete the wrong one")]
    OtherCell {
        /// The blob.
        id: BlobId,
        /// The position.
        at: Position,
    },
    /// More cells in one call than the largest blob has.
    #[error("{got} cells in one call, {limit} are the most")]
    BatchTooLarge {
        /// Cells given.
        got: usize,
        /// Most cells.
        limit: usize,
    },
    /// The data square is not whole.
    #[error(
        "{missing} data cells of blob {id} are missing, the first at {first}; rebuild them from their rows and columns"
    )]
    Incomplete {
        /// The blob.
        id: BlobId,
        /// How many are missing.
        missing: usize,
        /// The first one.
        first: Position,
    },
}

impl BlobError {
    /// Says what was tried on which file. A full disk, an exhausted user quota and a file-size limit are one thing to the
    /// operator.
    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |cause| {
            use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
            let full = matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge);
            let cause = Arc::new(cause);
            if full { Self::DiskFull { action, path, cause } } else { Self::Io { action, path, cause } }
        }
    }
}
