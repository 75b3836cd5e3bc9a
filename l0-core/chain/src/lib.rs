//! L0 system modules.
//!
//! - [`blobs`]: `0x…1003`, headers of published data, their fees and attestation.
//! - [`staking`]: `0x…1010`, for now the genesis validator set and the sets around the current height.
//! - [`votes`]: vote extensions, and their proof in the next block.

pub mod blobs;
pub mod staking;
pub mod votes;
