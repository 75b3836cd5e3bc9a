//! Lanes (ARCHITECTURE §6, REF §5): from receipts to a batch that is either right or provably wrong.
//!
//! - [`lane`]: lanes and sources by name.
//! - [`receipt`]: what shops, ad servers and streaming services report.
//! - [`build`](mod@build): receipts to a batch, a blob of [`page`]s. [`row`] and [`merkle`]: what is settled of it, and how it is proven.
//! - [`header`]: what is submitted of a batch; its hash is the batch's name.
//! - [`fraud`]: a batch checked, its frauds proven and judged. [`state`]: what that asks of the chain.
//! - [`forge`]: batches that somebody changed, for drills and tests.
//! - [`module`]: `0x…1014`, what the chain runs of all this.
//!
//! Nothing here has a socket, clock or disk.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod blob;
pub mod build;
pub mod bytes;
pub mod forge;
pub mod fraud;
pub mod header;
pub mod lane;
pub mod merkle;
pub mod module;
pub mod page;
pub mod receipt;
pub mod row;
pub mod state;

#[cfg(test)]
mod testing;

pub use blob::Blob;
pub use build::{Draft, Frame, build};
pub use header::{Header, HeaderFault, PayerTotal};
pub use lane::LaneId;
pub use receipt::Receipt;
pub use row::Row;
pub use state::LaneState;
