//! Committed state, blocks and history on disk or in memory.
//!
//! - [`config`]: what a node chooses; [`error`]: why the store refuses or fails.
//! - `kv`: the engine below, on disk or in memory: snapshots and atomic batches over ordered tables.
//! - `encoding`: keys and records as bytes.
//! - `layer`: a block with everything that it changes; `version`: the chain up to a block, as one picture that never
//!   changes; `past`: the state of earlier heights in it; `nodes`: trie records on their way to the engine.
//! - `cache`: memory that saves reads.
//! - [`view`]: state at one height, for those who read.
//! - [`store`]: the handle, `lookup`: blocks by height and hash; `writer`: the one thread that writes, block after block.
//! - `open`, `directory`, `recover`: from a directory to a chain, whatever happened before; `tip_file`: how far the chain
//!   was durable, told apart from the engine.
//! - `proof`, `earlier`, `rewind`, `prune`: proofs, tries of earlier heights, going back, forgetting.
//!
//! # A block's way
//!
//! [`Store::stage`] puts a block into memory, where [`Store::tip_view`] sees it at once: the next block executes on it.
//! The writer makes it durable in one atomic batch (state, history, block, receipts, indices, height), and only then does
//! [`Store::head`] show it. A write that fails ends writing for good: what is staged vanishes, what is durable stays
//! readable.

#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod blocks;
mod cache;
mod commit;
pub mod config;
mod directory;
mod earlier;
mod encoding;
pub mod error;
mod kv;
mod layer;
mod lookup;
mod nodes;
mod open;
mod past;
mod proof;
mod prune;
mod recover;
mod rewind;
mod shared;
mod stats;
pub mod store;
mod tip_file;
mod version;
pub mod view;
mod writer;

pub use config::{Backend, FailPoint, History, StoreConfig, WriteStep};
pub use error::StoreError;
pub use layer::Commit;
pub use proof::{AccountProof, SlotProof};
pub use stats::StoreStats;
pub use store::{CommitTicket, Store};
pub use view::{Head, StateView};
