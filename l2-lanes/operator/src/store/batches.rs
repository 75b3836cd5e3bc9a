//! The outbox: batches on their way to the chain, and every transaction that was made for them.

use alloy_primitives::B256;
use chlom_royalty::Period;

use super::{
    Lane, Place, Store, StoreError,
    engine::Transaction,
    members,
    receipts::period_of,
    sql::{Row, params},
};

/// How far a batch is.
///
/// `built → published → submitted → final → settled`, and from each of the first three to `void`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BatchState {
    /// Header and blob are in the outbox.
    Built,
    /// The blob is available, by the chain.
    Published,
    /// The chain has accepted the header.
    Submitted,
    /// Its challenge window is over.
    Final,
    /// Every row of it is settled.
    Settled,
    /// It was given up or voided by a fraud proof; its receipts wait again.
    Void,
}

impl BatchState {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Built, "built"),
        (Self::Published, "published"),
        (Self::Submitted, "submitted"),
        (Self::Final, "final"),
        (Self::Settled, "settled"),
        (Self::Void, "void"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| word)
    }

    pub(super) fn of(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state);
        found.ok_or_else(|| StoreError::damaged(format!("a batch is {word:?}")))
    }

    /// Whether a step from here to there is one of a batch's life. Upholds [OPR-4].
    pub fn leads_to(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Built, Self::Published)
                | (Self::Published, Self::Submitted)
                | (Self::Submitted, Self::Final)
                | (Self::Final, Self::Settled)
                | (Self::Built | Self::Published | Self::Submitted, Self::Void)
        )
    }
}

/// A batch to be put into the outbox.
#[derive(Clone, Copy, Debug)]
pub struct NewBatch<'a> {
    /// The period.
    pub period: Period,
    /// Place in the lane's sequence.
    pub number: u32,
    /// The header, encoded.
    pub header: &'a [u8],
    /// Hash of the header: the batch's name.
    pub root: B256,
    /// Elements of the blob's data rows; see [`Store::blob`].
    pub elements: &'a [u8],
}

/// A batch of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number in this store, in the order in which batches were made.
    pub id: i64,
    /// The period.
    pub period: Period,
    /// Place in the lane's sequence.
    pub number: u32,
    /// Hash of the header.
    pub root: B256,
    /// The header, encoded.
    pub header: Vec<u8>,
    /// How many receipts.
    pub receipts: u64,
    /// How far it is.
    pub state: BatchState,
    /// What the last step had to say: why it is void, what it waits for.
    pub note: String,
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// When its state last changed.
    pub changed: u64,
    /// Made elsewhere: by another submitter of the lane, or with another database. None of its receipts is in a batch of this
    /// store.
    pub adopted: bool,
    /// Adopted, and which receipts it has is not known: its blob could not be had so far.
    pub unread: bool,
}

/// A transaction that was made for a batch, whether or not it ever left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number in this store, in the order in which they were made.
    pub id: i64,
    /// Of which batch.
    pub batch: i64,
    /// What for, in the sequencer's words: `publish`, `submit`, `settle`, …
    pub step: String,
    /// Which row, for a step that is done row by row; else 0.
    pub place: u32,
    /// Its hash.
    pub hash: B256,
    /// The signed transaction, to be sent again as it is; empty when somebody else signed it.
    pub raw: Vec<u8>,
    /// What became of it, once that is known.
    pub outcome: Option<String>,
    /// When it was made, in seconds since 1970.
    pub at: u64,
}

pub(super) const BATCH: &str =
    "SELECT id, period, number, root, header, receipts, state, note, made, changed, adopted FROM batches";

impl Store {
    /// Puts a batch into the outbox, `built`, and moves its receipts from waiting into it. Gives its number in this store.
    ///
    /// # Errors
    /// [`StoreError::NotWaiting`] when one of them does not wait any more; nothing is done then.
    pub fn take(&self, lane: &Lane, batch: &NewBatch<'_>, places: &[Place]) -> Result<i64, StoreError> {
        self.write(|tx| {
            let (id, now) = (tx.numbers("batch", 1)?, crate::now());
            let sql = "INSERT INTO batches (id, lane, period, number, root, header, receipts, state, note, made, changed)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
            let NewBatch { period, number, header, root, elements } = *batch;
            let (count, state) = (places.len() as u64, BatchState::Built.word());
            let values = params![
                id, lane.number, period.code(), number, root.as_slice(), header, count, state, "", now, now
            ];
            tx.execute(sql, values)?;
            tx.execute("INSERT INTO blobs (batch, elements) VALUES ($1, $2)", params![id, elements])?;
            members::hold(tx, id, places)?;
            Ok(id)
        })
    }

