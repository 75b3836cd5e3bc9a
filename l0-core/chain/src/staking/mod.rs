//! `0x…1010` Staking (ARCHITECTURE §3, §4). It begins as the validator set that genesis names, and keeps the sets of the
//! previous, the current and the next two heights: what is decided at height H acts at H + 2, as CometBFT has it. Stake,
//! penalties and evidence come later.
//!
//! - [`set`]: a validator, a checked set of them, and its hash.
//! - [`interface`]: what Solidity sees.
//! - [`state_key`]: where everything lies in storage.
//! - [`view`]: reading, by anyone ([`StakingRead`]); writing, by the module only.
//! - [`block`]: the rotation of the sets at each block's begin.
//! - [`genesis`]: the storage to begin with.

pub mod block;
pub mod error;
pub mod genesis;
pub mod interface;
pub mod module;
pub mod set;
pub mod state_key;
pub mod view;

pub use error::ValidatorSetError;
pub use genesis::StakingGenesis;
pub use interface::IStaking;
pub use module::Staking;
pub use set::{MAX_TOTAL_POWER, Validator, ValidatorSet};
pub use state_key::Window;
pub use view::{StakingRead, storage};

#[cfg(test)]
mod tests;
