//! CHLOM's royalty arithmetic, bit for bit what `contracts/src/licensing` does (ARCHITECTURE §6; REF §8, C5, C11, C12, C16,
//! C27, C31, C44).
//!
//! Money's way, in order:
//!
//! - [`period`]: the weeks that revenue is counted by.
//! - [`base`]: what revenue owes at a licence's rate; [`fee`]: what of that the network takes. [`accrual`] keeps both
//!   cumulative per (token, licence, lane, period).
//! - [`route`]: the way from a licence up to its root, by hash; [`flow`]: what passes up an edge and what stays.
//! - [`split`] and [`tree`]: who shares what stays, as a list or as the root of a sum tree.
//! - [`receipt`]: each payee's amount with a Merkle path.
//! - [`hold`]: what enforcement keeps back when it would be withdrawn.
//! - [`ledger`]: all of it together in memory; it asks a [`Registry`] about licences. [`forest`] is one in memory.
//!
//! # Invariants
//!
//! Amounts are integers in a token's minor unit. Every share is the floor of a cumulative amount less what was paid
//! before, so totals depend neither on how revenue was batched nor on the order of settlement.

#![warn(clippy::arithmetic_side_effects)]

pub mod accrual;
pub mod amount;
pub mod base;
pub mod error;
pub mod fee;
pub mod flow;
pub mod forest;
pub mod hold;
pub mod ledger;
pub mod period;
pub mod receipt;
pub mod registry;
pub mod route;
pub mod split;
pub mod tree;

pub use accrual::{Accrual, Due};
pub use error::{
    AmountTooLarge, ForestError, LedgerError, PeriodMalformed, RateTooHigh, SplitError, TreeError,
};
pub use fee::Fee;
pub use flow::{Account, Edge};
pub use forest::Forest;
pub use ledger::{Ledger, RouteKey, Row};
pub use period::Period;
pub use registry::{Registry, Split};
pub use route::RouteNode;
pub use split::{Share, SplitVector};
pub use tree::{Leaf, LeafProof, SplitTree};
