//! The lane crate from outside.

#![allow(clippy::unwrap_used)]

mod batches;
mod demo;
mod headers;
mod intake;
mod rows;
mod script;
mod story;
mod vectors;
