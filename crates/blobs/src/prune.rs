//! Blobs leave: because they expired, or because somebody says so.

use std::ops::Bound;

use crate::{blob::Blob, error::BlobError, meta::BlobId, store::BlobStore};

/// What a call to [`BlobStore::prune`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Blobs removed.
    pub removed: Vec<BlobId>,
    /// Bytes that they counted.
    pub bytes: u64,
    /// Whether more have expired: call again.
    pub more: bool,
}

impl BlobStore {
    /// Blobs that expire at `until` or before, the earliest first, at most `limit`; with their expiry.
    pub fn expiring(&self, until: u64, limit: usize) -> Vec<(u64, BlobId)> {
        let end = Bound::Included((until, BlobId::repeat_byte(0xff)));
        self.index.read().by_expiry.range((Bound::Unbounded, end)).take(limit).copied().collect()
    }

    /// Removes blobs whose expiry is `now` or before, the earliest first, at most `limit` in this call.
    ///
    /// # Errors
    /// A fault of the disk; what was removed before it is removed.
    pub fn prune(&self, now: u64, limit: usize) -> Result<Pruned, BlobError> {
        let mut pruned = Pruned::default();
        for _ in 0..limit {
            let _structure = self.structure.lock();
            let Some((_, id)) = self.expiring(now, 1).pop() else { break };
            pruned.bytes = pruned.bytes.saturating_add(self.remove_known(&*self.blob(&id)?)?);
            pruned.removed.push(id);
        }
        if !pruned.removed.is_empty() {
            self.shared.disk.sync_directory(&self.directory.blobs)?;
        }
        pruned.more = !self.expiring(now, 1).is_empty();
        Ok(pruned)
    }

    /// Removes a blob with all of its cells.
    ///
    /// # Errors
    /// [`BlobError::Unknown`]; a fault of the disk, after which the blob is there as before, or gone until the next start
    /// at least.
    pub fn remove(&self, id: &BlobId) -> Result<(), BlobError> {
        let _structure = self.structure.lock();
        self.remove_known(&*self.blob(id)?)?;
        self.shared.disk.sync_directory(&self.directory.blobs)
    }

    fn remove_known(&self, blob: &Blob) -> Result<u64, BlobError> {
        let bytes = blob.remove()?;
        let mut index = self.index.write();
        index.by_expiry.remove(&(blob.expires_at(), blob.id));
        index.blobs.remove(&blob.id);
        Ok(bytes)
    }
}
