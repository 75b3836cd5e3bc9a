//! What an operator keeps: receipts, where each of them is on its way to the chain, batches, and what was sent for them.
//!
//! # A receipt's way
//!
//! 1. [`Store::add`] takes receipts as they come. (lane, payer, source, id) is unique for ever: the same receipt again is
//!    [`Outcome::Known`], another one under its id [`Outcome::Conflict`]. When `add` returns, what is [`Outcome::New`] is on disk.
//! 2. New receipts *wait*, by lane and period. [`Store::waiting`] reads them in the order in which they came, a few thousand at a time,
//!    and gives each one's [`Place`], which is its name in this store.
//! 3. [`Store::take`] writes a batch into the outbox (header, blob, state `built`) and moves its receipts from *waiting* to *in this batch*,
//!    in one transaction: a receipt is never in two batches. Receipts that cannot be in any batch (their licence does not allow them,
//!    their payer has no money) are [set aside](Store::set_aside) with a reason and [come back](Store::release) when it is gone.
//! 4. [`Store::record_sent`] writes down every transaction *before* it is sent, signed, so that a process that is started again sends the very
//!    same; [`Store::advance`] then moves the batch from state to state, each step only from the state before. A batch that was voided
//!    or given up goes to `void`: [`Store::void`] does that and lets its receipts wait again.
//! 5. [`Store::adopt`] takes the lane's batches in that others made, so that their receipts are not paid twice ([`Store::known`]) and their
//!    rows are settled too.
//! 6. [`Store::retire`] removes the contents of old receipts that are settled, and keeps a record of having done so. Keys stay.
//!
//! # Who may do what at the same time
//!
//! Any number of processes may add and read. One process a lane takes and advances: the one that holds the [`Leader`] which
//! [`Store::lead`] gives. A [`Store`] may be shared by threads; they take turns, and [`Store::again`] opens another connection.
//!
//! # What a crash leaves
//!
//! Every call is one transaction. What it acknowledged is durable, what it did not is not there.
//!
//! # Parts
//!
//! `engine`: SQLite and Postgres and the little that differs. `schema`: the tables. `sql`: values. `chunk`: receipts as bytes (decision 0016).

mod adopted;
mod batches;
mod chunk;
mod counts;
mod engine;
mod error;
mod intake;
mod keys;
mod leader;
mod members;
mod receipts;
mod retire;
mod schema;
mod sources;
mod sql;

use std::path::{Path, PathBuf};

use parking_lot::Mutex;

pub use adopted::{Adopted, Known, ReceiptKey};
pub use batches::{Batch, BatchState, NewBatch, Sent};
pub use counts::{Count, Import};
pub use error::StoreError;
pub use intake::{Answer, Request};
pub use keys::{ApiKey, Secret};
pub use leader::Leader;
pub use members::Aside;
pub use receipts::{Outcome, Place, Waiting};
pub use retire::{MONTHS_KEPT, Retired, kept_from};
pub use sources::Lane;

use engine::{Connection, Transaction};

/// An operator's store. Its calls wait for the database: within an async runtime they belong on a thread that may block.
pub struct Store {
    place: engine::Place,
    inner: Mutex<Inner>,
}

struct Inner {
    connection: Connection,
    sources: sources::Sources,
    /// Numbers of chunks that were reserved and are not in use.
    chunks: std::ops::Range<i64>,
}

impl Store {
    /// Opens a database and brings its tables up to date: `sqlite://PATH`, or `postgres://USER:PASSWORD@HOST/NAME`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Self::open_file(Path::new(path));
        }
        let unknown = || StoreError::Url { url: without_password(url) };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(unknown());
        }
        let config: postgres::Config = url.parse().map_err(|_| unknown())?;
        Self::connect(engine::Place::Postgres(Box::new(config)))
    }

    /// Opens a database of SQLite, which is made if it is not there; only its owner may read it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_file(path: &Path) -> Result<Self, StoreError> {
        private_file(path)?;
        Self::connect(engine::Place::Sqlite(path.into()))
    }

    /// Another connection to the same database.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn again(&self) -> Result<Self, StoreError> {
        Self::connect(self.place.clone())
    }

    fn connect(place: engine::Place) -> Result<Self, StoreError> {
        let connection = Connection::open(&place)?;
        let inner = Inner { connection, sources: sources::Sources::default(), chunks: 0..0 };
        let store = Self { place, inner: Mutex::new(inner) };
        // Whoever only looks does not wait for those who write. A database without tables answers with an error, and gets them.
        if !store.read(schema::is_newest).unwrap_or(false) {
            store.write(|tx| {
                tx.lock_schema()?;
                schema::migrate(tx)
            })?;
        }
        Ok(store)
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self.place {
            engine::Place::Sqlite(_) => "sqlite",
            engine::Place::Postgres(_) => "postgres",
        }
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.inner.lock().write(work)
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.inner.lock();
        let mut tx = inner.connection.begin_reading()?;
        work(&mut tx)
    }
}

impl Inner {
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tx = self.connection.begin()?;
        let done = work(&mut tx)?;
        tx.commit()?;
        Ok(done)
    }
}

fn private_file(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let io = |source| StoreError::Io { action: "open", path: PathBuf::from(path), source };
    std::fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(io)?;
    Ok(())
}

/// What stands between the scheme and `@` may hold a password.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}
