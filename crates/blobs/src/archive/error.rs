//! Why the archive refuses or fails.

use std::{path::PathBuf, sync::Arc};

use crate::{error::BlobError, meta::BlobId};

/// What went wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Numbers of shards that no code has.
    #[error("{data} data and {parity} parity shards: both must be 1 to 32")]
    BadSharding {
        /// Data shards.
        data: u8,
        /// Parity shards.
        parity: u8,
    },
    /// The folder cannot be used.
    #[error("cannot archive in {path}: {cause}; choose a folder that this user may write to")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        cause: String,
    },
    /// The configuration of an object store cannot be used.
    #[error("the archive's configuration is not usable: {what}")]
    Config {
        /// What is wrong, and what to do.
        what: String,
    },
    /// Not a data square.
    #[error("blob {id} has a data square of {want} bytes, {got} were given")]
    WrongSize {
        /// The blob.
        id: BlobId,
        /// Bytes given.
        got: usize,
        /// Bytes of its square.
        want: usize,
    },
    /// Not a blob.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// No shard of the blob is there.
    #[error("blob {id} is not in the archive")]
    Unknown {
        /// The blob.
        id: BlobId,
    },
    /// Too few shards are whole.
    #[error(
        "blob {id} cannot be restored: {good} whole shards of one body, {needed} are needed; damaged: {damaged:?}; look for copies of the lost shards"
    )]
    Lost {
        /// The blob.
        id: BlobId,
        /// Whole shards that agree with each other.
        good: usize,
        /// Shards needed.
        needed: usize,
        /// Shards that are there and do not match, with the reason.
        damaged: Vec<String>,
    },
    /// The object store refused.
    #[error("cannot {action} {location} in the archive: {cause}; check its configuration and try again")]
    Store {
        /// What was tried.
        action: &'static str,
        /// On which object.
        location: String,
        /// The object store's answer.
        cause: Arc<object_store::Error>,
    },
    /// The node stopped meanwhile.
    #[error("archiving was interrupted: {cause}; call it again")]
    Cancelled {
        /// Why.
        cause: String,
    },
}

impl ArchiveError {
    /// Whether the service answered and will answer the same again: no such bucket, a wrong key, no permission. Anything
    /// else may pass.
    pub fn is_refusal(&self) -> bool {
        use object_store::Error::{Generic, NotFound, PermissionDenied, Unauthenticated};
        let Self::Store { cause, .. } = self else { return matches!(self, Self::Config { .. }) };
        match cause.as_ref() {
            NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. } => true,
            // A list that fails comes as this, with the status in its text only.
            Generic { source, .. } => {
                let text = format!("{source:?}");
                ["status: 400", "status: 401", "status: 403", "status: 404"]
                    .iter()
                    .any(|status| text.contains(status))
            }
            _ => false,
        }
    }

    pub(crate) fn store(
        action: &'static str,
        location: &object_store::path::Path,
    ) -> impl FnOnce(object_store::Error) -> Self {
        let location = location.to_string();
        move |cause| Self::Store { action, location, cause: Arc::new(cause) }
    }
}
