//! What a program needs to use a CHLOM node: calls, transactions that are waited for, and the system contracts' types.
//!
//! - [`rpc`]: JSON-RPC over HTTP, with limits on time and size.
//! - [`signer`]: who signs; [`keystore`]: keys from files.
//! - [`chain`]: calls and transactions; [`proofs`]: proofs of contracts' slots.
//! - [`blobs`]: bodies to a node and back.
//! - [`lanes`]: lanes, their pots, batches, challenges and events.
//! - [`logs`]: what contracts leave in blocks.
//! - [`contracts`]: bindings, made from the interfaces' ABI; [`revert`]: what a revert says, by name and values.
// An edge: see .clippy.toml.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod blobs;
pub mod chain;
pub mod contracts;
mod error;
pub mod keystore;
pub mod lanes;
pub mod logs;
pub mod proofs;
pub mod revert;
pub mod rpc;
pub mod signer;

pub use chain::{Chain, Receipt, Request};
pub use error::ClientError;
pub use rpc::Rpc;
pub use signer::Signer;