    /// Moves a batch on, with a note for people.
    ///
    /// # Errors
    /// [`StoreError::State`] when it is not in `from`, or `to` does not follow on `from`, or is [`BatchState::Void`], which is
    /// [`Store::void`]'s.
    pub fn advance(
        &self,
        batch: i64,
        from: BatchState,
        to: BatchState,
        note: &str,
    ) -> Result<(), StoreError> {
        if !from.leads_to(to) || to == BatchState::Void {
            let expected = format!("in a state that leads to {}", to.word());
            return Err(StoreError::State { batch, found: from.word().into(), expected });
        }
        self.write(|tx| step(tx, batch, &[from], to, note))
    }

    /// Gives a batch up that is built, published or submitted, and lets its receipts wait again.
    ///
    /// # Errors
    /// [`StoreError::State`] for one that is final, settled or void.
    pub fn void(&self, batch: i64, note: &str) -> Result<(), StoreError> {
        self.write(|tx| {
            let from = [BatchState::Built, BatchState::Published, BatchState::Submitted];
            step(tx, batch, &from, BatchState::Void, note)?;
            members::put_back(tx, batch)
        })
    }

    /// Changes what a batch's note says.
    ///
    /// # Errors
    /// [`StoreError::NoBatch`].
    pub fn note(&self, batch: i64, note: &str) -> Result<(), StoreError> {
        let changed =
            self.write(|tx| tx.execute("UPDATE batches SET note = $1 WHERE id = $2", params![note, batch]))?;
        if changed == 1 { Ok(()) } else { Err(StoreError::NoBatch(batch)) }
    }

    /// A batch.
    ///
    /// # Errors
    /// [`StoreError::NoBatch`].
    pub fn batch(&self, batch: i64) -> Result<Batch, StoreError> {
        let row = self.read(|tx| tx.first(&format!("{BATCH} WHERE id = $1"), params![batch]))?;
        batch_of(row.ok_or(StoreError::NoBatch(batch))?)
    }

    /// The batches of a lane that are in one of these states, in the order in which they were made.
    ///
    /// # Errors
    /// The database's.
    pub fn batches(&self, lane: &Lane, states: &[BatchState]) -> Result<Vec<Batch>, StoreError> {
        let mut all = Vec::new();
        for state in states {
            let sql = format!("{BATCH} WHERE lane = $1 AND state = $2 ORDER BY id");
            let rows = self.read(|tx| tx.query(&sql, params![lane.number, state.word()]))?;
            all.extend(rows.into_iter().map(batch_of).collect::<Result<Vec<_>, _>>()?);
        }
        all.sort_by_key(|batch| batch.id);
        Ok(all)
    }

