//! The caches of state at the newest staged block.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use chlom_state::{Account, Child, StateDiff, TrieId, TrieUpdates, account::EMPTY_ROOT};

use super::{
    recent::Recent,
    tip::{TipCache, Weight},
};
use crate::{
    layer::is_wiped,
    nodes::{NodeKey, WeighedBranch},
};

/// An account in few bytes: most have neither code nor storage, nor more than 2¹²⁸ wei.
#[derive(Clone, Debug, Default)]
pub(crate) enum Compact {
    #[default]
    Absent,
    Plain {
        nonce: u64,
        /// Low and high half of the balance.
        balance: [u64; 2],
    },
    Full(Box<Account>),
}

impl From<Option<Account>> for Compact {
    fn from(account: Option<Account>) -> Self {
        let Some(account) = account else { return Self::Absent };
        match account.balance.into_limbs() {
            [low, high, 0, 0]
                if account.storage_root == EMPTY_ROOT && account.code_hash == KECCAK256_EMPTY =>
            {
                Self::Plain { nonce: account.nonce, balance: [low, high] }
            }
            _ => Self::Full(Box::new(account)),
        }
    }
}

impl From<Compact> for Option<Account> {
    fn from(compact: Compact) -> Self {
        match compact {
            Compact::Absent => None,
            Compact::Plain { nonce, balance: [low, high] } => {
                Some(Account { nonce, balance: U256::from_limbs([low, high, 0, 0]), ..Account::default() })
            }
            Compact::Full(account) => Some(*account),
        }
    }
}

impl Weight for Compact {
    fn weight(&self) -> usize {
        if matches!(self, Self::Full(_)) { size_of::<Account>() + 16 } else { 0 }
    }
}

impl Weight for WeighedBranch {
    fn weight(&self) -> usize {
        self.bytes as usize
    }
}

impl Weight for Option<Child> {
    fn weight(&self) -> usize {
        0
    }
}

impl Weight for U256 {
    fn weight(&self) -> usize {
        0
    }
}

/// See the module's documentation.
pub(crate) struct StateCaches {
    pub(crate) accounts: TipCache<Address, Compact>,
    pub(crate) slots: TipCache<(Address, U256), U256>,
    pub(crate) roots: TipCache<TrieId, Option<Child>>,
    pub(crate) branches: TipCache<NodeKey, WeighedBranch>,
    pub(crate) codes: Recent<B256, Bytes>,
}

impl StateCaches {
    /// Most for the trie, which is asked most and costs most to ask elsewhere.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            accounts: TipCache::new(bytes / 4),
            slots: TipCache::new(bytes / 5),
            roots: TipCache::new(bytes / 20),
            branches: TipCache::new(bytes / 20 * 9),
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
            self.accounts.put(*address, change.after.into(), commit);
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
                self.branches.put((*id, *path), branch.clone().into(), commit);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_come_back_from_few_bytes() {
        assert!(size_of::<Compact>() <= 32);
        let plain = Account { nonce: 3, balance: U256::from(u128::MAX), ..Account::default() };
        let rich = Account { balance: U256::from(u128::MAX) + U256::from(1), ..plain };
        let contract = Account { code_hash: B256::repeat_byte(1), ..plain };
        let owner = Account { storage_root: B256::repeat_byte(2), ..plain };
        for account in [None, Some(plain), Some(rich), Some(contract), Some(owner)] {
            assert_eq!(Option::<Account>::from(Compact::from(account)), account);
        }
    }
}
