//! Reading, by anyone.

use alloy_primitives::{B256, FixedBytes};
use chlom_module::{Load, ReaderStorage};
use chlom_primitives::address::DATA_AVAILABILITY;
use chlom_state::StateReader;

use super::state_key::{BLOBS, Facts, Times};

/// The module's storage in committed state, to be asked through [`BlobsRead`].
pub fn storage<S: StateReader + ?Sized>(reader: &S) -> ReaderStorage<'_, S> {
    ReaderStorage::new(reader, DATA_AVAILABILITY)
}

/// How a blob stands at a time. The numbers are the ABI's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobStatus {
    /// Never published.
    Unknown = 0,
    /// Published, not attested.
    Announced = 1,
    /// Attested, and not past its expiry.
    Available = 2,
    /// Past it.
    Expired = 3,
}

/// What the chain keeps of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRecord {
    /// Lane, period, rows.
    pub facts: Facts,
    /// Root over the rows' commitments.
    pub merkle_root: B256,
    /// Their fold.
    pub kzg_commitment: FixedBytes<48>,
    /// Heights and expiries.
    pub times: Times,
}

impl Times {
    /// How the blob stands at a second. Upholds [DAM-5].
    pub fn status(&self, time: u64) -> BlobStatus {
        if self.announced_at == 0 {
            BlobStatus::Unknown
        } else if self.expires_at > time {
            BlobStatus::Available
        } else if self.pending_expiry > time {
            BlobStatus::Announced
        } else {
            BlobStatus::Expired
        }
    }
}

/// What anyone may ask.
pub trait BlobsRead: Load {
    /// A blob; `None` when it was never published.
    ///
    /// # Errors
    /// Those of the storage.
    fn blob(&mut self, id: &B256) -> Result<Option<BlobRecord>, Self::Error> {
        let slots = BLOBS.entry(id);
        let times = slots.times.get(self)?;
        if times.announced_at == 0 {
            return Ok(None);
        }
        let mut kzg_commitment = [0; 48];
        let (head, tail) = kzg_commitment.split_at_mut(32);
        head.copy_from_slice(slots.commitment_head.get(self)?.as_slice());
        tail.copy_from_slice(&slots.commitment_tail.get(self)?.to_be_bytes());
        Ok(Some(BlobRecord {
            facts: slots.facts.get(self)?,
            merkle_root: slots.merkle_root.get(self)?,
            kzg_commitment: kzg_commitment.into(),
            times,
        }))
    }

    /// Its heights and expiries; zeros when it was never published.
    ///
    /// # Errors
    /// Those of the storage.
    fn blob_times(&mut self, id: &B256) -> Result<Times, Self::Error> {
        BLOBS.entry(id).times.get(self)
    }
}

impl<L: Load + ?Sized> BlobsRead for L {}
