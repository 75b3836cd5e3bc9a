//! Why the store did not do what it was asked.

use std::path::PathBuf;

/// Why the store did not do what it was asked; nothing of the call is in it then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `--database` names neither a file nor a server.
    #[error("{url}: a database is sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME")]
    Url {
        /// What was given, without a password.
        url: String,
    },
    /// A file or folder of the store.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// SQLite refused. A full disk and a lock that another process never gives back come as this.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Postgres refused.
    #[error("Postgres: {}", with_cause(.0))]
    Postgres(#[from] postgres::Error),
    /// The tables were made by a newer program.
    #[error(
        "the database has version {found} of the tables, this program knows {known}: use the newer program"
    )]
    Version {
        /// The database's.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// A lane counts in one currency for ever.
    #[error(
        "lane {lane} counts in {known} with {known_decimals} places, not in {asked} with {asked_decimals}"
    )]
    Currency {
        /// The lane.
        lane: String,
        /// Its currency.
        known: String,
        /// Its places.
        known_decimals: u8,
        /// What was asked for.
        asked: String,
        /// Its places.
        asked_decimals: u8,
    },
    /// No such lane in this store.
    #[error("lane {0} is not known here: `chlom lane init` makes it")]
    NoLane(String),
    /// No such batch.
    #[error("there is no batch {0} in this store")]
    NoBatch(i64),
    /// A batch is in another state than the step that was to be recorded begins in.
    #[error("batch {batch} is {found}, not {expected}")]
    State {
        /// The batch.
        batch: i64,
        /// Its state.
        found: String,
        /// The state that was expected.
        expected: String,
    },
    /// Receipts that were to be taken are elsewhere by now.
    #[error("{count} receipts of chunk {chunk} are not waiting any more: read the waiting receipts again")]
    NotWaiting {
        /// The chunk.
        chunk: i64,
        /// How many.
        count: u64,
    },
    /// This process leads no longer: another may do so.
    #[error(
        "the lead of lane {0} is lost: the connection that held it is gone; another process may lead now"
    )]
    LeadLost(String),
    /// What is in the database cannot be.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

/// Postgres hides the server's words in the cause.
fn with_cause(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => {
            std::error::Error::source(error).map_or(error.to_string(), |cause| format!("{error}: {cause}"))
        }
    }
}

impl StoreError {
    /// Whether the same call may succeed later: the server is away, or somebody else holds the lock.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::DatabaseBusy
                        | rusqlite::ErrorCode::DatabaseLocked
                        | rusqlite::ErrorCode::DiskFull
                        | rusqlite::ErrorCode::SystemIoFailure
                )
            ),
            // Class 40 is a deadlock or a lost race, 53 a server without room, 57 one that shuts down.
            Self::Postgres(error) => error.code().is_none_or(|code| {
                ["08", "40", "53", "57"].iter().any(|class| code.code().starts_with(class))
            }),
            _ => false,
        }
    }

    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged(what.to_string())
    }
}
