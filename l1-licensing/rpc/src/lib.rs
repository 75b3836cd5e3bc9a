//! Ethereum JSON-RPC over HTTP and WebSocket on one port.
//!
//! - [`context`]: what every method may use; [`limits`]: every bound that a caller can meet; [`error`]: what callers are
//!   told.
//! - `dispatch`: from the text of a call to the text of its answer.

pub mod context;
mod dispatch;
pub mod error;
pub mod limits;

pub use context::{Context, DevControl, NewBlock, Wake};
pub use error::RpcError;
pub use limits::Limits;
