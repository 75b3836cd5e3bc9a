//! `0x…1003` DataAvailability (ARCHITECTURE §5, REF §3): headers of blobs, their fees, who has attested them, until when they
//! are kept. Bodies never come here.
//!
//! A blob is *announced* when its header is published, *available* once validators with more than ⅔ of power said that they
//! hold and have verified their part, and *expired* when its time is over. Publishing again pays for a later expiry, which
//! counts once it is attested anew; until then the earlier one stands.
//!
//! - [`interface`]: what Solidity sees.
//! - [`state_key`]: where everything lies in storage.
//! - [`fee`]: the price of a row, which follows demand.
//! - [`publish`]: one action: its check, its writes.
//! - [`attest`]: validators' statements, which the host brings at each block's begin.
//! - [`verify`]: cells and points opened by callers, and what that costs.
//! - [`view`]: reading, by anyone ([`BlobsRead`]).
//! - [`genesis`]: the storage to begin with.

pub mod attest;
mod fault;
pub mod fee;
pub mod genesis;
pub mod interface;
pub mod module;
pub mod publish;
pub mod state_key;
pub mod verify;
pub mod view;

pub use attest::{Statement, attest};
pub use genesis::BlobsGenesis;
pub use interface::IDataAvailability;
pub use module::DataAvailability;
pub use view::{BlobRecord, BlobStatus, BlobsRead, storage};

use alloy_primitives::{B256, FixedBytes, keccak256};

/// What a blob is known by: keccak256("CHLOM_BLOB_V1" ‖ lane ‖ period ‖ merkle root). Upholds [DAM-1].
pub fn blob_id(lane: &FixedBytes<20>, period: u32, merkle_root: &B256) -> B256 {
    let mut bytes = b"CHLOM_BLOB_V1".to_vec();
    bytes.extend_from_slice(lane.as_slice());
    bytes.extend_from_slice(&period.to_be_bytes());
    bytes.extend_from_slice(merkle_root.as_slice());
    keccak256(bytes)
}

#[cfg(test)]
mod tests;
