//! Typed storage with Solidity's slot layout, so that `cast storage`, `eth_getStorageAt` and `eth_getProof` read a
//! module's state like a contract's.
//!
//! A type states where it lies ([`Slot`], [`Mapping`], [`Array`], and structs that implement [`Layout`]); the accessors
//! work on anything that can [`Load`] and [`Store`] slots: a running module's context, committed state
//! ([`ReaderStorage`]), or the map that genesis is built in ([`MapStorage`]).

mod array;
mod mapping;
mod slot;
mod source;
mod word;

pub use array::Array;
pub use mapping::{Key, Mapping};
pub use slot::Slot;
pub use source::{Load, MapStorage, ReaderStorage, Store};
pub use word::Word;

use alloy_primitives::U256;

/// A type with a place in storage.
pub trait Layout {
    /// How many consecutive slots it takes where it stands.
    const SLOTS: u64;

    /// The value whose first slot is `slot`.
    fn at(slot: U256) -> Self;
}

#[cfg(test)]
mod tests;
