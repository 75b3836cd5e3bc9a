//! From a block's name to the block and the state behind it.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{Address, U256};
use chlom_evm::BlockEnv;
use chlom_primitives::Block;
use chlom_state::{Account, StateError, StateReader};
use chlom_store::{Head, StateView, StoreError};

use super::block_id::{BlockId, NumberOrTag};
use crate::{context::Context, error::RpcError};

/// A block and the state after it.
#[derive(Clone)]
pub(crate) struct Point {
    /// The block; for `pending`, the head.
    pub(crate) block: Arc<Block>,
    /// State after `block`.
    pub(crate) state: StateView,
    /// True when `state` has the trie, too: that of the newest block.
    pub(crate) newest: bool,
    /// True for `pending`: execution happens in the block after `block`.
    pub(crate) pending: bool,
}

/// The head.
///
/// # Errors
/// A store without genesis, which a running node does not have.
pub(crate) fn head(ctx: &Context) -> Result<Head, RpcError> {
    ctx.store.head().ok_or_else(|| RpcError::internal("the chain has no genesis"))
}

/// What to tell a caller whose state or block the store cannot give.
pub(crate) fn store_error(error: StoreError) -> RpcError {
    match error {
        StoreError::Pruned { height, oldest } => RpcError::server(format!(
            "state at block {height} was pruned; the oldest this node has is {oldest} (start it with --history all to keep every state)"
        )),
        StoreError::NoProof { height, oldest } => RpcError::server(format!(
            "proofs go back to block {oldest}, block {height} is older (start the node with a longer --proof-history)"
        )),
        StoreError::Future { .. } => header_not_found(),
        limit @ (StoreError::TooMuchSince { .. } | StoreError::Expired { .. }) => {
            RpcError::server(limit.to_string())
        }
        fault => RpcError::internal(fault),
    }
}

/// A fault below the state.
pub(crate) fn state_error(error: StateError) -> RpcError {
    RpcError::internal(error)
}

/// geth's answer where a state query names a block that does not exist.
pub(crate) fn header_not_found() -> RpcError {
    RpcError::server("header not found")
}

/// The block with this name; `pending` names the head here (callers that show the pending block do so before).
///
/// # Errors
/// Faults of the store.
pub(crate) fn block(ctx: &Context, id: BlockId) -> Result<Option<Arc<Block>>, RpcError> {
    let head = head(ctx)?;
    match id {
        BlockId::Number(NumberOrTag::Latest | NumberOrTag::Pending) => Ok(Some(head.block)),
        BlockId::Number(NumberOrTag::Number(height)) if height == head.block.height() => Ok(Some(head.block)),
        BlockId::Number(NumberOrTag::Number(height)) if height > head.block.height() => Ok(None),
        BlockId::Number(NumberOrTag::Number(height)) => ctx.store.block(height).map_err(store_error),
        BlockId::Hash(hash) if hash == head.block.hash => Ok(Some(head.block)),
        BlockId::Hash(hash) => ctx.store.block_by_hash(&hash).map_err(store_error),
    }
}

/// The block with this name and the state after it.
///
/// # Errors
/// `header not found`, as geth; a state that was pruned; faults of the store.
pub(crate) fn point(ctx: &Context, id: BlockId) -> Result<Point, RpcError> {
    let head = head(ctx)?;
    let pending = id == BlockId::Number(NumberOrTag::Pending);
    let block = match id {
        BlockId::Number(NumberOrTag::Latest | NumberOrTag::Pending) => head.block.clone(),
        BlockId::Number(NumberOrTag::Number(height)) if height > head.block.height() => {
            return Err(header_not_found());
        }
        BlockId::Number(NumberOrTag::Number(height)) if height == head.block.height() => head.block.clone(),
        BlockId::Number(NumberOrTag::Number(height)) => {
            // State first: a pruned state is the reason that a caller can act on.
            let state = ctx.store.state_at(height).map_err(store_error)?;
            let block = ctx.store.block(height).map_err(store_error)?.ok_or_else(header_not_found)?;
            return Ok(Point { block, state, newest: false, pending });
        }
        BlockId::Hash(hash) if hash == head.block.hash => head.block.clone(),
        BlockId::Hash(hash) => {
            let found = ctx.store.block_by_hash(&hash).map_err(store_error)?;
            found.ok_or_else(|| RpcError::server("header for hash not found"))?
        }
    };
    if block.height() == head.block.height() {
        return Ok(Point { block, state: head.state, newest: true, pending });
    }
    let state = ctx.store.state_at(block.height()).map_err(store_error)?;
    Ok(Point { block, state, newest: false, pending })
}

impl Point {
    /// The environment in which a call at this point executes: the block's own, or the next block's for `pending`.
    pub(crate) fn env(&self, ctx: &Context) -> BlockEnv {
        if self.pending { next_env(ctx, &self.block) } else { chlom_app::env_of(&self.block.header) }
    }

    /// The account, with EIP-161's empty one where there is none.
    ///
    /// # Errors
    /// Faults of the store.
    pub(crate) fn account(&self, address: &Address) -> Result<Account, RpcError> {
        Ok(self.state.account(address).map_err(state_error)?.unwrap_or_default())
    }

    /// A slot's value.
    ///
    /// # Errors
    /// Faults of the store.
    pub(crate) fn slot(&self, address: &Address, slot: &U256) -> Result<U256, RpcError> {
        self.state.storage(address, slot).map_err(state_error)
    }
}

/// The environment of the block that would be built on `parent` now.
pub(crate) fn next_env(ctx: &Context, parent: &Block) -> BlockEnv {
    let machine = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = ctx.dev.as_ref().map_or_else(machine, |dev| dev.time());
    chlom_app::next_env(parent.hash, &parent.header, &ctx.params, now, parent.header.beneficiary)
}
