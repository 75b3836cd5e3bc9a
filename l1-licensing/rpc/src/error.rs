//! What a caller is told when a method cannot answer. Codes are JSON-RPC 2.0's, EIP-1474's and geth's.

use std::fmt;

use alloy_primitives::Bytes;
use serde_json::value::RawValue;

/// A JSON-RPC error object.
#[derive(Clone, Debug)]
pub struct RpcError {
    /// JSON-RPC error code.
    pub code: i64,
    /// What was wrong, where, and what to do.
    pub message: String,
    /// Machine-readable detail; hex return data for reverts.
    pub data: Option<Box<RawValue>>,
}

/// Invalid JSON.
pub const PARSE_ERROR: i64 = -32700;
/// Not a request object.
pub const INVALID_REQUEST: i64 = -32600;
/// No such method.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Parameters of the wrong number, type or range.
pub const INVALID_PARAMS: i64 = -32602;
/// A fault of the node.
pub const INTERNAL_ERROR: i64 = -32603;
/// Server error: everything geth has no better code for, refused transactions among them.
pub const SERVER_ERROR: i64 = -32000;
/// A block, transaction or state that the node does not hold (EIP-1474).
pub const RESOURCE_NOT_FOUND: i64 = -32001;
/// A stated limit was hit (EIP-1474).
pub const LIMIT_EXCEEDED: i64 = -32005;
/// Execution reverted; `data` holds the return data.
pub const REVERTED: i64 = 3;

impl RpcError {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// Parameters of the wrong number, type or range.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, message)
    }

    /// A fault of the node: the caller did nothing wrong.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(INTERNAL_ERROR, message.to_string())
    }

    /// geth's catch-all.
    pub fn server(message: impl fmt::Display) -> Self {
        Self::new(SERVER_ERROR, message.to_string())
    }

    /// A stated limit was hit.
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(LIMIT_EXCEEDED, message)
    }

    /// Attaches hex data.
    #[must_use]
    pub fn with_hex(mut self, data: &Bytes) -> Self {
        self.data = serde_json::value::to_raw_value(data).ok();
        self
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for RpcError {}
