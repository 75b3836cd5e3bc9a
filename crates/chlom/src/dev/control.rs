//! What JSON-RPC may do on a dev chain only: time, mining, snapshots and the accounts' keys.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use chlom_abci::{ChainError, DevChain};
use chlom_rpc::{DevControl, RpcError, Wake};

use super::accounts::DevAccount;

/// Joins the chain's thread and the keys.
pub(crate) struct Control {
    chain: DevChain,
    accounts: Arc<[DevAccount]>,
}

impl Control {
    /// Control over `chain` for the owner of `accounts`.
    pub(crate) fn new(chain: DevChain, accounts: Arc<[DevAccount]>) -> Self {
        Self { chain, accounts }
    }
}

/// Wakes the block producer.
pub(crate) struct Waker(pub DevChain);

impl Wake for Waker {
    fn transactions_arrived(&self) {
        self.0.wake();
    }
}

fn refused(error: ChainError) -> RpcError {
    if error.halts() { RpcError::internal(error) } else { RpcError::invalid_params(error.to_string()) }
}

impl DevControl for Control {
    fn accounts(&self) -> Vec<Address> {
        self.accounts.iter().map(|account| account.address).collect()
    }

    fn sign(&self, account: &Address, digest: &B256) -> Result<[u8; 65], RpcError> {
        let held = self.accounts.iter().find(|held| held.address == *account);
        held.map(|held| held.sign(digest)).ok_or_else(|| RpcError::server("unknown account"))
    }

    fn mine(&self, blocks: u64, interval: Option<u64>) -> Result<u64, RpcError> {
        self.chain.mine(blocks, interval).map_err(refused)
    }

    fn increase_time(&self, seconds: u64) -> Result<u64, RpcError> {
        self.chain.increase_time(seconds).map_err(refused)
    }

    fn set_next_block_timestamp(&self, timestamp: u64) -> Result<(), RpcError> {
        self.chain.set_next_timestamp(timestamp).map_err(refused)
    }

    fn time(&self) -> u64 {
        self.chain.time()
    }

    fn snapshot(&self) -> Result<u64, RpcError> {
        self.chain.snapshot().map_err(refused)
    }

    fn revert(&self, id: u64) -> Result<Option<u64>, RpcError> {
        self.chain.revert(id).map_err(refused)
    }
}
