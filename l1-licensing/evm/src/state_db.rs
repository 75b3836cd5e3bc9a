//! Committed state as the EVM reads it.

use alloy_eips::eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use chlom_state::{Account, StateError, StateReader};
use revm::{
    Database, DatabaseRef,
    database_interface::DBErrorMarker,
    primitives::BLOCK_HASH_HISTORY,
    state::{AccountInfo, Bytecode},
};

use crate::env::BlockEnv;

/// A fault below the state, as revm passes errors on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct DbError(#[from] pub StateError);

impl DBErrorMarker for DbError {}

/// A [`StateReader`] as a revm database, for the execution of one block or of calls in its environment. Block hashes come
/// from the history contract's storage (EIP-2935) and the parent's from the environment, so that a node which has only
/// synchronised state agrees with one that has all blocks.
#[derive(Clone, Copy, Debug)]
pub struct StateDb<S> {
    reader: S,
    /// Height of the environment.
    height: u64,
    parent_hash: B256,
}

impl<S: StateReader> StateDb<S> {
    /// The state that `reader` has, read from inside of the block `env`. The reader is at the block before (as for its
    /// execution) or at the block itself (as for a call on top of it): both hold every hash that BLOCKHASH may ask for,
    /// save the parent's.
    pub fn new(reader: S, env: &BlockEnv) -> Self {
        Self { reader, height: env.height, parent_hash: env.parent_hash }
    }

    /// Committed state underneath.
    pub fn reader(&self) -> &S {
        &self.reader
    }

    pub(crate) fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        self.reader.account(address)
    }

    fn code(&self, hash: &B256) -> Result<Bytecode, StateError> {
        if *hash == KECCAK256_EMPTY {
            return Ok(Bytecode::default());
        }
        let code = self.reader.code(hash)?;
        Bytecode::new_raw_checked(code)
            .map_err(|e| StateError::Corrupt(format!("the code with hash {hash}: {e}")))
    }

    fn hash_of(&self, height: u64) -> Result<B256, StateError> {
        let distance = self.height.saturating_sub(height);
        match distance {
            0 => Ok(B256::ZERO),
            1 => Ok(self.parent_hash),
            d if d <= BLOCK_HASH_HISTORY => {
                let slot = U256::from(height % HISTORY_SERVE_WINDOW as u64);
                Ok(self.reader.storage(&HISTORY_STORAGE_ADDRESS, &slot)?.into())
            }
            _ => Ok(B256::ZERO),
        }
    }
}

/// An account without its code and storage.
pub(crate) fn info_of(account: &Account) -> AccountInfo {
    let Account { nonce, balance, code_hash, .. } = *account;
    AccountInfo { balance, nonce, code_hash, account_id: None, code: None }
}

impl<S: StateReader> DatabaseRef for StateDb<S> {
    type Error = DbError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, DbError> {
        Ok(self.account(&address)?.as_ref().map(info_of))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, DbError> {
        Ok(self.code(&hash)?)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, DbError> {
        Ok(self.reader.storage(&address, &slot)?)
    }

    fn block_hash_ref(&self, height: u64) -> Result<B256, DbError> {
        Ok(self.hash_of(height)?)
    }
}

impl<S: StateReader> Database for StateDb<S> {
    type Error = DbError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, DbError> {
        self.basic_ref(address)
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, DbError> {
        self.code_by_hash_ref(hash)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, DbError> {
        self.storage_ref(address, slot)
    }

    fn block_hash(&mut self, height: u64) -> Result<B256, DbError> {
        self.block_hash_ref(height)
    }
}
