//! Tries of earlier heights.
//!
//! Only the newest trie is kept. An earlier one is its records with those on the paths of everything that changed since
//! put back, which is worked out on demand and kept for a while: one working-out serves all who ask for its height. The
//! accounts come first, because every proof needs them; an account's storage follows when it is asked for.
//!
//! The work is bounded: in bytes, by the deadline of whoever asks, and in how many heights are worked on at a time.
//! Upholds [STA-8].

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use alloy_primitives::{B256, keccak256};
use alloy_trie::Nibbles;
use chlom_state::{
    Branch, Child, HashedChanges, NodeReader, StateError, TrieId, TrieUpdates,
    trie::{self, Layered},
};
use parking_lot::{Condvar, Mutex};

use crate::{error::StoreError, rewind::Touched, shared::Shared, version::Version, view::StateView};

/// Earlier tries kept; each holds what the blocks since have changed.
const KEPT: usize = 4;

/// Earlier tries worked out at a time.
const AT_WORK: usize = 2;

/// Blocks after which an earlier trie is let go: it keeps the engine's state of then alive.
const KEPT_BLOCKS: u64 = 64;

/// Accounts whose storage of then is kept with an earlier trie.
const KEPT_STORAGE: usize = 64;

/// What an account that changed since takes, in bytes: its keys and values in maps, and its share of records.
const ACCOUNT_BYTES: usize = 500;

/// The same for a slot.
const SLOT_BYTES: usize = 200;

/// Values between two looks at the clock.
const VALUES_A_LOOK: usize = 256;

/// Until when whoever asks wants to know; `None` waits for however long it takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience(pub(crate) Option<Instant>);

impl Patience {
    fn is_over(self) -> bool {
        self.0.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn check(self, height: u64) -> Result<(), StoreError> {
        if self.is_over() { Err(StoreError::Expired { height }) } else { Ok(()) }
    }
}

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

/// A height that somebody asked for. Who asks for the same one waits here.
struct Place {
    height: u64,
    base: Arc<Version>,
    made: Mutex<Option<Arc<Earlier>>>,
}

/// Those worked out lately.
#[derive(Default)]
pub(crate) struct EarlierTries {
    kept: Mutex<VecDeque<Arc<Place>>>,
    at_work: Mutex<usize>,
    idle: Condvar,
}

/// One of [`AT_WORK`], until it is dropped.
struct Turn<'a>(&'a EarlierTries);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.at_work.lock() -= 1;
        self.0.idle.notify_one();
    }
}

impl EarlierTries {
    /// Lets go of what a newer head has left behind: each holds a snapshot of the engine.
    pub(crate) fn tidy(&self, head: &Version) {
        self.kept.lock().retain(|place| place.is_near(head));
    }

    /// The trie of an earlier height. Whoever asks for the same meanwhile waits for it; others do not.
    pub(crate) fn at(
        &self,
        shared: &Arc<Shared>,
        head: &Arc<Version>,
        height: u64,
        patience: Patience,
    ) -> Result<Arc<Earlier>, StoreError> {
        let oldest = head.height().saturating_sub(shared.proof_history);
        if height < oldest {
            return Err(StoreError::NoProof { height, oldest });
        }
        let oldest = shared.oldest(head.height());
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        let place = self.place(head, height);
        let mut made = match patience.0 {
            None => place.made.lock(),
            Some(deadline) => place.made.try_lock_until(deadline).ok_or(StoreError::Expired { height })?,
        };
        if let Some(earlier) = &*made {
            return Ok(earlier.clone());
        }
        let done = self
            .turn(height, patience)
            .and_then(|_turn| Earlier::new(shared, &place.base, height, patience).map(Arc::new));
        match &done {
            Ok(earlier) => *made = Some(earlier.clone()),
            // Whoever asks next begins anew, at the head of then.
            Err(_) => self.kept.lock().retain(|other| !Arc::ptr_eq(other, &place)),
        }
        done
    }

    fn place(&self, head: &Arc<Version>, height: u64) -> Arc<Place> {
        let mut kept = self.kept.lock();
        kept.retain(|place| place.is_near(head));
        if let Some(found) = kept.iter().find(|place| place.height == height) {
            return found.clone();
        }
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        let place = Arc::new(Place { height, base: head.clone(), made: Mutex::default() });
        kept.push_back(place.clone());
        place
    }

    /// Waits for a turn to work.
    fn turn(&self, height: u64, patience: Patience) -> Result<Turn<'_>, StoreError> {
        let mut at_work = self.at_work.lock();
        while *at_work >= AT_WORK {
            match patience.0 {
                None => self.idle.wait(&mut at_work),
                Some(deadline) if self.idle.wait_until(&mut at_work, deadline).timed_out() => {
                    return Err(StoreError::Expired { height });
                }
                Some(_) => {}
            }
        }
        *at_work += 1;
        Ok(Turn(self))
    }
}

impl Place {
    fn is_near(&self, head: &Version) -> bool {
        self.base.fork == head.fork && head.height().saturating_sub(self.base.height()) < KEPT_BLOCKS
    }
}

