//! Batches of a lane that were made elsewhere: by another submitter, or with another database. They are in the outbox from the moment the
//! chain accepted them, so that they are settled like one's own, and their receipts are known by key, so that no batch of this
//! store has one of them again. Upholds [OPR-8].

use alloy_primitives::B256;
use chlom_royalty::Period;

use super::{
    Batch, BatchState, Lane, Store, StoreError,
    batches::{BATCH, batch_of},
    sql::params,
};

/// The first 16 bytes of keccak256(source ‖ id): nobody finds two receipts with one.
pub type ReceiptKey = [u8; 16];

/// Of the column `adopted`: which receipts it has is not known; is known.
const UNREAD: i64 = 1;
const READ: i64 = 2;
const KNOWN: &str =
    "SELECT id FROM batches WHERE root = $1 AND lane = $2 AND (adopted > 0 OR state <> 'void')";
/// Receipts that are looked up at once.
const AT_ONCE: usize = 10_000;

/// A batch of the lane that is in no outbox here.
#[derive(Clone, Copy, Debug)]
pub struct Adopted<'a> {
    /// The period.
    pub period: Period,
    /// Place among the lane's batches of its period.
    pub number: u32,
    /// The header, encoded.
    pub header: &'a [u8],
    /// Hash of the header.
    pub root: B256,
    /// How many receipts its header says that it has.
    pub receipts: u32,
    /// How far it is on chain.
    pub state: BatchState,
}

/// A receipt that an adopted batch has: its place among those that were asked for, and the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Place among the keys.
    pub at: usize,
    /// The batch's number in this store.
    pub batch: i64,
}

impl Store {
    /// Whether a batch with this root is in the outbox, adopted or not. One's own that was given up is not: if the chain has it all the
    /// same, it is to be adopted.
    ///
    /// # Errors
    /// The database's.
    pub fn has_batch(&self, lane: &Lane, root: B256) -> Result<bool, StoreError> {
        Ok(self.read(|tx| tx.first(KNOWN, params![root.as_slice(), lane.number]))?.is_some())
    }

    /// Puts a batch that was made elsewhere into the outbox, its receipts not known yet. Nothing when it is there.
    ///
    /// # Errors
    /// The database's.
    pub fn adopt(&self, lane: &Lane, batch: &Adopted<'_>) -> Result<(), StoreError> {
        self.write(|tx| {
            if tx.first(KNOWN, params![batch.root.as_slice(), lane.number])?.is_some() {
                return Ok(());
            }
            let (id, now) = (tx.numbers("batch", 1)?, crate::now());
            let sql = "INSERT INTO batches (id, lane, period, number, root, header, receipts, state, note, made, changed, adopted)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
            let Adopted { period, number, header, root, receipts, state } = *batch;
            let values = params![
                id, lane.number, period.code(), number, root.as_slice(), header, receipts, state.word(), "made elsewhere", now, now, UNREAD
            ];
            tx.execute(sql, values)?;
            Ok(())
        })
    }

    /// Adopted batches that are not void and whose receipts are not known yet, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn unread(&self, lane: &Lane) -> Result<Vec<Batch>, StoreError> {
        let sql = format!("{BATCH} WHERE lane = $1 AND adopted = $2 AND state <> 'void' ORDER BY id");
        let rows = self.read(|tx| tx.query(&sql, params![lane.number, UNREAD]))?;
        rows.into_iter().map(batch_of).collect()
    }

    /// Writes down what an adopted batch's blob says: the elements of its data rows, as far as they are needed to settle it, and which
    /// receipts it has.
    ///
    /// # Errors
    /// The database's.
    pub fn read_adopted(
        &self,
        lane: &Lane,
        batch: i64,
        elements: Option<&[u8]>,
        keys: &[ReceiptKey],
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            if let Some(elements) = elements {
                let sql = "INSERT INTO blobs (batch, elements) VALUES ($1, $2) ON CONFLICT DO NOTHING";
                tx.execute(sql, params![batch, elements])?;
            }
            tx.adopt(lane.number, batch, keys)?;
            let sql = "UPDATE batches SET adopted = $1, note = $2 WHERE id = $3";
            tx.execute(sql, params![READ, "made elsewhere", batch])?;
            Ok(())
        })
    }

    /// Which of these receipts an adopted batch has that is not void, in the order of the keys.
    ///
    /// # Errors
    /// The database's.
    pub fn known(&self, lane: &Lane, keys: &[ReceiptKey]) -> Result<Vec<Known>, StoreError> {
        let any = "SELECT id FROM batches WHERE lane = $1 AND adopted > 0 AND state <> 'void' LIMIT 1";
        if self.read(|tx| tx.first(any, params![lane.number]))?.is_none() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for (number, some) in keys.chunks(AT_ONCE).enumerate() {
            let found = self.read(|tx| tx.adopted(lane.number, some))?;
            let before = number.saturating_mul(AT_ONCE);
            all.extend(found.into_iter().map(|(at, batch)| Known { at: before.saturating_add(at), batch }));
        }
        Ok(all)
    }
}
