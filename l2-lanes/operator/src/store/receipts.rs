//! Receipts in, and out again while they wait.

use std::collections::{BTreeMap, btree_map::Entry};

use chlom_lane::Receipt;
use chlom_royalty::Period;

use super::{
    Inner, Lane, Store, StoreError,
    chunk::{Chunk, ChunkWriter, MOST},
    engine::{Claim, Late, Transaction},
    members,
    sources::{Source, Sources},
    sql::params,
};

/// Numbers of chunks that are reserved at once, so that instances do not wait for each other's transactions.
const RESERVED: u64 = 1_024;
/// Chunks that are looked at at once.
const CHUNKS_AT_ONCE: i64 = 64;

/// What became of a receipt that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the store, durably.
    New,
    /// It was there, the very same.
    Known,
    /// Its source has another receipt of this id. This one is refused.
    Conflict,
    /// Its id was used by a receipt whose content is no longer kept, so nobody can tell whether it is the same. Refused.
    Retired,
    /// Its time is in no period.
    NoPeriod,
}

/// Where a receipt is in the store. Ordered as receipts came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub(super) chunk: i64,
    pub(super) at: u32,
}

/// A receipt that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Where it is.
    pub place: Place,
    /// It.
    pub receipt: Receipt,
}

impl Store {
    /// Takes receipts, durably, and says of each in turn what became of it. The more at once, the faster: a call is one commit.
    /// Upholds [OPR-1] and [OPR-2].
    ///
    /// # Errors
    /// The database's; nothing was taken then.
    pub fn add(&self, lane: &Lane, receipts: &[Receipt]) -> Result<Vec<Outcome>, StoreError> {
        self.add_and(lane, receipts, |_, _| Ok(()))
    }

    /// [`Store::add`], with more to write in the same transaction, which may depend on the outcomes.
    pub(super) fn add_and(
        &self,
        lane: &Lane,
        receipts: &[Receipt],
        and: impl FnOnce(&mut Transaction<'_>, &[Outcome]) -> Result<(), StoreError>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut guard = self.inner.lock();
        let Inner { connection, sources, chunks } = &mut *guard;
        let mut plan = Plan::new(receipts);
        if u64::try_from(chunks.end.saturating_sub(chunks.start)).unwrap_or(0) < plan.chunks.len() as u64 {
            let count = RESERVED.max(plan.chunks.len() as u64);
            let mut tx = connection.begin()?;
            let first = tx.numbers("chunk", count)?;
            tx.commit()?;
            *chunks = first..first.saturating_add_unsigned(count);
        }
        for planned in &mut plan.chunks {
            planned.id = chunks.next().ok_or_else(|| StoreError::damaged("no number for a chunk"))?;
        }
        let mut tx = connection.begin()?;
        let mut numbers = BTreeMap::new();
        for receipt in receipts {
            let key = (receipt.payer, &receipt.source);
            if let Entry::Vacant(new) = numbers.entry(key) {
                new.insert(sources.number(&mut tx, lane.number, key.0, key.1)?);
            }
        }
        let source = |receipt: &Receipt| numbers[&(receipt.payer, &receipt.source)];
        plan.claim(&mut tx, receipts, sources, &source)?;
        plan.write(&mut tx, lane, receipts, &source)?;
        and(&mut tx, &plan.outcomes)?;
        tx.commit()?;
        for ((payer, name), number) in numbers {
            sources.remember(number, Source { lane: lane.number, payer, name: name.clone() });
        }
        Ok(plan.outcomes)
    }

    /// The receipts of a lane and period that wait, in the order in which they came. Memory for some thousands of them is in use; a
    /// receipt that is taken meanwhile may still be read, and [`Store::take`] then says so.
    pub fn waiting(
        &self,
        lane: &Lane,
        period: Period,
    ) -> impl Iterator<Item = Result<Waiting, StoreError>> + '_ {
        Reading {
            store: self,
            lane: lane.number,
            period,
            after: 0,
            ready: Vec::new().into_iter(),
            done: false,
        }
    }

