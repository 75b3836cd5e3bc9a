//! The store over ten thousand heights, and on a disk that is full. A test binary of its own: it starts processes, which
//! hold a copy of every open file between fork and exec.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test binary that needs a part of what the tests share"
)]

#[path = "../store/chain.rs"]
mod chain;
mod full_disk;
mod history;
