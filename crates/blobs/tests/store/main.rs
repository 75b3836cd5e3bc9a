//! The store from outside.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test binary of an edge crate"
)]

mod cells;
mod directories;
mod expiry;
mod faults;
mod model;
mod rot;
mod square;
mod threads;
