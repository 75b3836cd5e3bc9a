//! What a caller wants traced, and how.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::RpcError,
    eth::{
        block_id::quantity,
        overrides::{BlockOverrides, StateOverride},
    },
};

/// The options of a trace; geth's names and defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TraceConfig {
    /// Name of the tracer; the opcode logger where absent or empty.
    pub(super) tracer: Option<String>,
    /// The tracer's own options.
    pub(super) tracer_config: Value,
    /// A Go duration, as `5s`.
    pub(super) timeout: Option<String>,
    /// Opcode logger: leave the storage out.
    pub(super) disable_storage: bool,
    /// Opcode logger: leave the stack out.
    pub(super) disable_stack: bool,
    /// Opcode logger: show the memory.
    pub(super) enable_memory: bool,
    /// Opcode logger: show the data that the last call returned.
    pub(super) enable_return_data: bool,
    /// Opcode logger: the most steps to write; 0 is no limit but the node's. (The document's meaning; geth counts bytes.)
    pub(super) limit: usize,
}

/// The options of debug_traceCall.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TraceCallConfig {
    #[serde(flatten)]
    pub(super) trace: TraceConfig,
    pub(super) state_overrides: Option<StateOverride>,
    pub(super) block_overrides: Option<BlockOverrides>,
    /// Trace on the state before this transaction of the block, not after the block.
    tx_index: Option<String>,
}

impl TraceCallConfig {
    /// Where in the block to trace.
    ///
    /// # Errors
    /// Not a quantity.
    pub(super) fn position(&self) -> Result<Option<usize>, RpcError> {
        let Some(text) = &self.tx_index else { return Ok(None) };
        let index = quantity(text).map_err(|why| RpcError::invalid_params(format!("txIndex: {why}")))?;
        Ok(Some(usize::try_from(index).unwrap_or(usize::MAX)))
    }
}

impl TraceConfig {
    /// The time of one trace: what is asked for, up to `most`.
    ///
    /// # Errors
    /// Not a duration.
    pub(super) fn time(&self, most: Duration) -> Result<Duration, RpcError> {
        match &self.timeout {
            None => Ok(most),
            Some(text) => duration(text)
                .map(|asked| asked.min(most))
                .ok_or_else(|| RpcError::server(format!("time: invalid duration {text:?}"))),
        }
    }
}

/// A Go duration: numbers with units, as `1m30s` or `1.5s`.
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        total = total.checked_add(part(number, unit)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

fn part(number: &str, unit: &str) -> Option<Duration> {
    let nanos: u64 = match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let scale = 10u64.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let fraction = u128::from(fraction) * u128::from(nanos) / u128::from(scale);
    Some(Duration::from_nanos(whole.checked_mul(nanos)?.checked_add(u64::try_from(fraction).ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        for (text, millis) in
            [("5s", 5_000), ("500ms", 500), ("1m30s", 90_000), ("1.5s", 1_500), (".5s", 500), ("0", 0)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "5x", "-5s", "1.2.3s", "99999999999999999999h", "."] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn nobody_gets_more_time_than_the_node_gives() {
        let asked = |timeout: &str| TraceConfig { timeout: Some(timeout.into()), ..TraceConfig::default() };
        let most = Duration::from_secs(10);
        assert_eq!(asked("1h").time(most).unwrap(), most);
        assert_eq!(asked("1s").time(most).unwrap(), Duration::from_secs(1));
        assert!(asked("soon").time(most).is_err());
    }
}
