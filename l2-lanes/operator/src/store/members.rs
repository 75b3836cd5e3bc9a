//! Which receipts are in which batch, or set aside: sets of places of chunks. What no set holds waits.
//!
//! Upholds [OPR-3]. Whoever holds a set has a number: a batch its own, which is positive; receipts that are set aside the negative of theirs.

use std::collections::BTreeMap;

use chlom_royalty::Period;

use super::{
    Lane, Place, Store, StoreError, chunk::Places, engine::Transaction, receipts::period_of, sql::params,
};

/// Receipts that can be in no batch for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its number.
    pub id: i64,
    /// The period.
    pub period: Period,
    /// What is in the way, in the sequencer's word for it.
    pub kind: String,
    /// Why, for people.
    pub reason: String,
    /// How many receipts.
    pub receipts: u64,
    /// Since when, in seconds since 1970.
    pub at: u64,
}

impl Store {
    /// Sets waiting receipts of one lane and period aside, so that nobody reads them again and again. Gives the number under which
    /// they [come back](Store::release).
    ///
    /// # Errors
    /// [`StoreError::NotWaiting`]; nothing is set aside then.
    pub fn set_aside(
        &self,
        lane: &Lane,
        period: Period,
        kind: &str,
        reason: &str,
        places: &[Place],
    ) -> Result<i64, StoreError> {
        self.write(|tx| {
            let id = tx.numbers("aside", 1)?;
            let sql = "INSERT INTO asides (id, lane, period, kind, reason, receipts, at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
            let count = places.len() as u64;
            let values = params![id, lane.number, period.code(), kind, reason, count, crate::now()];
            tx.execute(sql, values)?;
            hold(tx, id.saturating_neg(), places)?;
            Ok(id)
        })
    }

    /// What is set aside of a lane, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn asides(&self, lane: &Lane) -> Result<Vec<Aside>, StoreError> {
        let sql = "SELECT id, period, kind, reason, receipts, at FROM asides WHERE lane = $1 ORDER BY id";
        let rows = self.read(|tx| tx.query(sql, params![lane.number]))?;
        let of = |mut row: super::sql::Row| {
            Ok(Aside {
                id: row.int(0)?,
                period: period_of(row.int(1)?)?,
                kind: row.text(2)?,
                reason: row.text(3)?,
                receipts: row.unsigned(4)?,
                at: row.unsigned(5)?,
            })
        };
        rows.into_iter().map(of).collect()
    }

    /// Lets receipts that were set aside wait again. Of a number that is none, nothing.
    ///
    /// # Errors
    /// The database's.
    pub fn release(&self, aside: i64) -> Result<(), StoreError> {
        self.write(|tx| {
            put_back(tx, aside.saturating_neg())?;
            tx.execute("DELETE FROM asides WHERE id = $1", params![aside])?;
            Ok(())
        })
    }
}

/// The places of a chunk that do not wait.
pub(super) fn taken(tx: &mut Transaction<'_>, chunk: i64) -> Result<Places, StoreError> {
    let mut taken = Places::default();
    for mut row in tx.query("SELECT places FROM members WHERE chunk = $1", params![chunk])? {
        taken.add(&Places(row.bytes(0)?));
    }
    Ok(taken)
}

/// Gives waiting places to a holder.
pub(super) fn hold(tx: &mut Transaction<'_>, holder: i64, places: &[Place]) -> Result<(), StoreError> {
    let mut chunks: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for place in places {
        chunks.entry(place.chunk).or_default().push(place.at);
    }
    for (chunk, wanted) in chunks {
        let count = wanted.len() as u64;
        // First, since this makes others wait who want of the same chunk.
        let less = "UPDATE chunks SET waiting = waiting - $1 WHERE id = $2 AND waiting >= $1";
        if tx.execute(less, params![count, chunk])? != 1 {
            return Err(StoreError::NotWaiting { chunk, count });
        }
        let mut taken = taken(tx, chunk)?;
        let mut held = Places::default();
        for at in wanted {
            if !taken.insert(at) {
                return Err(StoreError::NotWaiting { chunk, count });
            }
            held.insert(at);
        }
        let sql = "INSERT INTO members (holder, chunk, receipts, places) VALUES ($1, $2, $3, $4)";
        tx.execute(sql, params![holder, chunk, count, held.0])?;
    }
    Ok(())
}

/// What a holder held waits again.
pub(super) fn put_back(tx: &mut Transaction<'_>, holder: i64) -> Result<(), StoreError> {
    let more = "UPDATE chunks SET waiting = waiting + (SELECT receipts FROM members WHERE members.chunk = chunks.id AND members.holder = $1)
                WHERE id IN (SELECT chunk FROM members WHERE holder = $1)";
    tx.execute(more, params![holder])?;
    tx.execute("DELETE FROM members WHERE holder = $1", params![holder])?;
    Ok(())
}
