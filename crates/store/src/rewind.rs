//! Going back to an earlier height: for `evm_revert` on a development chain; consensus never does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy_primitives::{Address, B256, keccak256};
use chlom_state::{HashedChanges, StateError, trie};

use crate::{
    commit::tip_record,
    config::WriteStep,
    encoding::{account, changes, key},
    error::StoreError,
    kv::{Batch, Table},
    nodes::Unstored,
    prune::delete_history,
    shared::Shared,
    version::{Pinned, Version},
    view::StateView,
    writer::{Writer, pin},
};

/// Keys that changed above a height: accounts with the hashes of their slots.
pub(crate) type Touched = BTreeMap<Address, BTreeSet<B256>>;

impl Pinned {
    /// Keys that the blocks above `from` changed, up to and with `to`.
    pub(crate) fn touched(&self, from: u64, to: u64) -> Result<Touched, StateError> {
        let mut touched = Touched::new();
        for height in from.saturating_add(1)..=to {
            self.touch(height, &mut touched)?;
        }
        Ok(touched)
    }

    /// Adds the keys that one block changed. Returns how many accounts and slots are new.
    pub(crate) fn touch(&self, height: u64, touched: &mut Touched) -> Result<[usize; 2], StateError> {
        let list = self.get(Table::Changes, &key::height(height))?;
        let list =
            list.ok_or_else(|| StateError::Corrupt(format!("no list of changes at height {height}")))?;
        let before = touched.len();
        let mut slots = 0;
        for change in changes::decode(&list)? {
            let known = touched.entry(change.address).or_default();
            slots += change.hashed_slots.into_iter().filter(|slot| known.insert(*slot)).count();
        }
        Ok([touched.len() - before, slots])
    }

    /// Values after block `height` of keys that changed since.
    pub(crate) fn values_at(&self, height: u64, touched: &Touched) -> Result<HashedChanges, StateError> {
        let mut values = HashedChanges::default();
        for (address, slots) in touched {
            let hashed = keccak256(address);
            values.accounts.insert(hashed, self.account_at(height, &hashed)?);
            for slot in slots {
                let value = self.storage_at(height, &hashed, slot)?;
                values.storage.entry(hashed).or_default().slots.insert(*slot, value);
            }
        }
        Ok(values)
    }
}

impl Writer {
    /// Makes `height` the head again, in one durable batch. Nothing is staged meanwhile.
    pub(crate) fn rewind(&mut self, height: u64) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let Some(head) = shared.head() else { return Ok(()) };
        let block =
            shared.block_in(&head, height)?.ok_or_else(|| shared.damaged(format!("no block {height}")))?;
        let values = head.pinned.values_at(height, &head.pinned.touched(height, head.height())?)?;

        let view = StateView::newest(&shared, &head);
        let updates = trie::apply_hashed(&view, &values)?;
        if updates.state_root != block.header.state_root {
            let (got, want) = (updates.state_root, block.header.state_root);
            return Err(
                shared.damaged(format!("going back to height {height} gives state root {got}, not {want}"))
            );
        }
        let mut batch = Batch::default();
        let mut unstored = head.unstored.clone();
        unstored.push(height, Arc::new(updates.into()));
        self.write_trie(&mut batch, &head.pinned, &unstored, height)?;
        write_values(&mut batch, &values);
        for undone in height.saturating_add(1)..=head.height() {
            delete_block(&shared, &mut batch, &head, undone)?;
        }
        batch.put(Table::Meta, key::META_TIP, tip_record(height, &block.hash));
        // First: what is written down may lag behind the chain, but never be ahead of it.
        shared.note_durable(&block)?;
        shared.write(batch, WriteStep::Rewind { height })?;
        self.stored_trie = Some(height);
        self.reset(&head, block);
        Ok(())
    }

    fn reset(&self, head: &Version, block: Arc<chlom_primitives::Block>) {
        let commit = head.commit.saturating_add(1);
        let pinned = pin(&self.shared, commit);
        let (fork, layers, unstored) = (head.fork.saturating_add(1), Vec::new(), Unstored::default());
        let version = Arc::new(Version { commit, fork, block, pinned, layers, unstored });
        let mut chain = self.shared.chain.write();
        self.shared.caches.clear(commit);
        chain.head = Some(version.clone());
        chain.tip = Some(version);
    }
}

fn write_values(batch: &mut Batch, values: &HashedChanges) {
    for (hashed, value) in &values.accounts {
        match value {
            Some(value) => batch.put(Table::Accounts, key::owner(hashed), account::encode(value)),
            None => batch.delete(Table::Accounts, key::owner(hashed)),
        }
    }
    for (hashed, change) in &values.storage {
        for (slot, value) in &change.slots {
            let flat = key::slot(hashed, slot);
            if value.is_zero() {
                batch.delete(Table::Storage, flat);
            } else {
                batch.put(Table::Storage, flat, account::encode_slot(value));
            }
        }
    }
}

fn delete_block(shared: &Shared, batch: &mut Batch, head: &Version, height: u64) -> Result<(), StoreError> {
    let block = shared.block_in(head, height)?.ok_or_else(|| shared.damaged(format!("no block {height}")))?;
    for tx in &block.txs {
        batch.delete(Table::Txs, key::tx(&tx.hash()));
    }
    batch.delete(Table::Hashes, block.hash.as_slice());
    delete_history(batch, &head.pinned, height)?;
    for table in [Table::Headers, Table::Bodies, Table::Receipts, Table::Changes] {
        batch.delete(table, key::height(height));
    }
    Ok(())
}
