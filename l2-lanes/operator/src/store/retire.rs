//! What is kept no longer. Upholds [OPR-7].

use chlom_royalty::{Period, period::SUBMISSION_WINDOW};

use super::{Lane, Store, StoreError, engine::Transaction, sql::params};

/// Months for which contents are kept unless somebody says otherwise.
pub const MONTHS_KEPT: u64 = 24;
/// Seconds of a month, by the year of 365.2425 days.
const MONTH: u64 = 2_629_746;
const DAY: u64 = 86_400;

/// The first period whose contents are kept, at a time in seconds since 1970; `None` where there is no period so long ago. Months that
/// are fewer than a batch may take to come count as those.
pub fn kept_from(now: u64, months: u64) -> Option<Period> {
    let age = months.saturating_mul(MONTH).max(SUBMISSION_WINDOW);
    now.checked_sub(age).and_then(Period::containing)
}

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
        self.write(|tx| retire(tx, lane, before))
    }

    /// As [`Store::retire`] of what is older than so many months, unless any process of this store did so within the last day. Upholds
    /// [OPR-9].
    ///
    /// # Errors
    /// The database's.
    pub fn retire_daily(&self, lane: &Lane, now: u64, months: u64) -> Result<Option<Retired>, StoreError> {
        let Some(before) = kept_from(now, months) else { return Ok(None) };
        // A last look that is still to come was by a clock that went wrong.
        if self.retention_looked(lane)?.is_some_and(|last| last <= now && now < last.saturating_add(DAY)) {
            return Ok(None);
        }
        self.write(|tx| {
            let sql = "INSERT INTO notes (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            tx.execute(sql, params![note(lane), now.to_string()])?;
            retire(tx, lane, before)
        })
    }

    /// When [`Store::retire_daily`] looked last, in seconds since 1970.
    ///
    /// # Errors
    /// The database's.
    pub fn retention_looked(&self, lane: &Lane) -> Result<Option<u64>, StoreError> {
        let Some(text) = self.get_note(&note(lane))? else { return Ok(None) };
        text.parse().map(Some).map_err(StoreError::damaged)
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

/// Under what name a lane's last look is written down.
fn note(lane: &Lane) -> String {
    format!("retention of lane {}", lane.number)
}

fn retire(tx: &mut Transaction<'_>, lane: &Lane, before: Period) -> Result<Option<Retired>, StoreError> {
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
    let record =
        "INSERT INTO retention (id, lane, at, before, chunks, receipts) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(record, params![id, lane.number, at, before.code(), chunks, receipts])?;
    Ok(Some(Retired { at, before, receipts }))
}
