//! Blocks and receipts by height, from memory when they were asked for lately.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::Log;
use chlom_primitives::{Additions, Block, Receipt};
use chlom_state::StateError;

use crate::{
    encoding::{block, key, receipts},
    kv::{Table, Value},
    shared::Shared,
    version::Version,
};

impl Shared {
    fn record(&self, version: &Version, table: Table, height: u64) -> Result<Option<Value>, StateError> {
        if height > version.height() {
            return Ok(None);
        }
        version.pinned.get(table, &key::height(height))
    }

    pub(crate) fn header_in(
        &self,
        version: &Version,
        height: u64,
    ) -> Result<Option<(Header, Additions)>, StateError> {
        let Some(bytes) = self.record(version, Table::Headers, height)? else { return Ok(None) };
        let (header, additions) = block::decode_header(&bytes)?;
        if header.number != height {
            return Err(StateError::Corrupt(format!("the header at height {height} says {}", header.number)));
        }
        Ok(Some((header, additions)))
    }

    pub(crate) fn block_in(&self, version: &Version, height: u64) -> Result<Option<Arc<Block>>, StateError> {
        if height >= version.height() {
            return Ok((height == version.height()).then(|| version.block.clone()));
        }
        if let Some(block) = self.blocks.get(&(version.fork, height)) {
            return Ok(Some(block));
        }
        let Some((header, additions)) = self.header_in(version, height)? else { return Ok(None) };
        let missing = || StateError::Corrupt(format!("a header but no body at height {height}"));
        let body = self.record(version, Table::Bodies, height)?.ok_or_else(missing)?;
        let block = Arc::new(Block::seal(header, additions, block::decode_body(&body)?));
        self.blocks.put((version.fork, height), block.clone(), block_bytes(&block));
        Ok(Some(block))
    }

    pub(crate) fn receipts_in(
        &self,
        version: &Version,
        height: u64,
    ) -> Result<Option<Arc<Vec<Receipt>>>, StateError> {
        if height > version.height() {
            return Ok(None);
        }
        if let Some(receipts) = self.receipts.get(&(version.fork, height)) {
            return Ok(Some(receipts));
        }
        let Some(bytes) = self.record(version, Table::Receipts, height)? else { return Ok(None) };
        let receipts = Arc::new(receipts::decode(&bytes)?);
        self.receipts.put((version.fork, height), receipts.clone(), receipts_bytes(&receipts));
        Ok(Some(receipts))
    }
}

/// What a decoded block takes in memory, roughly.
pub(crate) fn block_bytes(block: &Block) -> usize {
    block.txs.iter().map(|tx| tx.raw().len() + 500).sum::<usize>() + 1_000
}

/// What decoded receipts take in memory, roughly.
pub(crate) fn receipts_bytes(receipts: &[Receipt]) -> usize {
    let log_bytes = |log: &Log| 100 + log.data.topics().len() * 32 + log.data.data.len();
    receipts.iter().map(|receipt| 64 + receipt.logs.iter().map(log_bytes).sum::<usize>()).sum::<usize>() + 64
}
