//! Names that people gave: of sources, campaigns, titles.

use std::fmt;

/// Most bytes of a name.
pub const MOST_NAME_BYTES: usize = 64;

/// A name: 1 to 64 bytes of UTF-8 without control characters. Upholds [LAN-3].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Box<str>);

/// The text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MOST_NAME_BYTES} bytes of UTF-8 and no control characters")]
pub struct NameError;

impl Name {
    /// # Errors
    /// [`NameError`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        Self::check(text.as_bytes())?;
        Ok(Self(text.into()))
    }

    /// The name that bytes are.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NameError> {
        Self::check(bytes).map(|text| Self(text.into()))
    }

    fn check(bytes: &[u8]) -> Result<&str, NameError> {
        let text = std::str::from_utf8(bytes).map_err(|_| NameError)?;
        let fits = !bytes.is_empty() && bytes.len() <= MOST_NAME_BYTES;
        if fits && !text.chars().any(char::is_control) { Ok(text) } else { Err(NameError) }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
