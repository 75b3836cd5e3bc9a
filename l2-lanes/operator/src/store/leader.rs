//! Who builds and sends a lane's batches: one process at a time. Upholds [OPR-5].

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
};

use alloy_primitives::keccak256;

use super::{
    Lane, Store, StoreError,
    engine::{Client, Place},
};

/// The lead of a lane, until it is dropped or its process ends.
pub struct Leader {
    lane: String,
    held: Held,
}

enum Held {
    /// The system gives the lock back when the process ends, however it ends.
    File(#[expect(dead_code, reason = "kept open: that is the lock")] File),
    /// The server gives the lock back when the connection ends.
    Connection(Client),
}

impl Store {
    /// Takes the lead of a lane; `None` while another process has it.
    ///
    /// # Errors
    /// The database's, or the lock file's.
    pub fn lead(&self, lane: &Lane) -> Result<Option<Leader>, StoreError> {
        let held = match &self.place {
            Place::Sqlite(path) => lock_file(path, &lane.name)?.map(Held::File),
            Place::Postgres(config) => lock_server(config, &lane.name)?.map(Held::Connection),
        };
        Ok(held.map(|held| Leader { lane: lane.name.clone(), held }))
    }
}

impl Leader {
    /// Is the lead still held? To be asked before each step that another leader must not take, too.
    ///
    /// # Errors
    /// [`StoreError::LeadLost`].
    pub fn check(&mut self) -> Result<(), StoreError> {
        match &mut self.held {
            Held::File(_) => Ok(()),
            Held::Connection(client) => {
                client
                    .get()?
                    .simple_query("SELECT 1")
                    .map_err(|_| StoreError::LeadLost(self.lane.clone()))?;
                Ok(())
            }
        }
    }
}

fn lock_file(database: &std::path::Path, lane: &str) -> Result<Option<File>, StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push(format!(".{lane}.lead"));
    let path = PathBuf::from(name);
    let io = |action| {
        let path = path.clone();
        move |source| StoreError::Io { action, path, source }
    };
    let options = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let file = options.map_err(io("open"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(io("lock")(error)),
    }
}

fn lock_server(config: &postgres::Config, lane: &str) -> Result<Option<Client>, StoreError> {
    let mut client = Client::connect(config)?;
    let hash = keccak256(format!("chlom lane {lane}"));
    let number = i64::from_be_bytes(hash.first_chunk().copied().unwrap_or_default());
    let row = client.get()?.query_one("SELECT pg_try_advisory_lock($1)", &[&number])?;
    Ok(row.try_get::<_, bool>(0)?.then_some(client))
}
