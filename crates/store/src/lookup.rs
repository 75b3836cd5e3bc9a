//! Blocks, receipts and transactions by height and hash. Only what is durable is found.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::B256;
use chlom_primitives::{Block, Receipt};

use crate::{
    encoding::{block, key},
    error::StoreError,
    kv::Table,
    store::Store,
    version::Version,
};

impl Store {
    /// The durable block at a height.
    ///
    /// # Errors
    /// Faults of the disk only, as for the other look-ups.
    pub fn block(&self, height: u64) -> Result<Option<Arc<Block>>, StoreError> {
        let Some(head) = self.shared().head() else { return Ok(None) };
        Ok(self.shared().block_in(&head, height)?)
    }

    /// The durable block with a hash.
    ///
    /// # Errors
    /// Faults of the disk only.
    pub fn block_by_hash(&self, hash: &B256) -> Result<Option<Arc<Block>>, StoreError> {
        let Some(head) = self.shared().head() else { return Ok(None) };
        let Some(height) = self.height_in(&head, hash)? else { return Ok(None) };
        Ok(self.shared().block_in(&head, height)?)
    }

    /// The header of the durable block at a height.
    ///
    /// # Errors
    /// Faults of the disk only.
    pub fn header(&self, height: u64) -> Result<Option<Header>, StoreError> {
        let Some(head) = self.shared().head() else { return Ok(None) };
        if let Some(block) = self.shared().blocks.get(&(head.fork, height)) {
            return Ok((height <= head.height()).then(|| block.header.clone()));
        }
        Ok(self.shared().header_in(&head, height)?.map(|(header, _)| header))
    }

    /// The height of the durable block with a hash.
    ///
    /// # Errors
    /// Faults of the disk only.
    pub fn height_of(&self, hash: &B256) -> Result<Option<u64>, StoreError> {
        let Some(head) = self.shared().head() else { return Ok(None) };
        self.height_in(&head, hash)
    }

    fn height_in(&self, head: &Version, hash: &B256) -> Result<Option<u64>, StoreError> {
        if head.block.hash == *hash {
            return Ok(Some(head.height()));
        }
        let found = head.pinned.get(Table::Hashes, hash.as_slice())?;
        Ok(found.map(|bytes| block::decode_height(&bytes)).transpose()?)
    }

    /// The receipts of the durable block at a height.
    ///
    /// # Errors
    /// Faults of the disk only.
    pub fn receipts(&self, height: u64) -> Result<Option<Arc<Vec<Receipt>>>, StoreError> {
        let Some(head) = self.shared().head() else { return Ok(None) };
        Ok(self.shared().receipts_in(&head, height)?)
    }

    /// Height and position of a transaction in a durable block.
    ///
    /// # Errors
    /// Faults of the disk only.
    pub fn tx_location(&self, hash: &B256) -> Result<Option<(u64, u32)>, StoreError> {
        let Some(head) = self.shared().head() else { return Ok(None) };
        let found = head.pinned.get(Table::Txs, key::tx(hash))?;
        Ok(found.map(|bytes| block::decode_location(&bytes)).transpose()?)
    }
}
