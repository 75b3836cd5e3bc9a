//! Nouns and numbers that every layer shares, with their canonical encodings.
//!
//! - [`address`]: where system modules and contracts live.
//! - [`params`]: the parameters that consensus agrees on, read from `spec/params.toml`.
//! - [`tx`]: a signed transaction with its recovered sender and its exact bytes.
//! - [`header`]: entry 0 of a block, an Ethereum header plus what consensus adds.
//! - [`votes`]: vote extensions, as entry 0 carries them.
//! - [`block`]: a block, its entries and its receipts; `list_root`: what its header says of them.

pub mod address;
pub mod block;
pub mod header;
mod list_root;
pub mod params;
pub mod tx;
pub mod votes;

pub use block::{Block, Receipt};
pub use header::{Additions, Entry0};
pub use params::Params;
pub use tx::Tx;

/// CometBFT's id of the chain (REF §2): part of everything that validators sign.
pub const L0_CHAIN_ID: &str = "chlom-core-100";
