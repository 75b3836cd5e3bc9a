//! Lanes (ARCHITECTURE §6, REF §5): from receipts to a batch that is either right or provably wrong.
//!
//! - [`lane`]: lanes and sources by name.
//! - [`header`]: what is submitted of a batch; its hash is the batch's name.
//! - [`row`] and [`merkle`]: what is settled, and how it is proven.
//! - [`module`]: `0x…1014`, what the chain runs of all this.
//!
//! Nothing here has a socket, clock or disk.

#![warn(clippy::arithmetic_side_effects)]

pub mod bytes;
pub mod header;
pub mod lane;
pub mod merkle;
pub mod module;
pub mod page;
pub mod row;

pub use header::{Header, HeaderFault, PayerTotal};
pub use lane::LaneId;
pub use row::Row;
