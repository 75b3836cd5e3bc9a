//! Drives an Application.
//!
//! Today in process, for `chlom dev`: one thread makes blocks at the block time or on demand, runs each through the
//! same three moments that consensus will ([`chlom_app::App`]), makes it durable and only then tells anyone.
//!
//! - [`attest`]: what consensus would bring of the last commit.
//! - [`chain`]: the thread's loop and its commands.
//! - [`clock`]: chain time, which a developer may move forward.
//! - [`produce`]: one block from pool to disk.
// An edge: see .clippy.toml.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod attest;
pub mod chain;
pub mod clock;
pub mod error;
mod produce;

pub use attest::{Attester, Holdings};
pub use chain::{DevChain, DevChainConfig, Maker, Produced, Running};
pub use clock::ChainClock;
pub use error::ChainError;
