//! How much of what there is.

use chlom_royalty::Period;

use super::{
    BatchState, Lane, Store, StoreError,
    receipts::period_of,
    sql::{Row, params},
};

/// Receipts of a lane and period, by where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The period.
    pub period: Period,
    /// All that ever came.
    pub receipts: u64,
    /// Those that wait.
    pub waiting: u64,
    /// Those that are set aside.
    pub aside: u64,
    /// Those in batches, by the batches' state, void ones left out.
    pub batched: Vec<(BatchState, u64)>,
    /// Those whose contents are kept no longer.
    pub retired: u64,
}

/// One run of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its number.
    pub id: i64,
    /// What was read, by name.
    pub file: String,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// When it ended; `None` while it runs, or when it was stopped: run again, it goes on where it was.
    pub ended: Option<u64>,
    /// New receipts.
    pub accepted: u64,
    /// Receipts that had been there.
    pub known: u64,
    /// What was refused.
    pub refused: u64,
}

impl Store {
    /// Receipts by period, the earliest first.
    ///
    /// # Errors
    /// The database's.
    pub fn counts(&self, lane: &Lane) -> Result<Vec<Count>, StoreError> {
        self.read(|tx| {
            let chunks = "SELECT period, CAST(sum(receipts) AS BIGINT), CAST(sum(waiting) AS BIGINT),
                          CAST(sum(CASE WHEN content IS NULL THEN receipts ELSE 0 END) AS BIGINT)
                          FROM chunks WHERE lane = $1 GROUP BY period ORDER BY period";
            let asides =
                "SELECT period, CAST(sum(receipts) AS BIGINT) FROM asides WHERE lane = $1 GROUP BY period";
            let batches = "SELECT period, state, CAST(sum(receipts) AS BIGINT) FROM batches
                           WHERE lane = $1 AND adopted = 0 AND state <> 'void' GROUP BY period, state";
            let mut counts: Vec<Count> =
                tx.query(chunks, params![lane.number])?.iter().map(count_of).collect::<Result<_, _>>()?;
            for row in tx.query(asides, params![lane.number])? {
                let period = period_of(row.int(0)?)?;
                if let Some(count) = counts.iter_mut().find(|count| count.period == period) {
                    count.aside = row.unsigned(1)?;
                }
            }
            for mut row in tx.query(batches, params![lane.number])? {
                let (period, state) = (period_of(row.int(0)?)?, BatchState::of(&row.text(1)?)?);
                if let Some(count) = counts.iter_mut().find(|count| count.period == period) {
                    count.batched.push((state, row.unsigned(2)?));
                    count.batched.sort();
                }
            }
            Ok(counts)
        })
    }

    /// Writes down that an import begins. Gives its number.
    ///
    /// # Errors
    /// The database's.
    pub fn begin_import(&self, lane: &Lane, file: &str) -> Result<i64, StoreError> {
        self.write(|tx| {
            let id = tx.numbers("import", 1)?;
            let sql = "INSERT INTO imports (id, lane, file, began, ended, accepted, known, refused) VALUES ($1, $2, $3, $4, NULL, 0, 0, 0)";
            tx.execute(sql, params![id, lane.number, file, crate::now()])?;
            Ok(id)
        })
    }

    /// Writes down how an import ended.
    ///
    /// # Errors
    /// The database's.
    pub fn end_import(&self, import: i64, accepted: u64, known: u64, refused: u64) -> Result<(), StoreError> {
        let sql = "UPDATE imports SET ended = $1, accepted = $2, known = $3, refused = $4 WHERE id = $5";
        self.write(|tx| tx.execute(sql, params![crate::now(), accepted, known, refused, import])).map(drop)
    }

    /// The last `count` imports of a lane, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub fn last_imports(&self, lane: &Lane, count: u32) -> Result<Vec<Import>, StoreError> {
        let sql = "SELECT id, file, began, ended, accepted, known, refused FROM imports WHERE lane = $1 ORDER BY id DESC LIMIT $2";
        let rows = self.read(|tx| tx.query(sql, params![lane.number, i64::from(count)]))?;
        rows.into_iter().map(import_of).collect()
    }
}

fn count_of(row: &Row) -> Result<Count, StoreError> {
    Ok(Count {
        period: period_of(row.int(0)?)?,
        receipts: row.unsigned(1)?,
        waiting: row.unsigned(2)?,
        aside: 0,
        batched: Vec::new(),
        retired: row.unsigned(3)?,
    })
}

fn import_of(mut row: Row) -> Result<Import, StoreError> {
    Ok(Import {
        id: row.int(0)?,
        file: row.text(1)?,
        began: row.unsigned(2)?,
        ended: row.optional(3)?.map(|at| u64::try_from(at).unwrap_or_default()),
        accepted: row.unsigned(4)?,
        known: row.unsigned(5)?,
        refused: row.unsigned(6)?,
    })
}
