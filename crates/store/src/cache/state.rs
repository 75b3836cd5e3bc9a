//! The caches of state at the newest staged block.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use chlom_state::{Account, Branch, Child, SlotChange, StateDiff, TrieId, TrieUpdates, account::EMPTY_ROOT};

use super::{
    recent::Recent,
    tip::{CacheKey, TipCache, Weight},
};
use crate::{
    layer::is_wiped,
    nodes::{NodeKey, branch_bytes},
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

impl Weight for Option<Branch> {
    fn weight(&self) -> usize {
        self.as_ref().map_or(0, branch_bytes)
    }

    fn touch(&self) -> u8 {
        self.as_ref().and_then(|branch| branch.as_bytes().first().copied()).unwrap_or_default()
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

impl CacheKey for Address {}
impl CacheKey for (Address, U256) {}
impl CacheKey for TrieId {}

impl CacheKey for NodeKey {
    /// By the path's first six bits: an update asks for sorted paths, below one nibble at a time.
    fn shard(&self, _: u64) -> usize {
        let (trie, path) = self;
        let trie = match trie {
            TrieId::Accounts => 0,
            TrieId::Storage(hashed) => usize::from(hashed[0]),
        };
        let nibble = |at| path.get(at).map_or(0, usize::from);
        trie + nibble(0) * 4 + nibble(1) / 4
    }
}

/// See the module's documentation.
pub(crate) struct StateCaches {
    pub(crate) accounts: TipCache<Address, Compact>,
    pub(crate) slots: TipCache<(Address, U256), U256>,
    pub(crate) roots: TipCache<TrieId, Option<Child>>,
    pub(crate) branches: TipCache<NodeKey, Option<Branch>>,
    pub(crate) codes: Recent<B256, Bytes>,
}

/// Values that others replaced in the caches.
pub(crate) struct Replaced {
    _accounts: Vec<Compact>,
    _branches: Vec<Option<Branch>>,
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

    /// Enters everything that a block changes. Nobody may read at `commit` before this returns. What the caches held
    /// instead comes back: letting it go takes a while.
    pub(crate) fn stage(&self, diff: &StateDiff, trie: &TrieUpdates, commit: u64) -> Replaced {
        // A wipe changes slots and records that are not named: those caches start anew, which is dear and rare.
        if diff.accounts.values().any(|change| change.before.is_some() && is_wiped(change)) {
            self.slots.clear(commit);
        }
        if !trie.cleared.is_empty() {
            self.roots.clear(commit);
            self.branches.clear(commit);
        }
        let (accounts, branches) =
            rayon::join(|| self.stage_flat(diff, commit), || self.stage_trie(trie, commit));
        Replaced { _accounts: accounts, _branches: branches }
    }

    fn stage_flat(&self, diff: &StateDiff, commit: u64) -> Vec<Compact> {
        self.accounts.begin(commit);
        self.slots.begin(commit);
        let slots = diff.accounts.iter().flat_map(|(address, change)| {
            let is_there = change.after.is_some();
            let slot = move |(slot, value): (&U256, &SlotChange)| {
                ((*address, *slot), if is_there { value.after } else { U256::ZERO })
            };
            change.storage.iter().map(slot)
        });
        self.slots.put_all(slots, commit);
        let accounts = diff.accounts.iter().map(|(address, change)| (*address, change.after.into()));
        self.accounts.put_all(accounts, commit)
    }

    fn stage_trie(&self, trie: &TrieUpdates, commit: u64) -> Vec<Option<Branch>> {
        self.roots.begin(commit);
        self.branches.begin(commit);
        self.roots.put_all(trie.roots.iter().map(|(id, root)| (*id, root.clone())), commit);
        let branches = trie
            .branches
            .iter()
            .flat_map(|(id, branches)| branches.iter().map(|(path, branch)| ((*id, *path), branch.clone())));
        self.branches.put_all(branches, commit)
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
