//! Statements (spec/statements.md, decision 0028): what a payee is owed in a token and why, every number of it proven against the
//! state root of one block's header. Whoever trusts the header believes nothing else.
//!
//! - [`document`]: the file: lines for people, and the evidence that they follow from.
//! - [`trie`]: nodes of the state's tries, and the way from a root to a value. [`slots`]: where the contracts keep what is asked for.
//! - `flow`: money up the routes, as `chlom-royalty` reckons it, from what each accrual brought to what each payee is owed.
//! - [`mod@verify`]: a file checked against a header. [`mod@make`]: a file made from evidence, by the same reckoning.
//! - [`csv`]: the lines for spreadsheets. [`fault`]: what can be wrong.
//!
//! Nothing here has a socket, clock or disk.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod csv;
pub mod document;
pub mod fault;
mod flow;
pub mod make;
mod rows;
pub mod slots;
pub mod trie;
pub mod verify;

pub use document::Statement;
pub use fault::Fault;
pub use make::{Draft, make};
pub use verify::{Verified, verify};
