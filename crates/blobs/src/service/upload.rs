//! A body on its way in. Upholds [DAM-9] and [DAM-10].

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use alloy_primitives::{Address, FixedBytes};
use chlom_chain::blobs::blob_id;
use chlom_crypto::kzg::{self, BlobHeader, DataRows, RowCommitments, RowCount};

use super::{BlobService, Inner, ServiceError, worker::Job};
use crate::{
    config::Step,
    error::BlobError,
    geometry::Geometry,
    layout::{self, HEAD},
    meta::{BlobId, BlobMeta, HEADER_BYTES},
};

/// Begins the names of files of uploads that are not acknowledged.
pub(super) const ARRIVING: &str = "upload-";

/// What is needed to publish a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its name.
    pub id: BlobId,
    /// The packed header.
    pub header: [u8; HEADER_BYTES],
    /// One commitment a row.
    pub commitments: Vec<[u8; 48]>,
}

/// A body that is arriving. Dropped before [`Upload::finish`], it leaves nothing.
pub struct Upload {
    inner: Arc<Inner>,
    file: File,
    path: PathBuf,
    bytes: usize,
    most: usize,
}

impl BlobService {
    /// Makes room for a body; `announced` is its length where it is known beforehand.
    ///
    /// # Errors
    /// [`ServiceError::Empty`], [`ServiceError::TooLarge`], [`ServiceError::Uploads`], [`ServiceError::Unpublished`], a fault of
    /// the disk.
    pub fn begin_upload(&self, announced: Option<u64>) -> Result<Upload, ServiceError> {
        let inner = &self.inner;
        let most = inner.largest();
        match announced {
            Some(0) => return Err(ServiceError::Empty),
            Some(bytes) if bytes > most as u64 => return Err(ServiceError::TooLarge { most }),
            _ => {}
        }
        inner.take_upload()?;
        let path = inner.work.join(format!("{ARRIVING}{}", inner.uploads.fetch_add(1, Relaxed)));
        match inner.disk().create(&path) {
            Ok(file) => Ok(Upload { inner: inner.clone(), file, path, bytes: 0, most }),
            Err(error) => {
                inner.return_upload();
                Err(error.into())
            }
        }
    }
}

impl Upload {
    /// Adds bytes.
    ///
    /// # Errors
    /// [`ServiceError::TooLarge`], a fault of the disk; drop the upload then.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), ServiceError> {
        let bytes = self.bytes.saturating_add(piece.len());
        if bytes > self.most {
            return Err(ServiceError::TooLarge { most: self.most });
        }
        self.inner.disk().write(Step::WriteUpload, &self.path, &self.file, piece, self.bytes as u64)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Bytes that have arrived.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether none have.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Commits to the body, makes the blob known and has its cells made. When it returns, nothing of that is lost any more,
    /// and [`BlobService::status`] tells how far it is. The body of a blob that is there already changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Empty`], [`ServiceError::Unpublished`], the store's quota, a fault of the disk. Nothing is stored then.
    pub fn finish(self, lane_id: Address, period: u32) -> Result<Accepted, ServiceError> {
        if self.is_empty() {
            return Err(ServiceError::Empty);
        }
        let inner = self.inner.clone();
        inner.disk().sync(Step::SyncUpload, &self.path, &self.file)?;
        let payload = read(&self.path)?;
        let rows = RowCount::for_payload(payload.len())?;
        let data = DataRows::from_payload(&payload, rows)?;
        drop(payload);
        let commitments = inner.pool.install(|| kzg::commit(&data, &inner.cancel))?;
        drop(data);
        let (header, accepted) = accept(lane_id, period, &commitments);
        let meta = BlobMeta {
            id: accepted.id,
            geometry: Geometry::new(rows.data() as u16)?,
            header: accepted.header,
            commitments: accepted.commitments.clone(),
            expires_at: inner.now().saturating_add(inner.config.unpublished_seconds),
        };
        debug_assert_eq!(commitments.check_header(&header), Ok(()));
        inner.acknowledge(&meta, &self.path)?;
        Ok(accepted)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // An acknowledged one has another name by now; what cannot be removed is removed at the next start.
        let _ = std::fs::remove_file(&self.path);
        self.inner.return_upload();
    }
}

fn accept(lane_id: Address, period: u32, commitments: &RowCommitments) -> (BlobHeader, Accepted) {
    let header = BlobHeader {
        lane_id,
        period,
        rows: commitments.rows(),
        kzg_commitment: commitments.fold(),
        merkle_root: commitments.merkle_root(),
    };
    let id = blob_id(&FixedBytes(lane_id.into_array()), period, &header.merkle_root);
    let accepted = Accepted { id, header: header.encode(), commitments: commitments.as_slice().to_vec() };
    (header, accepted)
}

/// Reads a body; it is as long as the largest blob at most.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, BlobError> {
    std::fs::read(path).map_err(BlobError::io("read", path))
}

impl Inner {
    /// Payload bytes of the largest blob.
    pub(super) fn largest(&self) -> usize {
        RowCount::new(self.config.max_rows).map_or(0, RowCount::capacity)
    }

    fn take_upload(&self) -> Result<(), ServiceError> {
        let mut state = self.state.lock();
        if state.stopping {
            return Err(ServiceError::Stopped);
        }
        if state.uploads >= self.config.uploads {
            return Err(ServiceError::Uploads { limit: self.config.uploads });
        }
        if state.unpublished.len() >= self.config.unpublished {
            return Err(ServiceError::Unpublished { limit: self.config.unpublished });
        }
        state.uploads += 1;
        Ok(())
    }

    fn return_upload(&self) {
        let mut state = self.state.lock();
        state.uploads = state.uploads.saturating_sub(1);
    }

    /// Where a blob's body waits for its cells.
    pub(super) fn body(&self, id: &BlobId) -> PathBuf {
        self.work.join(hex::encode(id))
    }

    /// Gives the body its name and makes the blob known, in this order: a body without a blob is removed at the next start.
    fn acknowledge(&self, meta: &BlobMeta, arrived: &Path) -> Result<(), ServiceError> {
        let _one_at_a_time = self.acknowledging.lock();
        if self.state.lock().is_held_or_busy(&meta.id) {
            return Ok(()); // There, or soon.
        }
        let known = self.store.contains(&meta.id);
        if !known {
            self.take_unpublished()?;
            self.room(meta.geometry)?;
        }
        let body = self.body(&meta.id);
        self.disk().rename(arrived, &body)?;
        let stored = self.disk().sync_directory(&self.work).and_then(|()| self.store.create(meta));
        if let Err(error) = stored {
            let _ = std::fs::remove_file(&body);
            return Err(error.into());
        }
        let mut state = self.state.lock();
        if !known {
            state.unpublished.insert(meta.id);
        }
        state.push(Job::Build(meta.id));
        self.wake.notify_all();
        Ok(())
    }

    fn take_unpublished(&self) -> Result<(), ServiceError> {
        let state = self.state.lock();
        if state.unpublished.len() >= self.config.unpublished {
            return Err(ServiceError::Unpublished { limit: self.config.unpublished });
        }
        if state.stopping { Err(ServiceError::Stopped) } else { Ok(()) }
    }

    /// Refuses a blob whose cells the quota has no room for, before anything is made.
    fn room(&self, geometry: Geometry) -> Result<(), BlobError> {
        let stats = self.store.stats();
        let (needed, used, quota) =
            (HEAD + layout::charged(geometry.cells()), stats.used_bytes, stats.quota_bytes);
        if used.saturating_add(needed) > quota {
            return Err(BlobError::Quota { needed, used, quota });
        }
        Ok(())
    }
}
