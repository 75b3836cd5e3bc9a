//! `V[]`, for elements of whole slots.

use std::marker::PhantomData;

use alloy_primitives::{U256, keccak256};

use super::{Layout, Load, Slot, Store};

/// A dynamic array: its length is in its slot, element i begins at keccak256(slot) + i·[`Layout::SLOTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array<V> {
    slot: U256,
    element: PhantomData<V>,
}

impl<V> Array<V> {
    /// The array at a numbered slot.
    pub const fn new(slot: u64) -> Self {
        Self { slot: U256::from_limbs([slot, 0, 0, 0]), element: PhantomData }
    }

    fn length(&self) -> Slot<u64> {
        Slot::at(self.slot)
    }

    /// How many elements it has.
    ///
    /// # Errors
    /// Those of the source.
    pub fn len<L: Load + ?Sized>(&self, from: &mut L) -> Result<u64, L::Error> {
        self.length().get(from)
    }

    /// Sets how many elements it has. Elements beyond are not cleared here: their owner knows how.
    ///
    /// # Errors
    /// Those of the source.
    pub fn set_len<S: Store + ?Sized>(&self, to: &mut S, len: u64) -> Result<(), S::Error> {
        self.length().set(to, &len)
    }
}

impl<V> Layout for Array<V> {
    const SLOTS: u64 = 1;

    fn at(slot: U256) -> Self {
        Self { slot, element: PhantomData }
    }
}

impl<V: Layout> Array<V> {
    /// Where element `index` is. The caller compares with [`Array::len`]. Offsets wrap at 2²⁵⁶ as in Solidity.
    pub fn element(&self, index: u64) -> V {
        let first: U256 = keccak256(self.slot.to_be_bytes::<32>()).into();
        let offset = U256::from(index).wrapping_mul(U256::from(V::SLOTS));
        V::at(first.wrapping_add(offset))
    }
}
