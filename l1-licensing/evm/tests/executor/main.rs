//! The execution of blocks: what begins one, what may not be in it, and what it leaves.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod blocks;
mod chain;
mod one_or_many;
mod traces;
