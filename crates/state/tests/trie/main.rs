//! The trie against a naive one, and the promises that its users rely on.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod blocks;
mod damage;
mod keys;
mod naive;
mod proofs;
mod records;
mod reverted;
mod roots;
mod threads;
mod world;
