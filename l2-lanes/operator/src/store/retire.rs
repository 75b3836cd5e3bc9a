//! What is kept no longer. Upholds [OPR-7].

use chlom_royalty::Period;

use super::{Lane, Store, StoreError, sql::params};

/// What a run of the retention job removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Of periods before this one.
    pub before: Period,
    /// Receipts whose contents were removed.
    pub receipts: u64,
}

impl Store {
    /// Removes the contents of all receipts of periods before `before`, and the blobs of their batches that are settled or void, and writes
    /// down that it did. Keys stay, so that no receipt is ever taken twice. `None` when there was nothing to remove.
    ///
    /// # Errors
    /// The database's.
    pub fn retire(&self, lane: &Lane, before: Period) -> Result<Option<Retired>, StoreError> {
        self.write(|tx| {
            let count = "SELECT count(*), CAST(coalesce(sum(receipts), 0) AS BIGINT) FROM chunks
                         WHERE lane = $1 AND period < $2 AND content IS NOT NULL";
            let row = tx.one(count, params![lane.number, before.code()])?;
            let (chunks, receipts, at) = (row.unsigned(0)?, row.unsigned(1)?, crate::now());
            if chunks == 0 {
                return Ok(None);
            }
            let empty = "UPDATE chunks SET content = NULL, waiting = 0
                         WHERE lane = $1 AND period < $2 AND content IS NOT NULL";
            tx.execute(empty, params![lane.number, before.code()])?;
            let blobs = "DELETE FROM blobs WHERE batch IN (SELECT id FROM batches
                         WHERE lane = $1 AND period < $2 AND state IN ('settled', 'void'))";
            tx.execute(blobs, params![lane.number, before.code()])?;
            let id = tx.numbers("retention", 1)?;
            let record = "INSERT INTO retention (id, lane, at, before, chunks, receipts) VALUES ($1, $2, $3, $4, $5, $6)";
            tx.execute(record, params![id, lane.number, at, before.code(), chunks, receipts])?;
            Ok(Some(Retired { at, before, receipts }))
        })
    }

    /// What was removed so far, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn retired(&self, lane: &Lane) -> Result<Vec<Retired>, StoreError> {
        let sql = "SELECT at, before, receipts FROM retention WHERE lane = $1 ORDER BY id";
        let rows = self.read(|tx| tx.query(sql, params![lane.number]))?;
        let of = |row: super::sql::Row| {
            let before = super::receipts::period_of(row.int(1)?)?;
            Ok(Retired { at: row.unsigned(0)?, before, receipts: row.unsigned(2)? })
        };
        rows.into_iter().map(of).collect()
    }
}