/// Keys that the blocks above a height changed, as far as there is room and time for them.
fn touched_since(
    shared: &Shared,
    base: &Version,
    height: u64,
    patience: Patience,
) -> Result<Touched, StoreError> {
    let (mut touched, mut bytes) = (Touched::new(), 0usize);
    for above in height.saturating_add(1)..=base.height() {
        patience.check(height)?;
        let [accounts, slots] = base.pinned.touch(above, &mut touched)?;
        bytes = bytes.saturating_add(accounts * ACCOUNT_BYTES).saturating_add(slots * SLOT_BYTES);
        if bytes > shared.proof_bytes {
            return Err(StoreError::TooMuchSince { height, limit: shared.proof_bytes });
        }
    }
    Ok(touched)
}

impl Earlier {
    fn new(
        shared: &Arc<Shared>,
        base: &Arc<Version>,
        height: u64,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let (mut values, mut slots) = (HashedChanges::default(), BTreeMap::new());
        for (count, (address, touched)) in
            touched_since(shared, base, height, patience)?.into_iter().enumerate()
        {
            if count.is_multiple_of(VALUES_A_LOOK) {
                patience.check(height)?;
            }
            let hashed = keccak256(address);
            values.accounts.insert(hashed, base.pinned.account_at(height, &hashed)?);
            if !touched.is_empty() {
                slots.insert(hashed, touched);
            }
        }
        let reader = Timed { reader: &StateView::newest(shared, base), patience };
        let updates =
            trie::apply_hashed(&reader, &values).map_err(|error| expired_or(error, height, patience))?;
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

    /// This trie to read, with patience for working out the storage of accounts.
    pub(crate) fn reader<'a>(&'a self, shared: &Arc<Shared>, patience: Patience) -> EarlierReader<'a> {
        EarlierReader { earlier: self, base: StateView::newest(shared, &self.base), patience }
    }
}

/// A fault, or the deadline that led to it.
pub(crate) fn expired_or(error: StateError, height: u64, patience: Patience) -> StoreError {
    if patience.is_over() { StoreError::Expired { height } } else { error.into() }
}

/// Reads a trie for as long as there is patience: an update asks it for every record, and ends with the first refusal.
struct Timed<'a, R> {
    reader: &'a R,
    patience: Patience,
}

impl<R> Timed<'_, R> {
    fn look(&self) -> Result<&R, StateError> {
        if self.patience.is_over() {
            return Err(StateError::Backend("the time for working out an earlier trie is over".into()));
        }
        Ok(self.reader)
    }
}

impl<R: NodeReader> NodeReader for Timed<'_, R> {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        self.look()?.root(trie)
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        self.look()?.branch(trie, path)
    }

    fn branches(&self, trie: &TrieId, paths: &[Nibbles]) -> Result<Vec<Option<Branch>>, StateError> {
        self.look()?.branches(trie, paths)
    }

    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        self.look()?.leaf(trie, key)
    }
}

/// Reads an earlier trie.
pub(crate) struct EarlierReader<'a> {
    earlier: &'a Earlier,
    base: StateView,
    patience: Patience,
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
        let accounts = self.accounts();
        let reader = Timed { reader: &accounts, patience: self.patience };
        for (count, slot) in slots.iter().enumerate() {
            if count.is_multiple_of(VALUES_A_LOOK) {
                reader.look()?;
            }
            change.slots.insert(*slot, pinned.storage_at(height, hashed, slot)?);
        }
        let updates = trie::apply_hashed(&reader, &values)?;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alloy_consensus::Header;
    use alloy_primitives::Address;
    use chlom_primitives::{Additions, Block};
    use chlom_state::{StateDiff, account::EMPTY_ROOT};

    use super::*;
    use crate::{Commit, Store, StoreConfig};

    /// A chain of empty blocks over an empty state.
    fn chain(heights: u64) -> Store {
        let store = Store::open(StoreConfig::memory()).unwrap();
        let mut parent_hash = B256::ZERO;
        for number in 0..heights {
            let header = Header { number, parent_hash, state_root: EMPTY_ROOT, ..Header::default() };
            let block = Arc::new(Block::seal(header, Additions::empty(), Vec::new()));
            parent_hash = block.hash;
            let (diff, trie) = (StateDiff::default(), TrieUpdates::default());
            store.commit(Commit { block, receipts: Arc::default(), diff, trie }).unwrap();
        }
        store
    }

    #[test]
    fn a_height_in_work_holds_up_who_asks_for_it_until_their_deadline_and_nobody_else() {
        let store = chain(6);
        let shared = store.shared();
        let place = shared.earlier.place(&shared.head().unwrap(), 2);
        let in_work = place.made.lock();
        store.proof(3, Address::ZERO, &[]).unwrap();
        shared.earlier.tidy(&shared.head().unwrap());
        let soon = Instant::now() + Duration::from_millis(20);
        let refused = store.proof_by(2, Address::ZERO, &[], soon);
        assert!(matches!(refused, Err(StoreError::Expired { height: 2 })), "{refused:?}");
        drop(in_work);
        store.proof(2, Address::ZERO, &[]).unwrap();
    }

    #[test]
    fn no_more_heights_are_worked_on_at_a_time_than_there_are_turns() {
        let store = chain(6);
        let shared = store.shared();
        let turns: Vec<_> = (0..AT_WORK).map(|_| shared.earlier.turn(0, Patience(None)).unwrap()).collect();
        let soon = Instant::now() + Duration::from_millis(20);
        let refused = store.proof_by(2, Address::ZERO, &[], soon);
        assert!(matches!(refused, Err(StoreError::Expired { height: 2 })), "{refused:?}");
        drop(turns);
        store.proof_by(2, Address::ZERO, &[], Instant::now() + Duration::from_secs(60)).unwrap();
    }
}
