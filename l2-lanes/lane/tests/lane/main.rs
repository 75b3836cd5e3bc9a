//! The lane crate from outside.

#![allow(clippy::unwrap_used)]

mod headers;
mod rows;
mod vectors;
