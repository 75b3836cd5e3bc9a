//! One value in one slot.

use std::marker::PhantomData;

use alloy_primitives::U256;
use chlom_state::StateError;

use super::{Layout, Load, Store, Word};

/// A value of type `T` in one slot; zero when never set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<T> {
    slot: U256,
    value: PhantomData<T>,
}

impl<T> Slot<T> {
    /// The value at a numbered slot, as a contract's state variables are.
    pub const fn new(slot: u64) -> Self {
        Self { slot: U256::from_limbs([slot, 0, 0, 0]), value: PhantomData }
    }

    /// Its slot.
    pub const fn slot(&self) -> U256 {
        self.slot
    }
}

impl<T> Layout for Slot<T> {
    const SLOTS: u64 = 1;

    fn at(slot: U256) -> Self {
        Self { slot, value: PhantomData }
    }
}

impl<T: Word> Slot<T> {
    /// Reads it.
    ///
    /// # Errors
    /// Those of the source, and [`StateError::Corrupt`] when the bits are no `T`.
    pub fn get<L: Load + ?Sized>(&self, from: &mut L) -> Result<T, L::Error> {
        let word = from.load(self.slot)?;
        T::from_word(word).ok_or_else(|| {
            let name = std::any::type_name::<T>();
            StateError::Corrupt(format!("slot {} holds {word:#x}, no {name}", self.slot)).into()
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of the source.
    pub fn set<S: Store + ?Sized>(&self, to: &mut S, value: &T) -> Result<(), S::Error> {
        to.store(self.slot, value.to_word())
    }
}
