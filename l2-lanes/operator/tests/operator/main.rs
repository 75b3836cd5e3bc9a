//! An operator's parts, against real databases: SQLite files and a Postgres of the test's own.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used)]

mod convict;
mod ingest;
mod model;
mod postgres;
mod serve;
mod store;
mod stores;
