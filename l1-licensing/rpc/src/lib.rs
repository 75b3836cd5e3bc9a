//! Ethereum JSON-RPC over HTTP and WebSocket on one port.
//!
//! - [`context`]: what every method may use; [`limits`]: every bound that a caller can meet; [`error`]: what callers are
//!   told.
//! - [`server`]: connections. `dispatch`: from the text of a call to the text of its answer.
//! - `methods`, `filters`, `subscribe`: methods about the node. `eth`, `debug`: methods about the chain.
//! - `blobs`: methods about blobs, where the node keeps some.
//! - `metrics`: what operators see.

// An edge: it has sockets, clocks for what takes too long, and maps whose order never matters.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod blobs;
pub mod context;
mod debug;
mod dispatch;
pub mod error;
mod eth;
mod filters;
pub mod limits;
mod methods;
mod metrics;
pub mod server;
mod submit;
mod subscribe;

pub use context::{Context, DevControl, NewBlock, Wake};
pub use error::RpcError;
pub use limits::Limits;
pub use server::{BindError, Cors, Health, Pages, Server, ServerOptions};
