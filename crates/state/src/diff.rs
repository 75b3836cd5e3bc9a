//! What one block changes: sorted by address and slot, with the value before and after. The same object feeds the trie,
//! the flat tables and the history.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::account::Account;

/// All changes of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDiff {
    /// Changed accounts. An account whose storage alone changed is in here too: its storage root changes.
    pub accounts: BTreeMap<Address, AccountChange>,
    /// Code that the block deployed, by hash.
    pub codes: BTreeMap<B256, Bytes>,
    /// keccak256 of the addresses in `accounts`, in their order, once [`crate::trie::apply`] has made them; else nothing.
    pub hashed: Vec<B256>,
}

/// The change of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// At the parent's height; `None` when it was not in the state.
    pub before: Option<Account>,
    /// After the block; `None` when it left the state. Its `storage_root` is the parent's until
    /// [`crate::trie::apply`] sets it.
    pub after: Option<Account>,
    /// True when all storage of before the block is gone, whether or not `storage` names it.
    pub wiped: bool,
    /// Changed slots; after a wipe, the slots set since (with `before` still the parent's value).
    pub storage: BTreeMap<U256, SlotChange>,
}

/// The change of one slot; zero is unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotChange {
    /// At the parent's height.
    pub before: U256,
    /// After the block.
    pub after: U256,
}
