//! Proofs of accounts and slots, at the newest height and earlier ones.
//!
//! Only the newest trie is kept. An earlier one is its records with those on the paths of everything that changed since
//! put back, which is worked out on demand and kept for a while: one working-out serves all proofs at its height.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use chlom_state::{
    Account, HashedChanges, NodeReader, StateError, StorageChange, TrieId, TrieUpdates,
    account::EMPTY_ROOT,
    trie::{self, Layered},
};
use parking_lot::Mutex;

use crate::{error::StoreError, layer::hash_slot, shared::Shared, version::Version, view::StateView};

/// Earlier tries kept; each holds what its blocks changed.
const KEPT: usize = 4;

/// Blocks after which an earlier trie is let go: it keeps the engine's state of then alive.
const KEPT_BLOCKS: u64 = 64;

/// An account at a height with the nodes that prove it (EIP-1186).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// The account; `None` when it is not in the state, which is then what is proved.
    pub account: Option<Account>,
    /// Nodes from the state root towards keccak256(address).
    pub account_proof: Vec<Bytes>,
    /// The slots in the order in which they were asked for.
    pub storage: Vec<SlotProof>,
}

/// A slot with the nodes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// The slot.
    pub slot: U256,
    /// Its value; zero when it is not set, which is then what is proved.
    pub value: U256,
    /// Nodes from the account's storage root towards keccak256(slot).
    pub proof: Vec<Bytes>,
}

/// The accounts trie of an earlier height over a newer version's.
struct Earlier {
    height: u64,
    base: Arc<Version>,
    accounts: HashedChanges,
    updates: TrieUpdates,
}

/// Makes proofs, one earlier height at a time.
#[derive(Default)]
pub(crate) struct Proofs {
    kept: Mutex<VecDeque<Arc<Earlier>>>,
}

impl Proofs {
    pub(crate) fn prove(
        &self,
        shared: &Arc<Shared>,
        height: u64,
        address: Address,
        slots: &[U256],
    ) -> Result<AccountProof, StoreError> {
        let Some(head) = shared.head() else { return Err(StoreError::Future { height, tip: None }) };
        let newest = head.height();
        if height > newest {
            return Err(StoreError::Future { height, tip: Some(newest) });
        }
        if height == newest {
            return Ok(prove(&StateView::newest(shared, &head), address, slots)?);
        }
        let oldest = newest.saturating_sub(shared.proof_history);
        if height < oldest {
            return Err(StoreError::NoProof { height, oldest });
        }
        let oldest = shared.oldest(newest);
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        let earlier = self.earlier(shared, &head, height)?;
        earlier.prove(shared, address, slots)
    }

    /// The trie of an earlier height, worked out now or lately. Whoever asks meanwhile waits: the work is heavy, and most
    /// ask for the same.
    fn earlier(
        &self,
        shared: &Arc<Shared>,
        head: &Arc<Version>,
        height: u64,
    ) -> Result<Arc<Earlier>, StoreError> {
        let mut kept = self.kept.lock();
        kept.retain(|earlier| {
            earlier.base.fork == head.fork
                && head.height().saturating_sub(earlier.base.height()) < KEPT_BLOCKS
        });
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
    fn new(shared: &Arc<Shared>, base: &Arc<Version>, height: u64) -> Result<Self, StoreError> {
        let mut accounts = HashedChanges::default();
        for address in base.pinned.touched(height, base.height())?.into_keys() {
            let hashed = keccak256(address);
            accounts.accounts.insert(hashed, base.pinned.account_at(height, &hashed)?);
        }
        let updates = trie::apply_hashed(&StateView::newest(shared, base), &accounts)?;
        let earlier = Self { height, base: base.clone(), accounts, updates };
        earlier.check(shared)?;
        Ok(earlier)
    }

    /// The values of then must have the root of then. They do not either when history was pruned while it was read.
    fn check(&self, shared: &Shared) -> Result<(), StoreError> {
        let (height, got) = (self.height, self.updates.state_root);
        let header = shared.header_in(&self.base, height)?;
        let (header, _) = header.ok_or_else(|| shared.damaged(format!("no header at height {height}")))?;
        if header.state_root == got {
            return Ok(());
        }
        let oldest = shared.oldest(shared.head().map_or(0, |head| head.height()));
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        Err(shared.damaged(format!(
            "history gives height {height} the state root {got}, not {}",
            header.state_root
        )))
    }

    fn prove(
        &self,
        shared: &Arc<Shared>,
        address: Address,
        slots: &[U256],
    ) -> Result<AccountProof, StoreError> {
        let base = StateView::newest(shared, &self.base);
        let accounts = Layered::new(&base, &self.accounts, &self.updates);
        if slots.is_empty() {
            return Ok(prove(&accounts, address, slots)?);
        }
        let own = self.storage_of(address)?;
        let updates = trie::apply_hashed(&accounts, &own)?;
        Ok(prove(&Layered::new(&accounts, &own, &updates), address, slots)?)
    }

    /// The values of then of one account's slots that changed since.
    fn storage_of(&self, address: Address) -> Result<HashedChanges, StateError> {
        let (pinned, hashed) = (&self.base.pinned, keccak256(address));
        let mut own = HashedChanges::default();
        if pinned.account_at(self.height, &hashed)?.is_none() {
            return Ok(own);
        }
        let touched = pinned.touched(self.height, self.base.height())?;
        let mut change = StorageChange::default();
        for slot in touched.get(&address).into_iter().flatten() {
            change.slots.insert(*slot, pinned.storage_at(self.height, &hashed, slot)?);
        }
        if !change.slots.is_empty() {
            own.storage.insert(hashed, change);
        }
        Ok(own)
    }
}

fn prove<R: NodeReader>(reader: &R, address: Address, slots: &[U256]) -> Result<AccountProof, StateError> {
    let hashed = keccak256(address);
    let account: Option<Account> = leaf(reader, &TrieId::Accounts, &hashed)?;
    let account_proof = trie::prove(reader, &TrieId::Accounts, &hashed)?;
    let storage_trie = TrieId::Storage(hashed);
    let has_storage = account.is_some_and(|account| account.storage_root != EMPTY_ROOT);
    let storage = slots.iter().map(|slot| {
        if !has_storage {
            return Ok(SlotProof { slot: *slot, value: U256::ZERO, proof: Vec::new() });
        }
        let key = hash_slot(slot);
        let value: U256 = leaf(reader, &storage_trie, &key)?.unwrap_or_default();
        Ok(SlotProof { slot: *slot, value, proof: trie::prove(reader, &storage_trie, &key)? })
    });
    let storage = storage.collect::<Result<_, StateError>>()?;
    Ok(AccountProof { account, account_proof, storage })
}

fn leaf<T: alloy_rlp::Decodable>(
    reader: &impl NodeReader,
    trie: &TrieId,
    key: &B256,
) -> Result<Option<T>, StateError> {
    let Some(bytes) = reader.leaf(trie, key)? else { return Ok(None) };
    let value = crate::encoding::whole(&bytes).map_err(|error| crate::encoding::damaged("a leaf", error))?;
    Ok(Some(value))
}
