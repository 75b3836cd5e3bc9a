//! Reading, by anyone; writing, by the module only.

use alloy_primitives::{Address, B256};
use chlom_module::{Load, ReaderStorage, Store};
use chlom_primitives::address::STAKING;
use chlom_state::StateReader;

use super::{
    set::{Validator, ValidatorSet},
    state_key::{AccountPower, LAST_ID, SETS, SetSlots, ValidatorSlots, WINDOW, Window},
};

/// The module's storage in committed state, to be asked through [`StakingRead`].
pub fn storage<S: StateReader + ?Sized>(reader: &S) -> ReaderStorage<'_, S> {
    ReaderStorage::new(reader, STAKING)
}

fn read_validator<L: Load + ?Sized>(from: &mut L, slots: &ValidatorSlots) -> Result<Validator, L::Error> {
    let consensus_key = slots.consensus_key.get(from)?;
    let AccountPower { account, power } = slots.account_power.get(from)?;
    Ok(Validator { consensus_key, account, power })
}

/// What anyone may ask. `now` is the height of the state that is asked: of the block in execution for a contract, of the
/// last block for the host.
pub trait StakingRead: Load {
    /// Ids of the sets around the height.
    ///
    /// # Errors
    /// Those of the storage.
    fn window(&mut self) -> Result<Window, Self::Error> {
        WINDOW.get(self)
    }

    /// The set that makes the block of a height; `None` for heights whose set is not kept.
    ///
    /// # Errors
    /// Those of the storage.
    fn validator_set(&mut self, now: u64, height: u64) -> Result<Option<ValidatorSet>, Self::Error> {
        match self.window()?.at(now, height) {
            Some(id) => self.set(id).map(Some),
            None => Ok(None),
        }
    }

    /// [`ValidatorSet::hash`] of that set.
    ///
    /// # Errors
    /// Those of the storage.
    fn set_hash(&mut self, now: u64, height: u64) -> Result<Option<B256>, Self::Error> {
        match self.window()?.at(now, height) {
            Some(id) => SETS.entry(&id).hash.get(self).map(Some),
            None => Ok(None),
        }
    }

    /// The set of the current height.
    ///
    /// # Errors
    /// Those of the storage.
    fn current_set(&mut self) -> Result<ValidatorSet, Self::Error> {
        let id = self.window()?.current;
        self.set(id)
    }

    /// Power of the current set.
    ///
    /// # Errors
    /// Those of the storage.
    fn total_power(&mut self) -> Result<u64, Self::Error> {
        let id = self.window()?.current;
        SETS.entry(&id).total_power.get(self)
    }

    /// A validator of the current set.
    ///
    /// # Errors
    /// Those of the storage.
    fn validator(&mut self, account: &Address) -> Result<Option<Validator>, Self::Error> {
        let id = self.window()?.current;
        let set = SETS.entry(&id);
        match set.positions.entry(account).get(self)?.checked_sub(1) {
            Some(index) => read_validator(self, &set.validators.element(index)).map(Some),
            None => Ok(None),
        }
    }

    /// The set with an id.
    ///
    /// # Errors
    /// Those of the storage.
    fn set(&mut self, id: u64) -> Result<ValidatorSet, Self::Error> {
        let set = SETS.entry(&id);
        let len = set.validators.len(self)?;
        let validators = (0..len).map(|index| read_validator(self, &set.validators.element(index)));
        Ok(ValidatorSet::from_storage(validators.collect::<Result<_, _>>()?))
    }
}

impl<L: Load + ?Sized> StakingRead for L {}

/// What only the module does.
pub(crate) trait StakingWrite: Store {
    /// Stores a set under a new id, which it answers.
    fn add_set(&mut self, set: &ValidatorSet) -> Result<u64, Self::Error> {
        // 2⁶⁴ sets, one a block at most, are never reached.
        let id = LAST_ID.get(self)?.saturating_add(1);
        LAST_ID.set(self, &id)?;
        let slots = SETS.entry(&id);
        for (index, validator) in (0..).zip(set.iter()) {
            write_validator(self, &slots, index, validator)?;
        }
        slots.validators.set_len(self, u64::try_from(set.len()).unwrap_or(u64::MAX))?;
        slots.total_power.set(self, &set.total_power())?;
        slots.hash.set(self, &set.hash())?;
        Ok(id)
    }

    /// Clears a set that no height needs any more.
    fn remove_set(&mut self, id: u64) -> Result<(), Self::Error> {
        let slots = SETS.entry(&id);
        for index in 0..slots.validators.len(self)? {
            let validator = slots.validators.element(index);
            let account = validator.account_power.get(self)?.account;
            slots.positions.entry(&account).set(self, &0)?;
            validator.consensus_key.set(self, &B256::ZERO)?;
            validator.account_power.set(self, &AccountPower { account: Address::ZERO, power: 0 })?;
        }
        slots.validators.set_len(self, 0)?;
        slots.total_power.set(self, &0)?;
        slots.hash.set(self, &B256::ZERO)
    }
}

fn write_validator<S: Store + ?Sized>(
    to: &mut S,
    set: &SetSlots,
    index: u64,
    validator: &Validator,
) -> Result<(), S::Error> {
    let Validator { consensus_key, account, power } = *validator;
    let slots = set.validators.element(index);
    slots.consensus_key.set(to, &consensus_key)?;
    slots.account_power.set(to, &AccountPower { account, power })?;
    set.positions.entry(&account).set(to, &index.saturating_add(1))
}

impl<S: Store + ?Sized> StakingWrite for S {}
