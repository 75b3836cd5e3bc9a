//! How callers name a block: a number, a tag, a hash, or EIP-1898's object.

use std::{borrow::Cow, fmt};

use alloy_primitives::B256;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

/// A number or a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberOrTag {
    /// A height.
    Number(u64),
    /// The head. What is committed is final, so `safe` and `finalized` are the same block.
    Latest,
    /// The block that would be built on the head.
    Pending,
}

/// Any name of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockId {
    /// A number or a tag.
    Number(NumberOrTag),
    /// A block hash. Every block that the node holds is canonical, so EIP-1898's `requireCanonical` changes nothing.
    Hash(B256),
}

impl Default for BlockId {
    fn default() -> Self {
        Self::Number(NumberOrTag::Latest)
    }
}

impl NumberOrTag {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "latest" | "safe" | "finalized" => Ok(Self::Latest),
            "pending" => Ok(Self::Pending),
            "earliest" => Ok(Self::Number(0)),
            number => quantity(number).map(Self::Number),
        }
    }
}

/// A JSON-RPC quantity of 64 bits, as strict as geth.
pub(crate) fn quantity(text: &str) -> Result<u64, String> {
    let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) else {
        return Err(if text.is_empty() { "empty hex string" } else { "hex string without 0x prefix" }.into());
    };
    if digits.is_empty() {
        return Err("hex string \"0x\"".into());
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err("hex number with leading zero digits".into());
    }
    if digits.len() > 16 {
        return Err("hex number > 64 bits".into());
    }
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("invalid hex string".into());
    }
    u64::from_str_radix(digits, 16).map_err(|_| "invalid hex string".into())
}

impl<'de> Deserialize<'de> for NumberOrTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for BlockId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyName)
    }
}

struct AnyName;

impl<'de> Visitor<'de> for AnyName {
    type Value = BlockId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a block number, a tag, a block hash or an object with blockNumber or blockHash")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<BlockId, E> {
        if text.len() == 66 {
            return text.parse().map(BlockId::Hash).map_err(|_| E::custom("invalid block hash"));
        }
        NumberOrTag::parse(text).map(BlockId::Number).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BlockId, A::Error> {
        let (mut number, mut hash) = (None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "blockNumber" => number = map.next_value::<Option<NumberOrTag>>()?,
                "blockHash" => hash = map.next_value::<Option<B256>>()?,
                "requireCanonical" => drop(map.next_value::<Option<bool>>()?),
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        match (number, hash) {
            (Some(_), Some(_)) => Err(de::Error::custom(
                "cannot specify both BlockHash and BlockNumber, choose one or the other",
            )),
            (Some(number), None) => Ok(BlockId::Number(number)),
            (None, Some(hash)) => Ok(BlockId::Hash(hash)),
            (None, None) => Err(de::Error::custom("invalid arguments; neither block nor hash specified")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(json: &str) -> Result<BlockId, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn tags_numbers_hashes_and_objects_name_blocks() {
        let hash = B256::repeat_byte(0xab);
        let number = |n| Ok(BlockId::Number(NumberOrTag::Number(n)));
        assert_eq!(id("\"0x0\""), number(0));
        assert_eq!(id("\"0x10\""), number(16));
        assert_eq!(id("\"earliest\""), number(0));
        for tag in ["latest", "safe", "finalized"] {
            assert_eq!(id(&format!("\"{tag}\"")), Ok(BlockId::default()));
        }
        assert_eq!(id("\"pending\""), Ok(BlockId::Number(NumberOrTag::Pending)));
        assert_eq!(id(&format!("\"{hash}\"")), Ok(BlockId::Hash(hash)));
        assert_eq!(id("{\"blockNumber\":\"0x2\"}"), number(2));
        assert_eq!(
            id(&format!("{{\"blockHash\":\"{hash}\",\"requireCanonical\":true}}")),
            Ok(BlockId::Hash(hash))
        );
    }

    #[test]
    fn other_names_are_refused_with_the_reason() {
        for (json, reason) in [
            ("\"0x\"", "hex string \"0x\""),
            ("\"0x01\"", "leading zero"),
            ("\"12\"", "without 0x prefix"),
            ("\"newest\"", "without 0x prefix"),
            ("\"0x10000000000000000\"", "> 64 bits"),
            ("\"0xzz\"", "invalid hex"),
            ("\"0x+1\"", "invalid hex"),
            ("\"\"", "empty"),
            ("7", "block number, a tag"),
            ("{}", "neither block nor hash"),
        ] {
            let error = id(json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }
}
