//! The genesis file, in the JSON that Ethereum's tools share, and the state that it makes.
//!
//! - `alloc`: accounts with `balance`, `nonce`, `code` and `storage`. Addresses that the protocol allocates are refused.
//! - `config.chainId`, `timestamp`, `gasLimit`, `baseFeePerGas`, `mixHash`: as Ethereum has them.
//! - `config.chlom.params`: our parameters, chapter by chapter as in `spec/params.toml`; what is not named keeps its default.
//! - `config.chlom.validators`: a list of `{"consensusKey", "account", "power"}`.
//! - `config.chlom.governance`: who owns and runs the system contracts, `{"authority", "timelockDelay", "settler", "laneWindow",
//!   "laneWindowBlocks"}`.
//! - What an Ethereum genesis carries and CHLOM has no use for is ignored, and [`GenesisSpec::ignored`] says so with the
//!   reason. What nobody knows is an error.

mod account;
mod chlom_config;
pub mod contracts;
mod error;
mod json;
mod parse;
mod scalar;
mod spec;
mod state;

pub use account::GenesisAccount;
pub use contracts::Governance;
pub use error::GenesisError;
pub use spec::{GenesisSpec, Ignored};

#[cfg(test)]
mod tests;
