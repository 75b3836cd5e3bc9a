//! The server on a real socket, in front of a small chain in memory.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the tests of an edge"
)]

mod attacks;
mod http;
mod limits;
mod pages;
mod support;
mod uploads;
mod websocket;
