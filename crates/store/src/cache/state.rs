//! The caches of state at the newest staged block.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use chlom_state::{Account, Branch, Child, StateDiff, TrieId, TrieUpdates, account::EMPTY_ROOT};

use super::{
    recent::Recent,
    tip::{TipCache, Weight},
};
use crate::{layer::is_wiped, nodes::NodeKey};

/// An account with its hashes out of line: most accounts have neither code nor storage.
#[derive(Clone, Debug)]
pub(crate) struct Compact {
    nonce: u64,
    balance: U256,
    contract: Option<Box<(B256, B256)>>,
}

impl From<Account> for Compact {
    fn from(account: Account) -> Self {
        let Account { nonce, balance, storage_root, code_hash } = account;
        let plain = storage_root == EMPTY_ROOT && code_hash == KECCAK256_EMPTY;
        Self { nonce, balance, contract: (!plain).then(|| Box::new((storage_root, code_hash))) }
    }
}

impl From<Compact> for Account {
    fn from(compact: Compact) -> Self {
        let (storage_root, code_hash) =
            compact.contract.map_or((EMPTY_ROOT, KECCAK256_EMPTY), |hashes| *hashes);
        Self { nonce: compact.nonce, balance: compact.balance, storage_root, code_hash }
    }
}

impl Weight for Option<Compact> {
    fn weight(&self) -> usize {
        self.as_ref()
            .and_then(|account| account.contract.as_ref())
            .map_or(0, |_| size_of::<(B256, B256)>() + 16)
    }
}

impl Weight for U256 {
    fn weight(&self) -> usize {
        0
    }
}

/// See the module's documentation.
pub(crate) struct StateCaches {
    pub(crate) accounts: TipCache<Address, Option<Compact>>,
    pub(crate) slots: TipCache<(Address, U256), U256>,
    pub(crate) roots: TipCache<TrieId, Option<Child>>,
    pub(crate) branches: TipCache<NodeKey, Option<Arc<Branch>>>,
    pub(crate) codes: Recent<B256, Bytes>,
}

impl StateCaches {
    /// Half for the trie, which is asked most and costs most to ask elsewhere.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            accounts: TipCache::new(bytes / 5),
            slots: TipCache::new(bytes / 5),
            roots: TipCache::new(bytes / 20),
            branches: TipCache::new(bytes / 2),
            codes: Recent::new(bytes / 20),
        }
    }

    /// Enters everything that a block changes. Nobody may read at `commit` before this returns.
    pub(crate) fn stage(&self, diff: &StateDiff, trie: &TrieUpdates, commit: u64) {
        // A wipe changes slots and records that are not named: those caches start anew, which is dear and rare.
        if diff.accounts.values().any(|change| change.before.is_some() && is_wiped(change)) {
            self.slots.clear(commit);
        }
        if !trie.cleared.is_empty() {
            self.roots.clear(commit);
            self.branches.clear(commit);
        }
        rayon::join(|| self.stage_flat(diff, commit), || self.stage_trie(trie, commit));
    }

    fn stage_flat(&self, diff: &StateDiff, commit: u64) {
        self.accounts.begin(commit);
        self.slots.begin(commit);
        for (address, change) in &diff.accounts {
            self.accounts.put(*address, change.after.map(Compact::from), commit);
            for (slot, value) in &change.storage {
                let value = if change.after.is_some() { value.after } else { U256::ZERO };
                self.slots.put((*address, *slot), value, commit);
            }
        }
    }

    fn stage_trie(&self, trie: &TrieUpdates, commit: u64) {
        self.roots.begin(commit);
        self.branches.begin(commit);
        for (id, root) in &trie.roots {
            self.roots.put(*id, root.clone(), commit);
        }
        for (id, branches) in &trie.branches {
            for (path, branch) in branches {
                self.branches.put((*id, *path), branch.clone(), commit);
            }
        }
    }

    /// Forgets everything that belongs to a height.
    pub(crate) fn clear(&self, commit: u64) {
        self.accounts.clear(commit);
        self.slots.clear(commit);
        self.roots.clear(commit);
        self.branches.clear(commit);
    }

    /// Bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        self.accounts.bytes() + self.slots.bytes() + self.roots.bytes() + self.branches.bytes()
    }
}
