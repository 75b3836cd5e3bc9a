//! How things are kept as bytes. Every decoder is total: bytes that the encoder did not write are an error.

pub(crate) mod account;
pub(crate) mod block;
pub(crate) mod changes;
pub(crate) mod key;
pub(crate) mod receipts;

use chlom_state::StateError;

/// Names the record that did not decode.
pub(crate) fn damaged(what: &str, error: impl std::fmt::Display) -> StateError {
    StateError::Corrupt(format!("{what} does not decode: {error}"))
}

/// Decodes one RLP value and refuses anything after it.
pub(crate) fn whole<T: alloy_rlp::Decodable>(mut bytes: &[u8]) -> alloy_rlp::Result<T> {
    let value = T::decode(&mut bytes)?;
    if bytes.is_empty() { Ok(value) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

/// Splits a list into its payload, and refuses anything after it.
pub(crate) fn list<'a>(bytes: &mut &'a [u8]) -> alloy_rlp::Result<&'a [u8]> {
    alloy_rlp::Header::decode_bytes(bytes, true)
}
