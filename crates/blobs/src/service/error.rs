//! Why the service refuses. Each message says what can be done about it.

use chlom_crypto::kzg::{KzgError, Line, RecoverError};
use chlom_state::StateError;

use crate::{archive::ArchiveError, error::BlobError, meta::BlobId};

/// What went wrong, by who can mend it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    /// An upload without a byte.
    #[error("the body is empty: a blob needs at least one byte")]
    Empty,
    /// More bytes than a blob holds.
    #[error("the body has more than {most} bytes, which is what the largest blob holds; split it")]
    TooLarge {
        /// Bytes of the largest blob's payload.
        most: usize,
    },
    /// As many uploads as allowed are under way.
    #[error("{limit} uploads are under way, which is the most at a time; try again later")]
    Uploads {
        /// The most.
        limit: usize,
    },
    /// As many uploaded blobs as allowed wait for their publication.
    #[error(
        "{limit} uploaded blobs wait to be published, which is the most; publish them, or try again later"
    )]
    Unpublished {
        /// The most.
        limit: usize,
    },
    /// Another square is being rebuilt for a reader.
    #[error("another blob is being rebuilt; try again in a few seconds")]
    Rebuilding,
    /// Too few cells are left.
    #[error("blob {id} is lost here: {what}")]
    Lost {
        /// The blob.
        id: BlobId,
        /// What is missing.
        what: String,
        /// Whether exactly one smallest set that can be lost is missing: a cell of it more, and all can be rebuilt.
        smallest: bool,
    },
    /// Cells that were stored as verified contradict each other.
    #[error(
        "blob {id} cannot be rebuilt here: the cells of {line} contradict each other, so the disk or the memory is faulty"
    )]
    Contradiction {
        /// The blob.
        id: BlobId,
        /// Where.
        line: Line,
    },
    /// What is stored is not what the blob's commitments commit to.
    #[error(
        "what is stored of blob {id} is not what its commitments say ({cause}): the disk or the memory is faulty"
    )]
    Corrupt {
        /// The blob.
        id: BlobId,
        /// What is wrong.
        cause: KzgError,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopped,
    /// The arithmetic failed.
    #[error(transparent)]
    Kzg(KzgError),
    /// The archive refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What the archive gave back is another blob's, or nobody's.
    #[error(
        "what the archive holds as blob {id} is not that blob: somebody wrote to it; restore it from a copy"
    )]
    Forged {
        /// The blob.
        id: BlobId,
    },
    /// The chain's state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The system has no threads left.
    #[error("cannot start the threads that make cells: {cause}")]
    Threads {
        /// The system's answer.
        cause: String,
    },
}

impl From<KzgError> for ServiceError {
    fn from(error: KzgError) -> Self {
        match error {
            KzgError::Cancelled => Self::Stopped,
            other => Self::Kzg(other),
        }
    }
}

impl ServiceError {
    /// Why a square was not rebuilt.
    pub(super) fn of_recovery(id: BlobId, error: RecoverError) -> Self {
        match error {
            RecoverError::Unrecoverable(lost) => {
                Self::Lost { id, smallest: lost.smallest, what: lost.to_string() }
            }
            RecoverError::Contradiction(line) => Self::Contradiction { id, line },
            RecoverError::Kzg(error) => error.into(),
        }
    }

    /// What a check against the commitments said.
    pub(super) fn of_check(id: BlobId, cause: KzgError) -> Self {
        match cause {
            KzgError::Cancelled => Self::Stopped,
            cause => Self::Corrupt { id, cause },
        }
    }
}
