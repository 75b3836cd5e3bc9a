//! The archive: data of available blobs, for longer than the network keeps them. Upholds [DAM-14].

use alloy_primitives::FixedBytes;
use chlom_chain::blobs::blob_id;
use chlom_crypto::kzg::{self, BlobHeader, DataRows, RowCommitments};

use super::{Inner, ServiceError, read::Payload};
use crate::{
    archive::{Archive, ArchiveError, Restored},
    error::BlobError,
    meta::BlobId,
};

impl Inner {
    /// Archives a blob's data, unless all of its shards are there.
    pub(super) fn archive(&self, id: BlobId) -> Result<(), ServiceError> {
        let Some(archive) = &self.config.archive else { return Ok(()) };
        if wait(archive.has(&id))? {
            return Ok(());
        }
        let meta = self.store.meta(&id)?;
        let data = self.store.data_square(&id)?;
        let archived = wait(archive.put(&meta, data))?;
        tracing::info!(blob = %id, shards = archived.uploaded, "archived");
        Ok(())
    }

    /// A payload from the archive. What comes back may be anybody's: it is checked like a stranger's.
    pub(super) fn restore(&self, archive: &Archive, id: &BlobId) -> Result<Payload, ServiceError> {
        let restored = match wait(archive.restore(id)) {
            Ok(restored) => restored,
            Err(ServiceError::Archive(ArchiveError::Unknown { .. })) => {
                return Err(BlobError::Unknown { id: *id }.into());
            }
            Err(error) => return Err(error),
        };
        if !restored.damaged.is_empty() {
            tracing::warn!(blob = %id, damaged = ?restored.damaged, "shards of the archive are damaged; repair it");
        }
        let data = self.checked(id, &restored)?;
        let bytes = data.payload().map_err(|cause| ServiceError::of_check(*id, cause))?;
        Ok(Payload { meta: restored.meta, bytes, rebuilt: 0 })
    }

    /// The data, when header, commitments and data are those of the id.
    fn checked(&self, id: &BlobId, restored: &Restored) -> Result<DataRows, ServiceError> {
        let forged = || ServiceError::Forged { id: *id };
        let header = BlobHeader::decode(&restored.meta.header).map_err(|_| forged())?;
        let commitments = RowCommitments::new(restored.meta.commitments.clone()).map_err(|_| forged())?;
        commitments.check_header(&header).map_err(|_| forged())?;
        if blob_id(&FixedBytes(header.lane_id.into_array()), header.period, &header.merkle_root) != *id {
            return Err(forged());
        }
        let data = DataRows::from_elements(&restored.data, header.rows).map_err(|_| forged())?;
        self.pool
            .install(|| kzg::check_data(&commitments, &data, &self.cancel))
            .map_err(|cause| ServiceError::of_check(*id, cause))?;
        Ok(data)
    }
}

/// Runs the archive's work on this thread, which is none of an async runtime.
fn wait<T>(work: impl Future<Output = Result<T, ArchiveError>>) -> Result<T, ServiceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ServiceError::Threads { cause: error.to_string() })?;
    Ok(runtime.block_on(work)?)
}
