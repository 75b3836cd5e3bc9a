//! The result of a call as JSON text, on its way to the socket.

use bytes::Bytes;
use serde::Serialize;

use crate::error::RpcError;

/// JSON text. Methods write it once; it is neither parsed nor copied into a value again. Large answers that are asked
/// often (a block's logs) can be kept and shared without copying.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A constant.
    Static(&'static str),
    /// Written for this call.
    Owned(Vec<u8>),
    /// Written for several calls.
    Shared(Bytes),
}

/// What a method returns.
pub(crate) type Reply = Result<Answer, RpcError>;

/// Bytes that a reply takes; an error's data can be large too.
pub(crate) fn length(reply: &Reply) -> usize {
    reply.as_ref().map_or_else(RpcError::len, Answer::len)
}

impl Answer {
    /// `null`.
    pub(crate) const NULL: Self = Self::Static("null");
    /// `true`.
    pub(crate) const TRUE: Self = Self::Static("true");
    /// `false`.
    pub(crate) const FALSE: Self = Self::Static("false");

    /// Serialises a value.
    ///
    /// # Errors
    /// [`crate::error::INTERNAL_ERROR`] where the type cannot be JSON (a map with keys that are not strings).
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Reply {
        serde_json::to_vec(value).map(Self::Owned).map_err(RpcError::internal)
    }

    /// A quantity: `"0x…"` without leading zeros.
    pub(crate) fn quantity(value: impl std::fmt::LowerHex) -> Self {
        Self::Owned(format!("\"{value:#x}\"").into_bytes())
    }

    /// `true` or `false`.
    pub(crate) fn bool(value: bool) -> Self {
        if value { Self::TRUE } else { Self::FALSE }
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Static(text) => text.as_bytes(),
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    /// Length of the text in bytes.
    pub(crate) fn len(&self) -> usize {
        self.as_bytes().len()
    }
}

impl From<Vec<u8>> for Answer {
    fn from(text: Vec<u8>) -> Self {
        Self::Owned(text)
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Owned(text.into_bytes())
    }
}

impl From<Bytes> for Answer {
    fn from(text: Bytes) -> Self {
        Self::Shared(text)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, U256};

    use super::*;

    #[test]
    fn quantities_have_no_leading_zeros() {
        assert_eq!(Answer::quantity(0u64).as_bytes(), b"\"0x0\"");
        assert_eq!(Answer::quantity(U256::from(1024)).as_bytes(), b"\"0x400\"");
    }

    #[test]
    fn values_serialise_to_their_json() {
        let answer = Answer::of(&vec![Some(B256::ZERO), None]).unwrap();
        assert_eq!(answer.as_bytes(), format!("[\"{}\",null]", B256::ZERO).as_bytes());
        assert_eq!(answer.len(), 75);
    }
}
