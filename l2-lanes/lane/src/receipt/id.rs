//! Ids of receipts, and how they are ordered.

use std::fmt;

/// Most bytes of an id.
pub const MOST_ID_BYTES: usize = 64;
/// Most digits at its end that count as a number.
pub const MOST_DIGITS: u8 = 18;

/// A receipt's id: 1 to 64 printable ASCII characters without spaces. Upholds [LAN-4].
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiptId {
    text: Box<str>,
    stem: u8,
    number: u64,
}

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to {MOST_ID_BYTES} printable ASCII characters and no space")]
pub struct IdError;

/// An id in parts: what stands before its last digits, how many digits there are (at most 18), and the number that they are. Ids
/// are ordered by these, in this order. Upholds [LAN-5].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdParts<'a> {
    /// What stands before the digits.
    pub stem: &'a [u8],
    /// Digits.
    pub width: u8,
    /// Their number.
    pub number: u64,
}

impl ReceiptId {
    /// # Errors
    /// [`IdError`].
    pub fn new(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > MOST_ID_BYTES || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(IdError);
        }
        let digits = bytes.iter().rev().take(MOST_DIGITS.into()).take_while(|b| b.is_ascii_digit()).count();
        let stem = bytes.len().saturating_sub(digits);
        let digits = bytes.get(stem..).unwrap_or_default();
        let add = |number: u64, digit: &u8| {
            number.saturating_mul(10).saturating_add(digit.saturating_sub(b'0').into())
        };
        let number = digits.iter().fold(0, add);
        Ok(Self { text: text.into(), stem: u8::try_from(stem).map_err(|_| IdError)?, number })
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// In parts.
    pub fn parts(&self) -> IdParts<'_> {
        let (stem, digits) = self.text.as_bytes().split_at(self.stem.into());
        IdParts { stem, width: u8::try_from(digits.len()).unwrap_or(MOST_DIGITS), number: self.number }
    }
}

impl IdParts<'_> {
    /// Appends the id's text.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.stem);
        let from = out.len();
        let mut number = self.number;
        for _ in 0..self.width {
            let digit = u8::try_from(number.checked_rem(10).unwrap_or(0)).unwrap_or(0);
            out.push(b'0'.saturating_add(digit));
            number = number.checked_div(10).unwrap_or(0);
        }
        if let Some(digits) = out.get_mut(from..) {
            digits.reverse();
        }
    }
}

impl fmt::Debug for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lan_5_an_id_is_split_before_its_last_digits() {
        for (text, stem, width, number) in [
            ("AD-123456", "AD-", 6, 123_456),
            ("AD-7-0", "AD-7-", 1, 0),
            ("007", "", 3, 7),
            ("x", "x", 0, 0),
            ("1234567890123456789012", "1234", 18, 567_890_123_456_789_012),
        ] {
            let id = ReceiptId::new(text).unwrap();
            let parts = IdParts { stem: stem.as_bytes(), width, number };
            assert_eq!(id.parts(), parts, "{text}");
        }
    }

    #[test]
    fn lan_4_what_is_no_id_is_refused() {
        for text in ["", "a b", "ä", "tab\t", &"x".repeat(65)] {
            assert_eq!(ReceiptId::new(text), Err(IdError), "{text}");
        }
        assert!(ReceiptId::new(&"7".repeat(64)).is_ok());
    }

    proptest! {
        #[test]
        fn lan_5_parts_write_the_text_they_were_read_from(text in "[!-~]{1,40}[0-9]{0,24}") {
            let id = ReceiptId::new(&text).unwrap();
            let mut out = Vec::new();
            id.parts().write(&mut out);
            prop_assert_eq!(out, text.into_bytes());
        }
    }
}
