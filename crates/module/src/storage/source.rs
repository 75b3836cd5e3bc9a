//! Where slots come from and go to.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use chlom_state::{StateError, StateReader};

use crate::{context::ModuleContext, error::ModuleError};

/// Something that slots can be read from.
pub trait Load {
    /// Why a read fails.
    type Error: From<StateError>;

    /// The slot's value; zero when it is not set.
    ///
    /// # Errors
    /// Those of the source.
    fn load(&mut self, slot: U256) -> Result<U256, Self::Error>;
}

/// Something that slots can be written to.
pub trait Store: Load {
    /// Sets the slot.
    ///
    /// # Errors
    /// Those of the source.
    fn store(&mut self, slot: U256, value: U256) -> Result<(), Self::Error>;
}

impl Load for dyn ModuleContext + '_ {
    type Error = ModuleError;
    fn load(&mut self, slot: U256) -> Result<U256, ModuleError> {
        ModuleContext::load(self, slot)
    }
}

impl Store for dyn ModuleContext + '_ {
    fn store(&mut self, slot: U256, value: U256) -> Result<(), ModuleError> {
        ModuleContext::store(self, slot, value)
    }
}

/// Slots in a map: what genesis is built in. Zero is never stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapStorage(pub BTreeMap<U256, U256>);

impl Load for MapStorage {
    type Error = StateError;
    fn load(&mut self, slot: U256) -> Result<U256, StateError> {
        Ok(self.0.get(&slot).copied().unwrap_or_default())
    }
}

impl Store for MapStorage {
    fn store(&mut self, slot: U256, value: U256) -> Result<(), StateError> {
        if value.is_zero() {
            self.0.remove(&slot);
        } else {
            self.0.insert(slot, value);
        }
        Ok(())
    }
}

/// Slots of one account in committed state: how the host reads a module without calling it.
#[derive(Clone, Copy, Debug)]
pub struct ReaderStorage<'a, S: ?Sized> {
    reader: &'a S,
    address: Address,
}

impl<'a, S: StateReader + ?Sized> ReaderStorage<'a, S> {
    /// The storage of `address` as `reader` has it.
    pub fn new(reader: &'a S, address: Address) -> Self {
        Self { reader, address }
    }
}

impl<S: StateReader + ?Sized> Load for ReaderStorage<'_, S> {
    type Error = StateError;
    fn load(&mut self, slot: U256) -> Result<U256, StateError> {
        self.reader.storage(&self.address, &slot)
    }
}
