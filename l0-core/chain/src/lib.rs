//! L0 system modules.
//!
//! - [`staking`]: `0x…1010`, for now the genesis validator set and the sets around the current height.

pub mod staking;
