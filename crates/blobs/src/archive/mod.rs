//! Blobs for longer than the network keeps them: shards in an object store.
//!
//! Only the data square is archived, and with it header and commitments; the other three quarters of a blob follow from it
//! by extension. The square's bytes, row by row, are cut into k data shards and extended by m parity shards with a
//! Reed–Solomon code over GF(2⁸): any k of the k + m give it back, so that m lost or damaged shards lose nothing. Each shard
//! is an object of its own, `blobs/ID/K-of-N/INDEX`, describes itself and carries a SHA-256 checksum ([`shard`]).
//!
//! Checksums find damage, not forgery: whoever can write to the object store can write shards that match. What comes back is
//! therefore to be verified against the blob's commitments, as cells from a stranger are.
//!
//! [`Archive::put`] skips shards that are there in full size, so that an interrupted upload is resumed by calling it again;
//! objects appear whole or not at all, in a folder (written aside, made durable, renamed) as in S3. [`Archive::audit`] reads
//! every shard, [`Archive::repair`] writes those anew that are lost or damaged.
//!
//! Memory is bounded by the largest blob: 4 MiB of data, m/k of that in parity, and k shards while reading.

mod code;
pub mod error;
pub mod place;
pub mod s3;
pub mod shard;
mod transfer;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStore, local::LocalFileSystem};

pub use error::ArchiveError;
pub use place::ArchivePlace;
pub use shard::Sharding;

use crate::meta::{BlobId, BlobMeta};

/// What [`Archive::put`] did with the shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Shards written.
    pub uploaded: usize,
    /// Shards that were there.
    pub already: usize,
}

/// A blob's data from the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Header and commitments as they were archived; no expiry (`u64::MAX`).
    pub meta: BlobMeta,
    /// The data square, row by row. Verify it against the commitments.
    pub data: Vec<u8>,
    /// Shards that were read and do not match their checksum or this blob: time for [`Archive::repair`].
    pub damaged: Vec<String>,
}

/// The state of a blob's shards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Shards that are whole.
    pub good: Vec<u8>,
    /// Shards that are not there.
    pub missing: Vec<u8>,
    /// Shards that are there and do not match.
    pub damaged: Vec<u8>,
}

impl Audit {
    /// Whether every shard is whole.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.damaged.is_empty()
    }
}

/// An object store with blobs in it.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    sharding: Sharding,
}

impl Archive {
    /// In a folder, created when missing. One folder is one failure: put it on another disk than the blobs.
    ///
    /// # Errors
    /// [`ArchiveError::Folder`].
    pub fn folder(path: &Path, sharding: Sharding) -> Result<Self, ArchiveError> {
        let failed = |cause: String| ArchiveError::Folder { path: path.into(), cause };
        std::fs::create_dir_all(path).map_err(|error| failed(error.to_string()))?;
        let folder = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(error.to_string()))?;
        Ok(Self::new(Arc::new(folder.with_fsync(true)), sharding))
    }

    /// In any object store whose objects appear whole or not at all.
    pub fn new(store: Arc<dyn ObjectStore>, sharding: Sharding) -> Self {
        Self { store, sharding }
    }

    /// Asks whether the store can be used, before anything depends on it. One request.
    ///
    /// # Errors
    /// The store's answer; [`ArchiveError::is_refusal`] tells a wrong configuration from a service that is out.
    pub async fn check(&self) -> Result<(), ArchiveError> {
        self.list_one().await
    }

    /// Archives a blob: its data square, row by row, as [`crate::BlobStore::data_square`] gives it.
    ///
    /// # Errors
    /// [`ArchiveError::WrongSize`] and [`ArchiveError::Blob`] for what is no blob; a fault of the object store, after which
    /// another call goes on where this one stopped.
    pub async fn put(&self, meta: &BlobMeta, data: Vec<u8>) -> Result<Archived, ArchiveError> {
        let shards = self.encode(meta, data).await?;
        self.upload_missing(meta, shards).await
    }

    /// Whether every shard of a blob has its name there; what is in it, [`Archive::audit`] says.
    ///
    /// # Errors
    /// A fault of the object store.
    pub async fn has(&self, id: &BlobId) -> Result<bool, ArchiveError> {
        let own = self.shards_of(id).await?.into_iter().find(|(sharding, _)| *sharding == self.sharding);
        Ok(own.is_some_and(|(sharding, indices)| indices.len() == usize::from(sharding.total())))
    }

    /// A blob's data, from any k of its shards.
    ///
    /// # Errors
    /// [`ArchiveError::Unknown`], [`ArchiveError::Lost`], or a fault of the object store.
    pub async fn restore(&self, id: &BlobId) -> Result<Restored, ArchiveError> {
        let mut lost = None;
        for (sharding, indices) in self.shards_of(id).await? {
            match self.restore_sharding(id, sharding, indices).await {
                Err(error @ ArchiveError::Lost { .. }) => lost = Some(error),
                other => return other,
            }
        }
        Err(lost.unwrap_or(ArchiveError::Unknown { id: *id }))
    }

    /// Reads every shard of a blob, in this archive's sharding.
    ///
    /// # Errors
    /// A fault of the object store.
    pub async fn audit(&self, id: &BlobId) -> Result<Audit, ArchiveError> {
        let mut audit = Audit::default();
        for (index, fetched) in self.fetch(id, self.sharding, (0..self.sharding.total()).collect()).await? {
            match fetched {
                transfer::Fetched::Whole(..) => audit.good.push(index),
                transfer::Fetched::Missing => audit.missing.push(index),
                transfer::Fetched::Damaged(_) => audit.damaged.push(index),
            }
        }
        Ok(audit)
    }

    /// Writes shards anew that are lost or damaged, from those that are left; what it found before.
    ///
    /// # Errors
    /// As [`Archive::restore`].
    pub async fn repair(&self, id: &BlobId) -> Result<Audit, ArchiveError> {
        let audit = self.audit(id).await?;
        if !audit.is_whole() {
            let Restored { meta, data, .. } = self.restore(id).await?;
            let shards = self.encode(&meta, data).await?;
            let bad = audit.missing.iter().chain(&audit.damaged).copied().collect();
            self.upload(&meta, shards, bad).await?;
        }
        Ok(audit)
    }

    /// Removes every shard of a blob, whatever its sharding; how many.
    ///
    /// # Errors
    /// A fault of the object store; call it again.
    pub async fn remove(&self, id: &BlobId) -> Result<usize, ArchiveError> {
        self.delete_all(id).await
    }

    async fn encode(&self, meta: &BlobMeta, data: Vec<u8>) -> Result<Vec<Bytes>, ArchiveError> {
        meta.check()?;
        let (got, want) = (data.len(), meta.geometry.data_bytes());
        if got != want {
            return Err(ArchiveError::WrongSize { id: meta.id, got, want });
        }
        let sharding = self.sharding;
        // Milliseconds of arithmetic: off the threads that serve sockets.
        let encode = tokio::task::spawn_blocking(move || code::encode(sharding, data));
        encode.await.map_err(|error| ArchiveError::Cancelled { cause: error.to_string() })?
    }
}
