//! Numbers, addresses and bytes, in the spellings that Ethereum's genesis files use.

use alloy_primitives::{Address, B256, Bytes, U256, hex};

use super::{
    error::GenesisError,
    json::{Json, Node},
};

fn digits(text: &str) -> Option<U256> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // geth writes and reads a bare "0x" as zero.
        return if hex.is_empty() { Some(U256::ZERO) } else { parse_radix(hex, 16) };
    }
    parse_radix(text, 10)
}

fn parse_radix(text: &str, radix: u64) -> Option<U256> {
    // Checked here because ruint also reads underscores.
    let allowed = text.bytes().all(|byte| char::from(byte).is_digit(if radix == 16 { 16 } else { 10 }));
    if text.is_empty() || !allowed { None } else { U256::from_str_radix(text, radix).ok() }
}

impl Node<'_> {
    /// A number below 2²⁵⁶: `"0x…"`, decimal digits in quotes, or a JSON number.
    pub(super) fn number(&self) -> Result<U256, GenesisError> {
        let expected = "a number below 2^256, decimal or 0x-prefixed hex";
        match self.value {
            Json::Number(value) => Ok(U256::from(*value)),
            Json::Text(text) => digits(text).ok_or_else(|| self.is_not(expected)),
            _ => Err(self.is_not(expected)),
        }
    }

    /// A number below 2⁶⁴.
    pub(super) fn quantity(&self) -> Result<u64, GenesisError> {
        u64::try_from(self.number()?).map_err(|_| self.is_not("a number below 2^64"))
    }

    /// A number below 2⁶³: later blocks' timestamps are higher and must fit too [BLK-8].
    pub(super) fn timestamp(&self) -> Result<u64, GenesisError> {
        let seconds = self.quantity()?;
        if seconds > u64::MAX / 2 { Err(self.is_not("a number below 2^63")) } else { Ok(seconds) }
    }

    /// An address of 40 hex digits.
    pub(super) fn address(&self) -> Result<Address, GenesisError> {
        match self.value {
            Json::Text(text) => parse_address(text).ok_or_else(|| self.is_not("an address of 40 hex digits")),
            _ => Err(self.is_not("an address of 40 hex digits")),
        }
    }

    /// 0x-prefixed bytes.
    pub(super) fn bytes(&self) -> Result<Bytes, GenesisError> {
        match self.value {
            Json::Text(text) => hex::decode(text).map(Into::into).map_err(|_| self.is_not("hex bytes")),
            _ => Err(self.is_not("hex bytes")),
        }
    }

    /// 32 bytes in full.
    pub(super) fn word(&self) -> Result<B256, GenesisError> {
        let bytes = self.bytes()?;
        B256::try_from(bytes.as_ref()).map_err(|_| self.is_not("32 hex bytes"))
    }
}

/// 40 hex digits, with or without 0x, of any case: geth checks no checksum here either.
pub(super) fn parse_address(text: &str) -> Option<Address> {
    let bytes = hex::decode(text).ok()?;
    Address::try_from(bytes.as_slice()).ok()
}

/// A storage slot: hex of at most 64 digits, with or without 0x, as geth writes keys.
pub(super) fn parse_slot(text: &str) -> Option<U256> {
    let hex = text.strip_prefix("0x").unwrap_or(text);
    if hex.len() > 64 { None } else { parse_radix(hex, 16) }
}
