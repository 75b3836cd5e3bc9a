//! Blobs of a running `chlom dev`: archived in a bucket, and on a disk that is full.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "real processes, sockets and files"
)]

mod archive;
mod full_disk;
mod node;
