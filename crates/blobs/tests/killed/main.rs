//! The store from outside, in processes of their own: killed, and on disks that are full. A test binary of its own: a child
//! between fork and exec holds a copy of every open file, the locks of other tests' directories among them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test binary that needs a part of what the tests share"
)]

mod full;
mod killed;
#[path = "../store/square.rs"]
mod square;
