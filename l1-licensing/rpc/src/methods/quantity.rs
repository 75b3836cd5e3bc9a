//! Numbers as the tools of dApp developers send them.

use std::fmt;

use alloy_primitives::U256;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A number given as JSON number, `"0x…"` or decimal string, as Hardhat's and Foundry's clients do for `evm_` methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantity(pub(crate) u64);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number below 2^64, as a number or a 0x string")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Quantity, E> {
        Ok(Quantity(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
        let value = match text.strip_prefix("0x") {
            Some(digits) => U256::from_str_radix(digits, 16),
            None => U256::from_str_radix(text, 10),
        };
        let value =
            value.ok().filter(|_| !text.is_empty() && text != "0x").and_then(|v| u64::try_from(v).ok());
        value.map(Quantity).ok_or_else(|| E::custom(format!("{text:?} is not a whole number below 2^64")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_hex_and_decimal_strings_are_read() {
        for text in ["255", "\"0xff\"", "\"255\"", "\"0x00ff\""] {
            assert_eq!(serde_json::from_str::<Quantity>(text).unwrap(), Quantity(255), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_refused() {
        for text in
            ["-1", "1.5", "\"\"", "\"0x\"", "\"0xg\"", "\"0x10000000000000000\"", "null", "[]", "true"]
        {
            assert!(serde_json::from_str::<Quantity>(text).is_err(), "{text}");
        }
    }
}
