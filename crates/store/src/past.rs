//! State at heights below the newest: the value before the first change after that height, or else the present one. Upholds [STA-5].

use std::collections::BTreeSet;

use alloy_primitives::{B256, U256};
use chlom_state::{Account, StateError};

use crate::{
    encoding::{account, key},
    kv::Table,
    version::Pinned,
};

impl Pinned {
    /// The account after block `height`.
    pub(crate) fn account_at(&self, height: u64, hashed: &B256) -> Result<Option<Account>, StateError> {
        let from = key::account_history(hashed, height.saturating_add(1));
        let to = key::account_history(hashed, u64::MAX);
        match self.snapshot.first(Table::AccountHistory, &from, &to)? {
            Some(before) => account::decode_maybe(&before),
            None => self.account(hashed),
        }
    }

    /// The slot's value after block `height`.
    pub(crate) fn storage_at(&self, height: u64, hashed: &B256, slot: &B256) -> Result<U256, StateError> {
        let from = key::storage_history(hashed, slot, height.saturating_add(1));
        let to = key::storage_history(hashed, slot, u64::MAX);
        match self.snapshot.first(Table::StorageHistory, &from, &to)? {
            Some(before) => account::decode_slot(&before),
            None => self.storage(hashed, slot),
        }
    }

    /// All set slots after block `height`. Reads the account's whole kept history.
    pub(crate) fn storage_entries_at(
        &self,
        height: u64,
        hashed: &B256,
    ) -> Result<Vec<(B256, U256)>, StateError> {
        let mut entries = self.storage_entries(hashed)?;
        let from = key::storage_history(hashed, &B256::ZERO, 0);
        let to = key::storage_history(hashed, &B256::repeat_byte(0xff), u64::MAX);
        let mut settled = BTreeSet::new();
        let mut fault = None;
        self.snapshot.scan(Table::StorageHistory, &from, &to, &mut |key, before| {
            let Some((slot, at)) = key::split_storage_history(key) else {
                fault = Some(StateError::Corrupt("a key of the storage history is too short".into()));
                return false;
            };
            if at <= height || !settled.insert(slot) {
                return true;
            }
            match account::decode_slot(before) {
                Ok(value) if value.is_zero() => drop(entries.remove(&slot)),
                Ok(value) => drop(entries.insert(slot, value)),
                Err(error) => fault = Some(error),
            }
            fault.is_none()
        })?;
        fault.map_or_else(|| Ok(entries.into_iter().collect()), Err)
    }
}