    /// The periods of a lane in which receipts wait, the earliest first.
    ///
    /// # Errors
    /// The database's.
    pub fn waiting_periods(&self, lane: &Lane) -> Result<Vec<Period>, StoreError> {
        let sql = "SELECT DISTINCT period FROM chunks WHERE lane = $1 AND waiting > 0 ORDER BY period";
        let rows = self.read(|tx| tx.query(sql, params![lane.number]))?;
        rows.iter().map(|row| period_of(row.int(0)?)).collect()
    }
}

pub(super) fn period_of(code: i64) -> Result<Period, StoreError> {
    let code = u32::try_from(code).map_err(StoreError::damaged)?;
    Period::new(code).map_err(StoreError::damaged)
}

struct Planned {
    id: i64,
    period: Period,
    /// Which receipts, by number.
    receipts: Vec<usize>,
}

/// Which receipts go into which chunks.
struct Plan {
    chunks: Vec<Planned>,
    outcomes: Vec<Outcome>,
}

impl Plan {
    fn new(receipts: &[Receipt]) -> Self {
        let mut outcomes = vec![Outcome::New; receipts.len()];
        let mut periods: BTreeMap<Period, Vec<usize>> = BTreeMap::new();
        for (number, receipt) in receipts.iter().enumerate() {
            match Period::containing(receipt.time) {
                Some(period) => periods.entry(period).or_default().push(number),
                None => outcomes[number] = Outcome::NoPeriod,
            }
        }
        let of = |(period, all): (Period, Vec<usize>)| {
            let chunks: Vec<_> = all.chunks(MOST).map(<[usize]>::to_vec).collect();
            chunks.into_iter().map(move |receipts| Planned { id: 0, period, receipts })
        };
        Self { chunks: periods.into_iter().flat_map(of).collect(), outcomes }
    }

