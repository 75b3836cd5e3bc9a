//! Committed state as calls read it, with the analysis of contracts' code kept: finding the jump destinations of a large
//! contract takes longer than most calls of it.

use std::{collections::VecDeque, sync::LazyLock};

use alloy_primitives::{Address, B256, U256};
use chlom_evm::{BlockEnv, DbError, StateDb};
use chlom_store::StateView;
use parking_lot::RwLock;
use revm::{
    DatabaseCommit, DatabaseRef,
    database::{CacheDB, DbAccount},
    primitives::HashMap,
    state::{AccountInfo, Bytecode, EvmState},
};

use super::point::Point;

/// State that a call may change for itself.
pub(crate) type CallDb = CacheDB<CallState>;

/// Contracts kept.
const KEPT: usize = 512;

/// Larger code is analysed anew: the cache stays below 16 MiB whatever the code limit is.
const LARGEST: usize = 32 * 1024;

/// Code by its hash, so that any chain may share it; the oldest goes first.
#[derive(Default)]
struct Codes {
    by_hash: HashMap<B256, Bytecode>,
    order: VecDeque<B256>,
}

static CODES: LazyLock<RwLock<Codes>> = LazyLock::new(RwLock::default);

/// [`StateDb`] behind the code cache.
#[derive(Clone)]
pub(crate) struct CallState(StateDb<StateView>);

/// State after a point's block. BLOCKHASH knows the point's block and the ones before it, whatever height a caller
/// pretends.
pub(crate) fn call_db(point: &Point) -> CallDb {
    let above = BlockEnv {
        height: point.block.height().saturating_add(1),
        parent_hash: point.block.hash,
        ..BlockEnv::default()
    };
    CacheDB::new(CallState(StateDb::new(point.state.clone(), &above)))
}

/// Keeps what a transaction changed for those after it in the same block. An account that it touched and left empty is
/// not in the state any more (EIP-161): the next one must find none there, as in a block's own execution. Upholds [EVM-4].
pub(crate) fn keep_changes(db: &mut CallDb, changes: EvmState) {
    let gone = changes.iter().filter(|(_, account)| account.is_touched() && account.is_empty());
    let gone: Vec<Address> = gone.map(|(address, _)| *address).collect();
    db.commit(changes);
    for address in gone {
        if let Some(account) = db.cache.accounts.get_mut(&address) {
            *account = DbAccount::new_not_existing();
        }
    }
}

impl DatabaseRef for CallState {
    type Error = DbError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, DbError> {
        self.0.basic_ref(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, DbError> {
        if let Some(code) = CODES.read().by_hash.get(&hash) {
            return Ok(code.clone());
        }
        let code = self.0.code_by_hash_ref(hash)?;
        if !code.is_empty() && code.len() <= LARGEST {
            keep(hash, code.clone());
        }
        Ok(code)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, DbError> {
        self.0.storage_ref(address, slot)
    }

    fn block_hash_ref(&self, height: u64) -> Result<B256, DbError> {
        self.0.block_hash_ref(height)
    }
}

fn keep(hash: B256, code: Bytecode) {
    let mut codes = CODES.write();
    if codes.by_hash.insert(hash, code).is_some() {
        return;
    }
    codes.order.push_back(hash);
    if codes.order.len() > KEPT
        && let Some(oldest) = codes.order.pop_front()
    {
        codes.by_hash.remove(&oldest);
    }
}
