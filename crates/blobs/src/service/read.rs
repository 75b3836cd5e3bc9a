//! Bodies and cells for whoever asks. Upholds [DAM-12].

use std::time::Duration;

use chlom_crypto::kzg::{DataRows, RowCount};

use super::{BlobService, Inner, ServiceError, build, worker::Job};
use crate::{
    cell::{Cell, CellRead},
    error::BlobError,
    geometry::Position,
    meta::{BlobId, BlobMeta},
};

/// How long a reader waits while the square of another is rebuilt.
const PATIENCE: Duration = Duration::from_secs(3);

/// A body with the zeros behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Header and commitments.
    pub meta: BlobMeta,
    /// 1,984 bytes a data cell.
    pub bytes: Vec<u8>,
    /// Cells that were missing, data and parity; they are made again now.
    pub rebuilt: usize,
}

impl BlobService {
    /// A blob's payload; rebuilt from the other cells where data cells are missing, from the archive where there are none.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], [`ServiceError::Lost`] when too few cells are left, [`ServiceError::Rebuilding`], a fault of disk
    /// or memory.
    pub fn payload(&self, id: &BlobId) -> Result<Payload, ServiceError> {
        let inner = &self.inner;
        let meta = match (inner.store.meta(id), &inner.config.archive) {
            (Err(BlobError::Unknown { .. }), Some(archive)) => return inner.restore(archive, id),
            (found, _) => found?,
        };
        let (data, rebuilt) = match inner.store.data_square(id) {
            Ok(elements) => {
                let rows = RowCount::new(meta.geometry.rows().into())?;
                let data = DataRows::from_elements(&elements, rows);
                (data.map_err(|cause| ServiceError::of_check(*id, cause))?, 0)
            }
            Err(BlobError::Incomplete { .. }) => inner.rebuild_for_reader(&meta)?,
            Err(error) => return Err(error.into()),
        };
        let bytes = data.payload().map_err(|cause| ServiceError::of_check(*id, cause))?;
        Ok(Payload { meta, bytes, rebuilt })
    }

    /// Cells, in the order asked for; `None` where one is missing.
    ///
    /// # Errors
    /// As [`crate::BlobStore::get`].
    pub fn cells(&self, id: &BlobId, places: &[Position]) -> Result<Vec<Option<Cell>>, ServiceError> {
        let reads = self.inner.store.get(id, places)?;
        if reads.contains(&CellRead::Damaged) {
            self.inner.mend(id);
        }
        Ok(reads.into_iter().map(CellRead::found).collect())
    }

    /// Deletes cells, as a failing disk would; how many of them were there. They are made again when somebody asks for the
    /// payload and misses them, or after a restart.
    ///
    /// # Errors
    /// As [`crate::BlobStore::delete`].
    pub fn drop_cells(&self, id: &BlobId, places: &[Position]) -> Result<usize, ServiceError> {
        self.inner.state.lock().lost(id);
        Ok(self.inner.store.delete(id, places)?)
    }
}

impl Inner {
    fn rebuild_for_reader(&self, meta: &BlobMeta) -> Result<(DataRows, usize), ServiceError> {
        let Some(_one_at_a_time) = self.rebuilding.try_lock_for(PATIENCE) else {
            return Err(ServiceError::Rebuilding);
        };
        let before = self.store.presence(&meta.id)?.count();
        let square = self.rebuild(meta, &self.cancel)?;
        self.mend(&meta.id);
        Ok((build::data_of(&square)?, meta.geometry.cells() - before))
    }

    /// Has missing cells made again.
    pub(super) fn mend(&self, id: &BlobId) {
        let mut state = self.state.lock();
        state.lost(id);
        state.push(Job::Repair(*id));
        self.wake.notify_all();
    }
}
