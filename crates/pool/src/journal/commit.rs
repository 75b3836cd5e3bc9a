//! Group commit: everything that arrives while the disk is busy goes into one group.
//!
//! There is no thread. Whoever waits and finds the disk idle leads: it takes the group as it is, writes it and tells the
//! others. Those that arrive meanwhile form the next group, and one of them leads it.

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{
    Record,
    disk::{Disk, Wrap},
    error::{JournalError, JournalFailure},
    format::encode_record,
};

/// The journal is rewritten when it is longer than this plus twice what waits, bytes. It bounds what a restart reads in
/// vain: about 4,000 transfers.
const SLACK: u64 = 512 << 10;

/// How long a journal that failed refuses at once before it tries again.
const HEAL_AFTER: Duration = Duration::from_secs(1);

/// A journal that many threads use.
pub(crate) struct Journal {
    state: Mutex<State>,
    turn: Condvar,
    /// Locked by the leader only.
    disk: Mutex<Disk>,
    heal_after: Duration,
    bytes: AtomicU64,
    groups: AtomicU64,
    rewrites: AtomicU64,
    /// Length below which no rewrite is tried again, after one failed.
    patience: AtomicU64,
}

#[derive(Default)]
struct State {
    group: Group,
    /// Somebody leads.
    writing: bool,
    /// When and why the last write failed.
    broken: Option<(Instant, JournalFailure)>,
}

/// Records that wait to be written together.
#[derive(Default)]
struct Group {
    payload: Vec<u8>,
    ticket: Ticket,
}

/// What became of a group, once that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticket(Arc<OnceLock<Result<(), JournalFailure>>>);

/// What a rewrite keeps.
pub(crate) struct Live<'a> {
    /// False while the journal holds transactions that are nowhere else.
    pub(crate) rewritable: bool,
    /// Encoded bytes of what waits.
    pub(crate) bytes: u64,
    /// Lists what waits. It sees everything that was enqueued before it is called.
    pub(crate) collect: Box<dyn Fn() -> Vec<Record> + 'a>,
}

impl Journal {
    /// Opens or begins the journal at `path`; returns what it holds.
    pub(crate) fn open(path: &Path, chain_id: u64) -> Result<(Self, Vec<Record>), JournalError> {
        Self::open_with(path, chain_id, Box::new(|file| Box::new(file)), HEAL_AFTER)
    }

    pub(crate) fn open_with(
        path: &Path,
        chain_id: u64,
        wrap: Wrap,
        heal_after: Duration,
    ) -> Result<(Self, Vec<Record>), JournalError> {
        let (disk, records) = Disk::open(path, chain_id, wrap)?;
        let journal = Self {
            state: Mutex::default(),
            turn: Condvar::new(),
            heal_after,
            bytes: AtomicU64::new(disk.len()),
            disk: Mutex::new(disk),
            groups: AtomicU64::new(0),
            rewrites: AtomicU64::new(0),
            patience: AtomicU64::new(0),
        };
        Ok((journal, records))
    }

    /// Says at once that a write would fail, for a while after one did.
    pub(crate) fn healthy(&self) -> Result<(), JournalFailure> {
        match &self.state.lock().broken {
            Some((since, failure)) if since.elapsed() < self.heal_after => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    /// Adds records to the next group. They are written when somebody commits.
    pub(crate) fn enqueue(&self, records: impl IntoIterator<Item = Record>) -> Ticket {
        let mut state = self.state.lock();
        for record in records {
            encode_record(&record, &mut state.group.payload);
        }
        state.group.ticket.clone()
    }

    /// Returns when the ticket's group is on disk, or failed to get there.
    pub(crate) fn commit(&self, ticket: &Ticket, live: &Live<'_>) -> Result<(), JournalFailure> {
        let mut state = self.state.lock();
        loop {
            if let Some(outcome) = ticket.0.get() {
                return outcome.clone();
            }
            if !state.writing {
                // Neither written nor being written: it is the group that waits.
                return self.lead(&mut state, |payload, broken| self.write(payload, broken, live));
            }
            self.turn.wait(&mut state);
        }
    }

    /// Replaces the journal by one that holds what waits and nothing else.
    pub(crate) fn rewrite(&self, live: &Live<'_>) -> Result<(), JournalFailure> {
        let mut state = self.state.lock();
        while state.writing {
            self.turn.wait(&mut state);
        }
        // What is enqueued already is in the list too, so it need not be written.
        self.lead(&mut state, |_, _| self.replace(live))
    }

    /// Size, groups written and rewrites.
    pub(crate) fn stats(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.bytes), read(&self.groups), read(&self.rewrites))
    }

    fn lead(
        &self,
        state: &mut MutexGuard<'_, State>,
        write: impl FnOnce(&[u8], bool) -> Result<(), JournalFailure>,
    ) -> Result<(), JournalFailure> {
        state.writing = true;
        let group = std::mem::take(&mut state.group);
        let broken = state.broken.is_some();
        let outcome = MutexGuard::unlocked(state, || write(&group.payload, broken));
        state.broken = outcome.clone().err().map(|failure| (Instant::now(), failure));
        let _only_the_leader_sets = group.ticket.0.set(outcome.clone());
        state.writing = false;
        self.turn.notify_all();
        outcome
    }

    fn write(&self, payload: &[u8], broken: bool, live: &Live<'_>) -> Result<(), JournalFailure> {
        if broken {
            // A part of a group may be in the file, and nothing may come after that.
            return self.replace(live);
        }
        let len = {
            let mut disk = self.disk.lock();
            disk.append(payload).map_err(|error| failure("write to", disk.path(), &error))?;
            self.bytes.store(disk.len(), Ordering::Relaxed);
            disk.len()
        };
        self.groups.fetch_add(1, Ordering::Relaxed);
        let long = len > SLACK + 2 * live.bytes && len > self.patience.load(Ordering::Relaxed);
        if live.rewritable
            && long
            && let Err(failure) = self.replace(live)
        {
            // The group is on disk all the same.
            tracing::warn!(%failure, "the transaction journal grows, because it cannot be rewritten");
            self.patience.store(2 * len, Ordering::Relaxed);
        }
        Ok(())
    }

    fn replace(&self, live: &Live<'_>) -> Result<(), JournalFailure> {
        let mut disk = self.disk.lock();
        if !live.rewritable {
            let reason = "it holds transactions that were not taken back yet".to_owned();
            return Err(failure("rewrite", disk.path(), &std::io::Error::other(reason)));
        }
        let records = (live.collect)();
        disk.rewrite(&records).map_err(|error| failure("rewrite", disk.path(), &error))?;
        self.bytes.store(disk.len(), Ordering::Relaxed);
        self.rewrites.fetch_add(1, Ordering::Relaxed);
        self.patience.store(0, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        if state.broken.is_none() && !state.group.payload.is_empty() {
            // Removals that no later group carried. Nobody was promised anything.
            if let Err(error) = self.disk.get_mut().append(&state.group.payload) {
                tracing::warn!(%error, "the last removals did not reach the transaction journal");
            }
        }
    }
}

fn failure(action: &str, path: &Path, error: &std::io::Error) -> JournalFailure {
    let reason = format!("cannot {action} the transaction journal {}: {error}", path.display());
    tracing::error!("{reason}");
    JournalFailure { reason: reason.into() }
}
