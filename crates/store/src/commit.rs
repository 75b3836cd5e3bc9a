//! The one batch that makes a block durable. Upholds [STA-3].

use alloy_primitives::{B256, U256};
use chlom_state::{Account, StateError};

use crate::{
    encoding::{
        account, block,
        changes::{self, ChangedAccount},
        key, receipts,
    },
    kv::{Batch, Table},
    layer::{HashedAccount, Layer, is_wiped},
    version::Pinned,
};

/// Writes of a block's state, and the keys that they touch.
struct StateWrites<'a> {
    batch: &'a mut Batch,
    height: u64,
    changed: Vec<ChangedAccount>,
}

/// Everything of a block: state, history, block, receipts, indices and the new tip. `parent` is the engine as it is
/// before.
pub(crate) fn block_batch(layer: &Layer, parent: &Pinned) -> Result<Batch, StateError> {
    let mut batch = Batch::default();
    write_state(layer, parent, &mut batch)?;
    write_block(layer, &mut batch);
    Ok(batch)
}

fn write_state(layer: &Layer, parent: &Pinned, batch: &mut Batch) -> Result<(), StateError> {
    let height = layer.height();
    let mut writes = StateWrites { batch, height, changed: Vec::with_capacity(layer.diff.accounts.len()) };
    for (keys, change) in layer.keys().accounts.iter().zip(layer.diff.accounts.values()) {
        let gone = change.after.is_none();
        let mut hashed_slots = Vec::with_capacity(keys.slots.len());
        for (slot, value) in &keys.slots {
            let after = if gone { U256::ZERO } else { value.after };
            writes.slot(keys, slot, value.before, after, &mut hashed_slots);
        }
        if is_wiped(change) {
            for (slot, before) in parent.storage_entries(&keys.hashed)? {
                if !keys.slots.contains_key(&slot) {
                    writes.slot(keys, &slot, before, U256::ZERO, &mut hashed_slots);
                }
            }
            hashed_slots.sort_unstable();
        }
        writes.account(keys, &change.before, &change.after, hashed_slots);
    }
    let changed = writes.changed;
    for (hash, code) in &layer.diff.codes {
        batch.put(Table::Codes, hash.as_slice(), code.as_ref());
    }
    // Nothing is before genesis, so that nothing ever asks for these.
    if height > 0 {
        batch.put(Table::Changes, key::height(height), changes::encode(&changed));
    }
    Ok(())
}

impl StateWrites<'_> {
    fn slot(
        &mut self,
        keys: &HashedAccount,
        slot: &B256,
        before: U256,
        after: U256,
        changed: &mut Vec<B256>,
    ) {
        if before == after {
            return;
        }
        let flat = key::slot(&keys.hashed, slot);
        if after.is_zero() {
            self.batch.delete(Table::Storage, flat);
        } else {
            self.batch.put(Table::Storage, flat, account::encode_slot(&after));
        }
        if self.height > 0 {
            let history = key::storage_history(&keys.hashed, slot, self.height);
            self.batch.put(Table::StorageHistory, history, account::encode_slot(&before));
        }
        changed.push(*slot);
    }

    fn account(
        &mut self,
        keys: &HashedAccount,
        before: &Option<Account>,
        after: &Option<Account>,
        hashed_slots: Vec<B256>,
    ) {
        if before != after {
            match after {
                Some(after) => {
                    self.batch.put(Table::Accounts, key::owner(&keys.hashed), account::encode(after))
                }
                None => self.batch.delete(Table::Accounts, key::owner(&keys.hashed)),
            }
            if self.height > 0 {
                let history = key::account_history(&keys.hashed, self.height);
                self.batch.put(Table::AccountHistory, history, account::encode_maybe(before));
            }
        } else if hashed_slots.is_empty() {
            return;
        }
        self.changed.push(ChangedAccount { address: keys.address, hashed_slots });
    }
}

fn write_block(layer: &Layer, batch: &mut Batch) {
    let (height, hash) = (layer.height(), layer.block.hash);
    let at = key::height(height);
    batch.put(Table::Headers, at, block::encode_header(&layer.block));
    batch.put(Table::Bodies, at, block::encode_body(&layer.block.txs));
    batch.put(Table::Receipts, at, receipts::encode(&layer.receipts));
    batch.put(Table::Hashes, hash.as_slice(), at);
    for (index, tx) in (0u32..).zip(&layer.block.txs) {
        batch.put(Table::Txs, key::tx(&tx.hash()), block::encode_location(height, index));
    }
    batch.put(Table::Meta, key::META_TIP, tip_record(height, &hash));
    if height == 0 {
        batch.put(Table::Meta, key::META_GENESIS, hash.as_slice());
    }
}

/// Height and hash of the newest block.
pub(crate) fn tip_record(height: u64, hash: &B256) -> Vec<u8> {
    [height.to_be_bytes().as_slice(), hash.as_slice()].concat()
}
