//! The lane crate from outside.

#![allow(clippy::unwrap_used)]

mod demo;
mod headers;
mod intake;
mod rows;
mod script;
mod story;
mod vectors;