    /// The last `count` batches of a lane, whatever their state, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub fn last_batches(&self, lane: &Lane, count: u32) -> Result<Vec<Batch>, StoreError> {
        let sql = format!("{BATCH} WHERE lane = $1 ORDER BY id DESC LIMIT $2");
        let rows = self.read(|tx| tx.query(&sql, params![lane.number, i64::from(count)]))?;
        rows.into_iter().map(batch_of).collect()
    }

    /// The elements of a batch's data rows; `None` when they were [forgotten](Store::forget_blob).
    ///
    /// # Errors
    /// The database's.
    pub fn blob(&self, batch: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.read(|tx| tx.first("SELECT elements FROM blobs WHERE batch = $1", params![batch]))?;
        row.map(|mut row| row.bytes(0)).transpose()
    }

    /// Deletes the blob of a batch that nobody needs from here any more.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_blob(&self, batch: i64) -> Result<(), StoreError> {
        self.write(|tx| tx.execute("DELETE FROM blobs WHERE batch = $1", params![batch])).map(drop)
    }

    /// Writes a transaction down, before it is sent. Gives its number in this store.
    ///
    /// # Errors
    /// The database's; it must not be sent then.
    pub fn record_sent(
        &self,
        batch: i64,
        step: &str,
        place: u32,
        hash: B256,
        raw: &[u8],
    ) -> Result<i64, StoreError> {
        self.write(|tx| {
            let id = tx.numbers("sent", 1)?;
            let sql = "INSERT INTO sent (id, batch, step, place, hash, raw, outcome, at) VALUES ($1, $2, $3, $4, $5, $6, NULL, $7)";
            tx.execute(sql, params![id, batch, step, place, hash.as_slice(), raw, crate::now()])?;
            Ok(id)
        })
    }

    /// Says what became of a transaction.
    ///
    /// # Errors
    /// The database's.
    pub fn record_outcome(&self, sent: i64, outcome: &str) -> Result<(), StoreError> {
        self.write(|tx| tx.execute("UPDATE sent SET outcome = $1 WHERE id = $2", params![outcome, sent]))
            .map(drop)
    }

    /// All transactions of a batch, in the order in which they were made.
    ///
    /// # Errors
    /// The database's.
    pub fn sent(&self, batch: i64) -> Result<Vec<Sent>, StoreError> {
        let sql =
            "SELECT id, batch, step, place, hash, raw, outcome, at FROM sent WHERE batch = $1 ORDER BY id";
        let rows = self.read(|tx| tx.query(sql, params![batch]))?;
        rows.into_iter().map(sent_of).collect()
    }

    /// A note under a name, for whoever must remember something between runs.
    ///
    /// # Errors
    /// The database's.
    pub fn get_note(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = self.read(|tx| tx.first("SELECT value FROM notes WHERE name = $1", params![name]))?;
        row.map(|mut row| row.text(0)).transpose()
    }

    /// Writes a note under a name, over what was there.
    ///
    /// # Errors
    /// The database's.
    pub fn set_note(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO notes (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.write(|tx| tx.execute(sql, params![name, value])).map(drop)
    }
}

fn step(
    tx: &mut Transaction<'_>,
    batch: i64,
    from: &[BatchState],
    to: BatchState,
    note: &str,
) -> Result<(), StoreError> {
    for state in from {
        let sql = "UPDATE batches SET state = $1, note = $2, changed = $3 WHERE id = $4 AND state = $5";
        if tx.execute(sql, params![to.word(), note, crate::now(), batch, state.word()])? == 1 {
            return Ok(());
        }
    }
    let row = tx.first("SELECT state FROM batches WHERE id = $1", params![batch])?;
    let found = row.ok_or(StoreError::NoBatch(batch))?.text(0)?;
    let expected = from.iter().map(|state| state.word()).collect::<Vec<_>>().join(" or ");
    Err(StoreError::State { batch, found, expected })
}

pub(super) fn batch_of(mut row: Row) -> Result<Batch, StoreError> {
    Ok(Batch {
        id: row.int(0)?,
        period: period_of(row.int(1)?)?,
        number: u32::try_from(row.int(2)?).map_err(StoreError::damaged)?,
        root: row.array(3)?.into(),
        header: row.bytes(4)?,
        receipts: row.unsigned(5)?,
        state: BatchState::of(&row.text(6)?)?,
        note: row.text(7)?,
        made: row.unsigned(8)?,
        changed: row.unsigned(9)?,
        adopted: row.int(10)? != 0,
        unread: row.int(10)? == 1,
    })
}

fn sent_of(mut row: Row) -> Result<Sent, StoreError> {
    let outcome = if row.0.get(6) == Some(&super::sql::Value::Null) { None } else { Some(row.text(6)?) };
    Ok(Sent {
        id: row.int(0)?,
        batch: row.int(1)?,
        step: row.text(2)?,
        place: u32::try_from(row.int(3)?).map_err(StoreError::damaged)?,
        hash: row.array(4)?.into(),
        raw: row.bytes(5)?,
        outcome,
        at: row.unsigned(7)?,
    })
}
