//! The index of receipts: where a (source, id) already is, over all batches that were found right.
//!
//! A key is the first 16 bytes of keccak256(source ‖ id); the source binds the lane. A value says batch, page and place, and whoever
//! finds one looks at the record itself: two ids with one key are no double count.

use alloy_primitives::{B256, keccak256};

use super::Store;
use crate::WatchError;

/// Bytes of a key.
const KEY_BYTES: usize = 16;
/// Entries from which a sorted file of their own is made; fewer go through the journal.
const FILE_ENTRIES: usize = 4_096;

/// A key of the index.
pub type IdKey = [u8; KEY_BYTES];

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Order of the batch.
    pub order: u64,
    /// Record page.
    pub page: u32,
    /// Place on it.
    pub at: u16,
}

impl Location {
    const BYTES: usize = 14;

    fn encode(self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..8].copy_from_slice(&self.order.to_be_bytes());
        out[8..12].copy_from_slice(&self.page.to_be_bytes());
        out[12..].copy_from_slice(&self.at.to_be_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (order, rest) = bytes.split_first_chunk()?;
        let (page, rest) = rest.split_first_chunk()?;
        let at = <[u8; 2]>::try_from(rest).ok()?;
        let (order, page) = (u64::from_be_bytes(*order), u32::from_be_bytes(*page));
        Some(Self { order, page, at: u16::from_be_bytes(at) })
    }
}

/// The key of a receipt.
pub fn key_of(source: &B256, id: &str) -> IdKey {
    // A source has 32 bytes and an id 64 at most.
    let mut bytes = [0; 96];
    let id = &id.as_bytes()[..id.len().min(64)];
    bytes[..32].copy_from_slice(source.as_slice());
    bytes[32..32 + id.len()].copy_from_slice(id);
    let hash = keccak256(&bytes[..32 + id.len()]);
    let mut key = [0; KEY_BYTES];
    key.copy_from_slice(&hash[..KEY_BYTES]);
    key
}

impl Store {
    /// Where a receipt is.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn find_id(&self, key: &IdKey) -> Result<Option<Location>, WatchError> {
        let found = self.ids.get(key).map_err(|error| self.failed(&error))?;
        let location = |bytes: fjall::Slice| {
            Location::decode(&bytes).ok_or_else(|| self.damaged("an entry of the index".into()))
        };
        found.map(location).transpose()
    }

    /// Writes down where receipts are. Doing so again changes nothing, so a crash in between costs nothing. Upholds [WAT-4].
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn index(&self, mut entries: Vec<(IdKey, Location)>) -> Result<(), WatchError> {
        entries.sort_unstable();
        entries.dedup_by_key(|(key, _)| *key);
        if entries.len() < FILE_ENTRIES {
            let mut writes = self.writes();
            entries.iter().for_each(|(key, at)| writes.insert(&self.ids, *key, at.encode()));
            return self.commit(writes);
        }
        let load = || {
            let mut file = self.ids.start_ingestion()?;
            entries.iter().try_for_each(|(key, at)| file.write(*key, at.encode()))?;
            file.finish()
        };
        load().map_err(|error| self.failed(&error))
    }
}
