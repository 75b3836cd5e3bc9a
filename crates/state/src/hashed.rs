//! Changes by hashed key, as the trie and the flat tables see them.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, keccak256};

use crate::{account::Account, diff::StateDiff};

/// New values by keccak256 of address and slot: of one block or many, forward or back in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashedChanges {
    /// Accounts; `None` leaves the state, with all its storage. The storage root of an account that is also in
    /// `storage` is not read: it follows from the slots. That of any other account is taken as it is.
    pub accounts: BTreeMap<B256, Option<Account>>,
    /// Storage, by hashed address.
    pub storage: BTreeMap<B256, StorageChange>,
}

/// New values of one account's slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageChange {
    /// True when all slots of before are gone, whether or not `slots` names them.
    pub wiped: bool,
    /// Values by keccak256 of the slot; zero is unset.
    pub slots: BTreeMap<B256, U256>,
}

impl HashedChanges {
    /// Adds changes that come after these.
    pub fn then(&mut self, next: Self) {
        for (hashed, account) in next.accounts {
            if account.is_none() {
                self.storage.insert(hashed, StorageChange { wiped: true, slots: BTreeMap::new() });
            }
            self.accounts.insert(hashed, account);
        }
        for (hashed, change) in next.storage {
            let sum = self.storage.entry(hashed).or_default();
            if change.wiped {
                *sum = change;
            } else {
                sum.slots.extend(change.slots);
            }
        }
    }
}

impl From<&StateDiff> for HashedChanges {
    fn from(diff: &StateDiff) -> Self {
        let mut changes = Self::default();
        for (address, change) in &diff.accounts {
            let hashed = keccak256(address);
            changes.accounts.insert(hashed, change.after);
            if change.wiped || !change.storage.is_empty() {
                let slots =
                    change.storage.iter().map(|(slot, value)| (hash_slot(slot), value.after)).collect();
                changes.storage.insert(hashed, StorageChange { wiped: change.wiped, slots });
            }
        }
        changes
    }
}

/// The key of a slot in its storage trie.
pub(crate) fn hash_slot(slot: &U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}
