//! The store from outside: against a model, with failing writes, killed at any moment, over foreign and damaged
//! directories, and read while it is written. Its sibling `killed` kills it.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test binary"
)]

mod chain;
mod directories;
mod faults;
mod model;
mod pruning;
mod readers;
