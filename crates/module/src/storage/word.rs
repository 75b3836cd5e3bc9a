//! Values that fit one slot, encoded as Solidity does: numbers and addresses right-aligned, fixed bytes whole.

use alloy_primitives::{Address, B256, U256};

/// A value of one slot.
pub trait Word: Sized {
    /// Its slot.
    fn to_word(&self) -> U256;

    /// The value in a slot; `None` when the slot's bits are none of this type's values. Zero is always a value.
    fn from_word(word: U256) -> Option<Self>;
}

impl Word for U256 {
    fn to_word(&self) -> U256 {
        *self
    }
    fn from_word(word: U256) -> Option<Self> {
        Some(word)
    }
}

impl Word for B256 {
    fn to_word(&self) -> U256 {
        U256::from_be_bytes(self.0)
    }
    fn from_word(word: U256) -> Option<Self> {
        Some(Self(word.to_be_bytes()))
    }
}

impl Word for Address {
    fn to_word(&self) -> U256 {
        self.into_word().to_word()
    }
    fn from_word(word: U256) -> Option<Self> {
        (word.bit_len() <= 160).then(|| Self::from_word(B256::new(word.to_be_bytes())))
    }
}

impl Word for bool {
    fn to_word(&self) -> U256 {
        U256::from(u8::from(*self))
    }
    fn from_word(word: U256) -> Option<Self> {
        match u8::from_word(word)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

macro_rules! number {
    ($($name:ty),*) => {$(
        impl Word for $name {
            fn to_word(&self) -> U256 {
                U256::from(*self)
            }
            fn from_word(word: U256) -> Option<Self> {
                Self::try_from(word).ok()
            }
        }
    )*};
}

number!(u8, u16, u32, u64, u128);
