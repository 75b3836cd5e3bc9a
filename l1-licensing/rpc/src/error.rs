//! What a caller is told when a method cannot answer. Codes are JSON-RPC 2.0's, EIP-1474's and geth's.

use std::{fmt, time::Duration};

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
/// The call's time was up (geth's code).
pub const TIMED_OUT: i64 = -32002;
/// The answer would be longer than allowed (geth's code).
pub const RESPONSE_TOO_LARGE: i64 = -32003;
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

    /// The call's time was up.
    pub fn timed_out(limit: Duration) -> Self {
        Self::new(TIMED_OUT, format!("request timed out: a call or batch may take {}", Human(limit)))
    }

    /// The answer would be longer than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(RESPONSE_TOO_LARGE, format!("response too large: the limit is {limit} bytes; ask for less"))
    }

    /// No such method; long names are cut.
    pub(crate) fn unknown_method(name: &str) -> Self {
        let shown: String = name.chars().take(64).collect();
        Self::new(METHOD_NOT_FOUND, format!("the method {shown} does not exist/is not available"))
    }

    /// Not a request object.
    pub(crate) fn invalid_request(why: &str) -> Self {
        Self::new(INVALID_REQUEST, format!("invalid request: {why}"))
    }

    /// Attaches data, as a string.
    #[must_use]
    pub(crate) fn with_text(mut self, data: &str) -> Self {
        self.data = serde_json::value::to_raw_value(data).ok();
        self
    }

    /// Bytes that the error takes, about.
    pub(crate) fn len(&self) -> usize {
        self.message.len() + self.data.as_ref().map_or(0, |data| data.get().len())
    }

    /// The error object as JSON text.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"code\":");
        out.extend_from_slice(self.code.to_string().as_bytes());
        out.extend_from_slice(b",\"message\":");
        let message = serde_json::to_vec(&self.message).expect("a string is JSON");
        out.extend_from_slice(&message);
        if let Some(data) = &self.data {
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(data.get().as_bytes());
        }
        out.push(b'}');
    }

    /// Attaches hex data.
    #[must_use]
    pub fn with_hex(mut self, data: &Bytes) -> Self {
        self.data = serde_json::value::to_raw_value(data).ok();
        self
    }
}

/// A duration in whole seconds where it is one, else in milliseconds.
struct Human(Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_nanos() {
            0 => write!(f, "{} s", self.0.as_secs()),
            _ => write!(f, "{} ms", self.0.as_millis()),
        }
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for RpcError {}
