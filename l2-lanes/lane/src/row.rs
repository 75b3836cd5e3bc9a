//! A row: what one payer's receipts of one licence say in one batch.

use alloy_primitives::{Address, B256, keccak256};

use crate::merkle;

/// A row of a batch, as `settle` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whoever owes.
    pub payer: Address,
    /// The licence.
    pub licence: B256,
    /// Index of its first record.
    pub first_record: u32,
    /// Its records, at least one.
    pub count: u32,
    /// What they say, in minor units.
    pub revenue: u128,
    /// The licence's rate at the period's start.
    pub royalty_bps: u16,
    /// The most it can owe: ⌈revenue·royaltyBps/10⁴⌉.
    pub owed: u128,
}

/// Bytes that a row's leaf hashes.
pub const ROW_LEAF_BYTES: usize = 95;

impl Row {
    /// Its leaf in the tree of `licenses_root`: keccak256(0x00 ‖ payer ‖ licence ‖ first record ‖ count ‖ revenue ‖ royaltyBps ‖
    /// owed), numbers big-endian of 4, 4, 16, 2 and 16 bytes. Upholds [LAN-20].
    pub fn leaf(&self) -> B256 {
        let mut bytes = Vec::with_capacity(ROW_LEAF_BYTES);
        bytes.push(merkle::LEAF);
        bytes.extend_from_slice(self.payer.as_slice());
        bytes.extend_from_slice(self.licence.as_slice());
        bytes.extend_from_slice(&self.first_record.to_be_bytes());
        bytes.extend_from_slice(&self.count.to_be_bytes());
        bytes.extend_from_slice(&self.revenue.to_be_bytes());
        bytes.extend_from_slice(&self.royalty_bps.to_be_bytes());
        bytes.extend_from_slice(&self.owed.to_be_bytes());
        keccak256(bytes)
    }
}
