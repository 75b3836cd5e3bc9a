//! The theorems and invariants of REF §8 that live in this crate, the demo, and the vectors that Solidity shares.

#![allow(clippy::unwrap_used)]

mod demo;
mod model;
mod replay;
mod scenario;
mod seed;
mod sum_trees;
mod theorems;
mod vectors;
