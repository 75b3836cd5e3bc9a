//! What every method may use.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, Bytes};
use chlom_blobs::BlobService;
use chlom_module::ModuleSet;
use chlom_pool::Pool;
use chlom_primitives::{Block, Params, Receipt, Tx};
use chlom_store::Store;
use tokio::sync::broadcast;

use crate::{error::RpcError, limits::Limits};

/// What a new head brings; sent after the block is durable.
#[derive(Clone, Debug)]
pub struct NewBlock {
    /// The block.
    pub block: Arc<Block>,
    /// Its receipts, one a transaction.
    pub receipts: Arc<Vec<Receipt>>,
}

/// What a dev chain's owner may do that no other chain allows. `chlom dev` brings it; elsewhere there is none and the
/// `evm_` methods do not exist.
pub trait DevControl: Send + Sync {
    /// Accounts whose keys the node holds.
    fn accounts(&self) -> Vec<Address>;
    /// Signs a 32-byte digest for one of [`DevControl::accounts`]: 65 bytes r ‖ s ‖ v (v is 27 or 28).
    ///
    /// # Errors
    /// The account is not held.
    fn sign(&self, account: &Address, digest: &B256) -> Result<[u8; 65], RpcError>;
    /// Makes `blocks` blocks now, `interval` seconds apart where given; returns the last height once durable.
    ///
    /// # Errors
    /// The chain halted.
    fn mine(&self, blocks: u64, interval: Option<u64>) -> Result<u64, RpcError>;
    /// Moves the clock of later blocks forward; returns the total offset in seconds.
    ///
    /// # Errors
    /// Overflow.
    fn increase_time(&self, seconds: u64) -> Result<u64, RpcError>;
    /// Fixes the next block's timestamp.
    ///
    /// # Errors
    /// Not later than the head's.
    fn set_next_block_timestamp(&self, timestamp: u64) -> Result<(), RpcError>;
    /// Chain time, seconds: what a block that was made now would have.
    fn time(&self) -> u64;
    /// Remembers the present height; returns the snapshot's id.
    ///
    /// # Errors
    /// The chain halted.
    fn snapshot(&self) -> Result<u64, RpcError>;
    /// Goes back to a snapshot and forgets it and all later ones; the height that was the head then, or `None` where there
    /// is no such id.
    ///
    /// # Errors
    /// The chain halted, or its history does not reach back.
    fn revert(&self, id: u64) -> Result<Option<u64>, RpcError>;
}

/// Wakes the block producer; `chlom dev --automine` makes a block at once.
pub trait Wake: Send + Sync {
    /// Transactions were added to the pool.
    fn transactions_arrived(&self);
}

/// Everything that methods use; shared by all connections.
pub struct Context {
    /// Committed blocks and state.
    pub store: Store,
    /// Transactions that wait.
    pub pool: Pool,
    /// The chain's parameters.
    pub params: Arc<Params>,
    /// System modules, as execution has them.
    pub modules: Arc<ModuleSet>,
    /// Bounds on what callers may ask.
    pub limits: Limits,
    /// New heads, in order. A receiver that lags must say so to its client and drop it.
    pub heads: broadcast::Sender<NewBlock>,
    /// New pending transactions.
    pub pending: broadcast::Sender<Arc<Tx>>,
    /// Wakes the block producer.
    pub wake: Arc<dyn Wake>,
    /// Present on `chlom dev` only.
    pub dev: Option<Arc<dyn DevControl>>,
    /// Present where the node keeps blobs; elsewhere the `chlom_` methods about them do not exist.
    pub blobs: Option<Arc<BlobService>>,
    /// `web3_clientVersion`, as `chlom/v0.1.0/linux-x86_64/rust1.95`.
    pub client_version: String,
    /// How long eth_sendRawTransactionSync waits by default.
    pub sync_timeout: Duration,
}

impl Context {
    /// Decodes, recovers and admits raw transactions, in parallel; wakes the producer.
    pub fn submit(&self, raw: Vec<Bytes>) -> Vec<Result<B256, RpcError>> {
        crate::submit::submit(self, raw)
    }
}
