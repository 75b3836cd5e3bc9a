//! `mapping(K => V)`.

use std::marker::PhantomData;

use alloy_primitives::{Address, B256, U256, keccak256};

use super::{Layout, Word};

/// A key of a mapping: a value type, hashed as its 32-byte word.
pub trait Key {
    /// The key as Solidity pads it.
    fn to_key(&self) -> B256;
}

macro_rules! word_keys {
    ($($name:ty),*) => {$(
        impl Key for $name {
            fn to_key(&self) -> B256 {
                B256::new(self.to_word().to_be_bytes())
            }
        }
    )*};
}

word_keys!(U256, B256, Address, bool, u8, u16, u32, u64, u128);

/// A mapping: the value of key `k` is at keccak256(k ‖ slot).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping<K, V> {
    slot: U256,
    types: PhantomData<(K, V)>,
}

impl<K, V> Mapping<K, V> {
    /// The mapping at a numbered slot.
    pub const fn new(slot: u64) -> Self {
        Self { slot: U256::from_limbs([slot, 0, 0, 0]), types: PhantomData }
    }
}

impl<K, V> Layout for Mapping<K, V> {
    const SLOTS: u64 = 1;

    fn at(slot: U256) -> Self {
        Self { slot, types: PhantomData }
    }
}

impl<K: Key, V: Layout> Mapping<K, V> {
    /// Where the value of a key is.
    pub fn entry(&self, key: &K) -> V {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(key.to_key().as_slice());
        bytes[32..].copy_from_slice(&self.slot.to_be_bytes::<32>());
        V::at(keccak256(bytes).into())
    }
}
