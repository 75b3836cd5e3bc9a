//! The thread that brings waiting writes into the engine's tables.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

use fjall::{Database, Keyspace};
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{
    Table, Value,
    run::Runs,
    waiting::{Waiting, by_table},
};
use crate::error::KvError;

/// How many times the due bytes may wait in memory before writers wait for the thread.
const MOST: usize = 3;

/// What part of the due bytes a table gets a file of its own from; fewer go through the journal.
const FILE_SHARE: usize = 32;

/// The engine with the table that keeps what waits.
pub(crate) struct Engine {
    pub(crate) database: Database,
    pub(crate) tables: [Keyspace; Table::ALL.len()],
    /// Number of a batch → its waiting writes.
    pub(crate) kept: Keyspace,
}

/// What waits, and how far it is on its way.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) waiting: Arc<Waiting>,
    /// Number of the newest batch.
    pub(crate) newest: u64,
    /// Batches up to this one are on their way into the tables.
    pub(crate) sealed: u64,
    /// Asked to bring everything into the tables, whatever its size.
    drain: bool,
    stop: bool,
    failed: Option<String>,
}

/// Shared by those who write and the thread.
pub(crate) struct Settler {
    pub(crate) engine: Arc<Engine>,
    pub(crate) state: Mutex<State>,
    changed: Condvar,
    /// Bytes in memory from which what waits goes into the tables.
    due: usize,
}

impl Settler {
    /// Starts the thread with what the engine kept; `due` bytes of waiting writes are worth its while.
    pub(crate) fn start(
        engine: Arc<Engine>,
        (waiting, newest): (Arc<Waiting>, u64),
        due: usize,
    ) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let state = State { waiting, newest, ..State::default() };
        let settler = Arc::new(Self { engine, state: Mutex::new(state), changed: Condvar::new(), due });
        let run = settler.clone();
        let thread = thread::Builder::new().name("chlom-settle".into()).spawn(move || run.run())?;
        Ok((settler, thread))
    }

    /// The state once there is room for more.
    pub(crate) fn room(&self) -> Result<MutexGuard<'_, State>, KvError> {
        let mut state = self.state.lock();
        while state.failed.is_none() && state.waiting.weight() > self.due.saturating_mul(MOST) {
            self.changed.wait(&mut state);
        }
        sound(&state)?;
        Ok(state)
    }

    /// The state once nothing waits.
    pub(crate) fn drained(&self) -> Result<MutexGuard<'_, State>, KvError> {
        let mut state = self.state.lock();
        while state.failed.is_none() && state.waiting.all().is_some() {
            state.drain = true;
            self.changed.notify_all();
            self.changed.wait(&mut state);
        }
        sound(&state)?;
        Ok(state)
    }

    /// Wakes the thread when there is enough for it.
    pub(crate) fn pushed(&self, state: &State) {
        if state.waiting.weight() >= self.due {
            self.changed.notify_all();
        }
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    fn run(&self) {
        loop {
            let Some((number, runs)) = self.next() else { return };
            let done = self.engine.settle(number, &runs, self.due / FILE_SHARE);
            drop(runs);
            let mut state = self.state.lock();
            match done {
                Ok(()) => {
                    state.waiting = Arc::new(state.waiting.after(number));
                    state.drain &= state.waiting.all().is_some();
                }
                Err(error) => {
                    tracing::error!(%error, "waiting writes could not be stored");
                    state.failed = Some(error.to_string());
                }
            }
            self.changed.notify_all();
        }
    }

    /// What is to be brought into the tables, once it is worth while; `None` when it is time to end.
    fn next(&self) -> Option<(u64, Vec<Runs>)> {
        let mut state = self.state.lock();
        loop {
            if state.failed.is_some() {
                return None;
            }
            if (state.drain || state.waiting.weight() >= self.due)
                && let Some((number, runs)) = state.waiting.all()
            {
                state.sealed = number;
                return Some((number, runs));
            }
            if state.stop {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }
}

fn sound(state: &State) -> Result<(), KvError> {
    state.failed.as_ref().map_or(Ok(()), |cause| Err(KvError::Engine(cause.clone())))
}

impl Engine {
    /// Brings writes into the tables, durably, and then forgets that they waited. A crash between leaves both, which says
    /// the same twice.
    pub(super) fn settle(&self, number: u64, runs: &[Runs], file: usize) -> Result<(), KvError> {
        let mut few = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), 1024)
            .durability(Some(fjall::PersistMode::SyncData));
        for (table, merged) in by_table(runs) {
            if merged.bytes() >= file {
                self.load(table, merged.items())?;
            } else {
                merged.items().for_each(|(key, value)| self.add(&mut few, table, key, value));
            }
        }
        few.commit()?;
        let mut forget = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), 64);
        for entry in self.kept.range(..=number.to_be_bytes()) {
            forget.remove(&self.kept, entry.key()?);
        }
        Ok(forget.commit()?)
    }

    /// Adds a write, or a deletion, to a batch.
    pub(super) fn add(
        &self,
        batch: &mut fjall::OwnedWriteBatch,
        table: Table,
        key: impl Into<Value>,
        value: Option<impl Into<Value>>,
    ) {
        let table = &self.tables[table.index()];
        match value {
            Some(value) => batch.insert(table, key, value),
            None => batch.remove(table, key),
        }
    }

    /// Makes a sorted file of writes and deletions in order of their keys, atomically and durably.
    pub(super) fn load<K: Into<Value>, V: Into<Value>>(
        &self,
        table: Table,
        items: impl Iterator<Item = (K, Option<V>)>,
    ) -> Result<(), KvError> {
        let mut ingestion = self.tables[table.index()].start_ingestion()?;
        for (key, value) in items {
            match value {
                Some(value) => ingestion.write(key, value)?,
                None => ingestion.write_tombstone(key)?,
            }
        }
        Ok(ingestion.finish()?)
    }
}
