//! JSON-RPC calls that are not measured: setting up, polling, checking.

use crate::http::{Connection, Endpoint};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// A connection for single calls.
pub(crate) struct Rpc {
    endpoint: Endpoint,
    connection: Connection,
}

impl Rpc {
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self> {
        Ok(Self { endpoint: endpoint.clone(), connection: endpoint.connect().await? })
    }

    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let request = self.endpoint.request(body.as_bytes());
        let answer: Value = serde_json::from_slice(self.connection.send(&request).await?)?;
        result(answer).with_context(|| format!("{method} failed"))
    }

    /// A call whose result is a hexadecimal quantity.
    pub(crate) async fn quantity(&mut self, method: &str, params: Value) -> Result<u64> {
        parse_quantity(&self.call(method, params).await?)
            .with_context(|| format!("{method} gave no quantity"))
    }
}

/// The `result` of an answer, or its error as an error.
pub(crate) fn result(mut answer: Value) -> Result<Value> {
    if let Some(error) = answer.get("error") {
        bail!("{error}");
    }
    answer.get_mut("result").map(Value::take).context("an answer without result")
}

/// `"0x1f"` as a number.
pub(crate) fn parse_quantity(value: &Value) -> Result<u64> {
    let text = value.as_str().context("a quantity is a string")?;
    Ok(u64::from_str_radix(text.strip_prefix("0x").context("a quantity begins with 0x")?, 16)?)
}

/// Bytes as `0x` and hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("0x");
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// Hexadecimal digits, with or without `0x`, as bytes.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digits = text.trim().trim_start_matches("0x");
    (0..digits.len())
        .step_by(2)
        .map(|at| {
            u8::from_str_radix(digits.get(at..at + 2).context("an odd number of digits")?, 16)
                .map_err(Into::into)
        })
        .collect()
}
