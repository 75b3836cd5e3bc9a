//! Tries of earlier heights.
//!
//! Only the newest trie is kept. An earlier one is its records with those on the paths of everything that changed since
//! put back, which is worked out on demand and kept for a while: one working-out serves all who ask for its height. The
//! accounts come first, because every proof needs them; an account's storage follows when it is asked for.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use alloy_primitives::{B256, keccak256};
use alloy_trie::Nibbles;
use chlom_state::{
    Branch, Child, HashedChanges, NodeReader, StateError, TrieId, TrieUpdates,
    trie::{self, Layered},
};
use parking_lot::Mutex;

use crate::{error::StoreError, shared::Shared, version::Version, view::StateView};

/// Earlier tries kept; each holds what the blocks since have changed.
const KEPT: usize = 4;

/// Blocks after which an earlier trie is let go: it keeps the engine's state of then alive.
const KEPT_BLOCKS: u64 = 64;

/// Accounts whose storage of then is kept with an earlier trie.
const KEPT_STORAGE: usize = 64;

/// Values of then and what they make of a trie.
struct Reverted {
    values: HashedChanges,
    updates: TrieUpdates,
}

/// The trie of an earlier height, over a newer version's.
pub(crate) struct Earlier {
    height: u64,
    base: Arc<Version>,
    accounts: Reverted,
    /// Slots that changed since, by account.
    slots: BTreeMap<B256, BTreeSet<B256>>,
    storage: Mutex<BTreeMap<B256, Arc<Reverted>>>,
}

/// Those worked out lately.
#[derive(Default)]
pub(crate) struct EarlierTries {
    kept: Mutex<VecDeque<Arc<Earlier>>>,
}

impl EarlierTries {
    /// Lets go of what a newer head has left behind: each holds a snapshot of the engine. Without waiting: a list in use is
    /// tidied with the next block.
    pub(crate) fn tidy(&self, head: &Version) {
        if let Some(mut kept) = self.kept.try_lock() {
            kept.retain(|earlier| earlier.is_near(head));
        }
    }

    /// The trie of an earlier height. Whoever asks meanwhile waits: the work is heavy, and most ask for the same.
    pub(crate) fn at(
        &self,
        shared: &Arc<Shared>,
        head: &Arc<Version>,
        height: u64,
    ) -> Result<Arc<Earlier>, StoreError> {
        let oldest = head.height().saturating_sub(shared.proof_history);
        if height < oldest {
            return Err(StoreError::NoProof { height, oldest });
        }
        let oldest = shared.oldest(head.height());
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        let mut kept = self.kept.lock();
        kept.retain(|earlier| earlier.is_near(head));
        if let Some(found) = kept.iter().find(|earlier| earlier.height == height) {
            return Ok(found.clone());
        }
        let earlier = Arc::new(Earlier::new(shared, head, height)?);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(earlier.clone());
        Ok(earlier)
    }
}

impl Earlier {
    fn is_near(&self, head: &Version) -> bool {
        self.base.fork == head.fork && head.height().saturating_sub(self.base.height()) < KEPT_BLOCKS
    }

    fn new(shared: &Arc<Shared>, base: &Arc<Version>, height: u64) -> Result<Self, StoreError> {
        let (mut values, mut slots) = (HashedChanges::default(), BTreeMap::new());
        for (address, touched) in base.pinned.touched(height, base.height())? {
            let hashed = keccak256(address);
            values.accounts.insert(hashed, base.pinned.account_at(height, &hashed)?);
            if !touched.is_empty() {
                slots.insert(hashed, touched);
            }
        }
        let updates = trie::apply_hashed(&StateView::newest(shared, base), &values)?;
        let accounts = Reverted { values, updates };
        let earlier = Self { height, base: base.clone(), accounts, slots, storage: Mutex::default() };
        earlier.check(shared)?;
        Ok(earlier)
    }

    /// The values of then must have the root of then. They do not either when history was pruned while it was read.
    fn check(&self, shared: &Shared) -> Result<(), StoreError> {
        let (height, got) = (self.height, self.accounts.updates.state_root);
        let header = shared.header_in(&self.base, height)?;
        let (header, _) = header.ok_or_else(|| shared.damaged(format!("no header at height {height}")))?;
        if header.state_root == got {
            return Ok(());
        }
        let oldest = shared.oldest(shared.head().map_or(0, |head| head.height()));
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        let want = header.state_root;
        Err(shared.damaged(format!("history gives height {height} the state root {got}, not {want}")))
    }

    /// This trie to read.
    pub(crate) fn reader<'a>(&'a self, shared: &Arc<Shared>) -> EarlierReader<'a> {
        EarlierReader { earlier: self, base: StateView::newest(shared, &self.base) }
    }
}

/// Reads an earlier trie.
pub(crate) struct EarlierReader<'a> {
    earlier: &'a Earlier,
    base: StateView,
}

impl EarlierReader<'_> {
    fn accounts(&self) -> Layered<'_, StateView> {
        let accounts = &self.earlier.accounts;
        Layered::new(&self.base, &accounts.values, &accounts.updates)
    }

    /// What is different about an account's storage; `None` when nothing is.
    fn storage(&self, hashed: &B256) -> Result<Option<Arc<Reverted>>, StateError> {
        let Some(slots) = self.earlier.slots.get(hashed) else { return Ok(None) };
        if let Some(known) = self.earlier.storage.lock().get(hashed) {
            return Ok(Some(known.clone()));
        }
        let (height, pinned) = (self.earlier.height, &self.earlier.base.pinned);
        if self.earlier.accounts.values.accounts.get(hashed).is_some_and(Option::is_none) {
            return Ok(None);
        }
        let mut values = HashedChanges::default();
        let change = values.storage.entry(*hashed).or_default();
        for slot in slots {
            change.slots.insert(*slot, pinned.storage_at(height, hashed, slot)?);
        }
        let updates = trie::apply_hashed(&self.accounts(), &values)?;
        let reverted = Arc::new(Reverted { values, updates });
        let mut kept = self.earlier.storage.lock();
        if kept.len() >= KEPT_STORAGE {
            kept.clear();
        }
        kept.insert(*hashed, reverted.clone());
        Ok(Some(reverted))
    }

    fn read<T>(
        &self,
        trie: &TrieId,
        read: impl Fn(&dyn NodeReader) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let accounts = self.accounts();
        let storage = match trie {
            TrieId::Accounts => None,
            TrieId::Storage(hashed) => self.storage(hashed)?,
        };
        match storage {
            Some(storage) => read(&Layered::new(&accounts, &storage.values, &storage.updates)),
            None => read(&accounts),
        }
    }
}

impl NodeReader for EarlierReader<'_> {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        self.read(trie, |reader| reader.root(trie))
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        self.read(trie, |reader| reader.branch(trie, path))
    }

    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        self.read(trie, |reader| reader.leaf(trie, key))
    }
}
