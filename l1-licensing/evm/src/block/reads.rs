//! What a block read of committed state: the values before, for its diff.

use alloy_primitives::{Address, B256, U256};
use chlom_state::{Account, StateReader};
use revm::{
    Database, DatabaseRef,
    state::{AccountInfo, Bytecode},
};

use crate::state_db::{DbError, StateDb, info_of};

/// Committed state, and a record of what was read of it. The journal keeps what it has loaded for the whole block, so
/// each account and slot is read, and recorded, once.
#[derive(Debug)]
pub(super) struct RecordingDb<'s, S: ?Sized> {
    pub(super) db: StateDb<&'s S>,
    pub(super) accounts: Vec<(Address, Option<Account>)>,
    pub(super) slots: Vec<(Address, U256, U256)>,
}

impl<'s, S: StateReader + ?Sized> RecordingDb<'s, S> {
    pub(super) fn new(db: StateDb<&'s S>) -> Self {
        Self { db, accounts: Vec::new(), slots: Vec::new() }
    }
}

impl<S: StateReader + ?Sized> Database for RecordingDb<'_, S> {
    type Error = DbError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, DbError> {
        let account = self.db.account(&address)?;
        self.accounts.push((address, account));
        Ok(account.as_ref().map(info_of))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, DbError> {
        self.db.code_by_hash_ref(hash)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, DbError> {
        let value = self.db.storage_ref(address, slot)?;
        self.slots.push((address, slot, value));
        Ok(value)
    }

    fn block_hash(&mut self, height: u64) -> Result<B256, DbError> {
        self.db.block_hash_ref(height)
    }
}
