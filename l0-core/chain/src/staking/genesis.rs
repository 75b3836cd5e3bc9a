//! The storage to begin with.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use chlom_module::MapStorage;
use chlom_state::StateError;

use super::{
    set::ValidatorSet,
    state_key::{WINDOW, Window},
    view::StakingWrite,
};

/// The validator set that makes the first blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakingGenesis {
    /// At every height until something else is decided.
    pub validators: ValidatorSet,
}

impl StakingGenesis {
    /// The module's storage at height 0.
    ///
    /// # Errors
    /// Never: a map answers every read. The type is that of storage in general.
    pub fn allocate(&self) -> Result<BTreeMap<U256, U256>, StateError> {
        let mut storage = MapStorage::default();
        let id = storage.add_set(&self.validators)?;
        WINDOW.set(&mut storage, &Window::of(id))?;
        Ok(storage.0)
    }
}
