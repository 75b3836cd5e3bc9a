//! An operator of lanes (ARCHITECTURE §6): receipts in, kept for as long as they must be, batches out.
//!
//! - [`export`]: statements for payees, proven against the chain's head.
//! - [`generate`]: receipts and licences that nobody ever had, from a seed.
//! - [`ingest`]: receipts from files and requests, read strictly, refused one by one.
//! - [`serve`]: receipts over HTTP.
//! - [`sequence`]: from waiting receipts to settled rows, step by step.
//! - [`store`]: what is durable, in SQLite on one machine or in Postgres for many: receipts, where each of them is on its way to the
//!   chain, batches and what was sent for them, keys of those who report.

#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod export;
pub mod generate;
pub mod ingest;
pub mod sequence;
pub mod serve;
pub mod store;

pub use store::{Store, StoreError};

/// Seconds since 1970 by this machine's clock.
pub fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map(|since| since.as_secs())
        .unwrap_or_default()
}
