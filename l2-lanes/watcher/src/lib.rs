//! The watcher (ARCHITECTURE §6): whoever runs one keeps every lane honest, and is paid for each fraud. It trusts no operator and
//! shares nothing with one (decision 0020).
//!
//! - [`follow`]: from the chain's events to batches, in the order in which they were accepted. [`store`]: what is known of them, on
//!   disk, so that a crash at any point loses nothing.
//! - [`fetch`]: a batch's blob, whole, and the very one that was committed to.
//! - [`state`]: what contract state says of a batch, asked in few calls. [`check`](mod@check): the batch judged by it.
//! - [`punish`]: commit, prove, be paid: the next step from what the chain says, whatever was done before a crash.
//! - [`watcher`]: the loop. [`health`]: what it says of itself, and when it is blind or behind. [`serve`]: that over HTTP.
//! - [`drill`]: frauds of every kind planted on a development chain.

// An edge: see .clippy.toml.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod check;
pub mod drill;
mod error;
pub mod fetch;
pub mod follow;
pub mod health;
pub mod punish;
pub mod serve;
pub mod state;
pub mod store;
pub mod watcher;

pub use error::WatchError;
pub use watcher::{Config, Watcher};