    /// Claims all keys, and judges those that were claimed before.
    fn claim(
        &mut self,
        tx: &mut Transaction<'_>,
        receipts: &[Receipt],
        sources: &mut Sources,
        source: &impl Fn(&Receipt) -> i64,
    ) -> Result<(), StoreError> {
        let mut claims: Vec<(Claim<'_>, usize)> = Vec::with_capacity(receipts.len());
        for planned in &self.chunks {
            for (place, number) in (0u32..).zip(&planned.receipts) {
                let receipt = &receipts[*number];
                let id = receipt.id.as_str().as_bytes();
                claims.push((Claim { source: source(receipt), id, chunk: planned.id, place }, *number));
            }
        }
        // In the order of the table: neighbours are written together, and two instances never wait for each other in a circle.
        claims.sort_unstable_by(|(a, n), (b, m)| (a.source, a.id, n).cmp(&(b.source, b.id, m)));
        // Of receipts of this call with one key the first has it.
        let first: Vec<&(Claim<'_>, usize)> = claims.chunk_by(same_key).map(|run| &run[0]).collect();
        let all: Vec<Claim<'_>> = first.iter().map(|(claim, _)| claim.clone()).collect();
        let mut late = tx.claim(&all)?;
        late.sort_unstable_by_key(|late| (late.chunk, late.place));
        let mut judge = Judge::default();
        let mut earlier = BTreeMap::new();
        for Late { claim, chunk, place } in late {
            let number = first[claim].1;
            earlier.insert(number, (chunk, place));
            self.outcomes[number] = judge.outcome(tx, sources, chunk, place, &receipts[number])?;
        }
        for run in claims.chunk_by(same_key).filter(|run| run.len() > 1) {
            let one = run[0].1;
            for (_, number) in &run[1..] {
                self.outcomes[*number] = match earlier.get(&one) {
                    Some((chunk, place)) => judge.outcome(tx, sources, *chunk, *place, &receipts[*number])?,
                    None if receipts[one] == receipts[*number] => Outcome::Known,
                    None => Outcome::Conflict,
                };
            }
        }
        Ok(())
    }

    fn write(
        &self,
        tx: &mut Transaction<'_>,
        lane: &Lane,
        receipts: &[Receipt],
        source: &impl Fn(&Receipt) -> i64,
    ) -> Result<(), StoreError> {
        let received = crate::now();
        for planned in &self.chunks {
            let (mut chunk, mut count) = (ChunkWriter::default(), 0u64);
            for number in &planned.receipts {
                if self.outcomes[*number] == Outcome::New {
                    chunk.push(source(&receipts[*number]), &receipts[*number]);
                    count += 1;
                } else {
                    chunk.skip();
                }
            }
            if count > 0 {
                let sql = "INSERT INTO chunks (id, lane, period, receipts, waiting, received, content) VALUES ($1, $2, $3, $4, $5, $6, $7)";
                let period = planned.period.code();
                let values = params![planned.id, lane.number, period, count, count, received, chunk.finish()];
                tx.execute(sql, values)?;
            }
        }
        Ok(())
    }
}

fn same_key((a, _): &(Claim<'_>, usize), (b, _): &(Claim<'_>, usize)) -> bool {
    (a.source, a.id) == (b.source, b.id)
}

/// Compares receipts with those that had their ids before; those come in the order of chunks.
#[derive(Default)]
struct Judge {
    chunk: Option<(i64, Option<Chunk>)>,
}

impl Judge {
    fn outcome(
        &mut self,
        tx: &mut Transaction<'_>,
        sources: &mut Sources,
        chunk: i64,
        place: u32,
        receipt: &Receipt,
    ) -> Result<Outcome, StoreError> {
        if self.chunk.as_ref().is_none_or(|(id, _)| *id != chunk) {
            let row = tx.first("SELECT content FROM chunks WHERE id = $1", params![chunk])?;
            let content = row.map(|mut row| row.optional_bytes(0)).transpose()?.flatten();
            self.chunk = Some((chunk, content.map(Chunk::read).transpose()?));
        }
        match &self.chunk {
            Some((_, Some(chunk))) => {
                let earlier = chunk.receipt(place, &mut |number| sources.get(tx, number))?;
                Ok(if earlier == *receipt { Outcome::Known } else { Outcome::Conflict })
            }
            _ => Ok(Outcome::Retired),
        }
    }
}

/// The receipts that wait, chunks at a time.
struct Reading<'a> {
    store: &'a Store,
    lane: i64,
    period: Period,
    /// The last chunk that was read.
    after: i64,
    ready: std::vec::IntoIter<Waiting>,
    done: bool,
}

impl Iterator for Reading<'_> {
    type Item = Result<Waiting, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(waiting) = self.ready.next() {
                return Some(Ok(waiting));
            }
            if self.done {
                return None;
            }
            match self.fill() {
                Ok(ready) => self.ready = ready.into_iter(),
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Reading<'_> {
    fn fill(&mut self) -> Result<Vec<Waiting>, StoreError> {
        let mut guard = self.store.inner.lock();
        let Inner { connection, sources, .. } = &mut *guard;
        let mut tx = connection.begin_reading()?;
        // Which chunks, before their contents: large ones are read a few at a time, small ones many.
        let sql = "SELECT id, receipts FROM chunks
                   WHERE lane = $1 AND period = $2 AND waiting > 0 AND id > $3 ORDER BY id LIMIT $4";
        let period = self.period.code();
        let found = tx.query(sql, params![self.lane, period, self.after, CHUNKS_AT_ONCE])?;
        self.done = found.is_empty();
        let mut ready = Vec::new();
        for row in found {
            if ready.len() >= MOST {
                break;
            }
            let id = row.int(0)?;
            let mut row = tx.one("SELECT content FROM chunks WHERE id = $1", params![id])?;
            let chunk = Chunk::read(row.bytes(0)?)?;
            let taken = members::taken(&mut tx, id)?;
            for at in (0..chunk.places()).filter(|at| chunk.holds(*at) && !taken.holds(*at)) {
                let receipt = chunk.receipt(at, &mut |number| sources.get(&mut tx, number))?;
                ready.push(Waiting { place: Place { chunk: id, at }, receipt });
            }
            self.after = id;
        }
        Ok(ready)
    }
}
