//! Reading and writing of bytes: fixed fields big-endian, varints in LEB128.

/// Why a varint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// The bytes end within a field.
    #[error("the bytes end within a field")]
    Short,
    /// A varint with a needless last byte, or of more than 128 bits.
    #[error("a varint is longer than its number needs, or has more than 128 bits")]
    Varint,
    /// A number beyond the bound of its field.
    #[error("a number is above {0}, the bound of its field")]
    Bound(u128),
}

/// Bytes that are read from the front.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`BytesError::Short`].
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], BytesError> {
        let (first, rest) = self.0.split_first_chunk().ok_or(BytesError::Short)?;
        self.0 = rest;
        Ok(first)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`BytesError::Short`].
    pub fn slice(&mut self, count: usize) -> Result<&'a [u8], BytesError> {
        let (first, rest) = self.0.split_at_checked(count).ok_or(BytesError::Short)?;
        self.0 = rest;
        Ok(first)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`BytesError::Short`].
    #[inline]
    pub fn byte(&mut self) -> Result<u8, BytesError> {
        let (first, rest) = self.0.split_first().ok_or(BytesError::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// [`BytesError::Short`].
    pub fn u16(&mut self) -> Result<u16, BytesError> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`BytesError::Short`].
    pub fn u32(&mut self) -> Result<u32, BytesError> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`BytesError::Short`].
    pub fn u64(&mut self) -> Result<u64, BytesError> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// Sixteen bytes.
    ///
    /// # Errors
    /// [`BytesError::Short`].
    pub fn u128(&mut self) -> Result<u128, BytesError> {
        self.array().map(|bytes| u128::from_be_bytes(*bytes))
    }

    /// A varint of at most `most`: seven bits a byte, the lowest first, the top bit set on all bytes but the last. One number
    /// has one encoding.
    ///
    /// # Errors
    /// See [`BytesError`].
    #[inline]
    pub fn varint(&mut self, most: u128) -> Result<u128, BytesError> {
        let first = self.byte()?;
        let value = if first < 0x80 { first.into() } else { self.long_varint(first)? };
        if value > most { Err(BytesError::Bound(most)) } else { Ok(value) }
    }

    fn long_varint(&mut self, first: u8) -> Result<u128, BytesError> {
        let mut value = u128::from(first & 0x7f);
        for shift in (7..=126).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            // The nineteenth byte has two bits of room left.
            if shift == 126 && byte > 3 {
                return Err(BytesError::Varint);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return if byte == 0 { Err(BytesError::Varint) } else { Ok(value) };
            }
        }
        Err(BytesError::Varint)
    }

    /// A varint that fits 32 bits.
    ///
    /// # Errors
    /// See [`BytesError`].
    pub fn varint32(&mut self, most: u32) -> Result<u32, BytesError> {
        self.varint(most.into()).and_then(|value| u32::try_from(value).map_err(|_| BytesError::Varint))
    }

    /// A varint that fits 64 bits.
    ///
    /// # Errors
    /// See [`BytesError`].
    pub fn varint64(&mut self, most: u64) -> Result<u64, BytesError> {
        self.varint(most.into()).and_then(|value| u64::try_from(value).map_err(|_| BytesError::Varint))
    }

    /// A varint that counts things of one page.
    ///
    /// # Errors
    /// See [`BytesError`].
    #[inline]
    pub fn small(&mut self, most: usize) -> Result<usize, BytesError> {
        let most = u128::try_from(most).unwrap_or(u128::MAX);
        self.varint(most).and_then(|value| usize::try_from(value).map_err(|_| BytesError::Varint))
    }
}

/// Appends a varint.
pub fn write_varint(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// Bytes of a number's varint.
pub const fn varint_len(value: u128) -> usize {
    let bits = 128u32.saturating_sub(value.leading_zeros());
    if bits <= 7 { 1 } else { bits.div_ceil(7) as usize }
}

/// A signed difference as an unsigned number: 0, −1, 1, −2, 2, …
pub const fn zigzag(difference: i64) -> u64 {
    (difference.wrapping_shl(1) ^ (difference >> 63)) as u64
}

/// The difference of a [`zigzag`] number.
pub const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ 0i64.wrapping_sub((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn needless_bytes_and_too_many_bits_are_refused() {
        for bytes in [&[0x80, 0x00][..], &[0xff, 0x80, 0x00], &[0xff; 19], &[0xff; 40]] {
            assert_eq!(Reader::new(bytes).varint(u128::MAX), Err(BytesError::Varint), "{bytes:?}");
        }
        assert_eq!(Reader::new(&[0x80]).varint(u128::MAX), Err(BytesError::Short));
        assert_eq!(Reader::new(&[]).varint(u128::MAX), Err(BytesError::Short));
        assert_eq!(Reader::new(&[5]).varint(4), Err(BytesError::Bound(4)));
    }

    proptest! {
        #[test]
        fn a_number_has_one_varint(value: u128, shift in 0u32..128) {
            let value = value >> shift;
            let mut out = Vec::new();
            write_varint(&mut out, value);
            prop_assert_eq!(out.len(), varint_len(value));
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.varint(u128::MAX), Ok(value));
            prop_assert!(reader.rest().is_empty());
        }

        #[test]
        fn what_reads_as_a_varint_writes_as_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 1..24)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.varint(u128::MAX) {
                let mut out = Vec::new();
                write_varint(&mut out, value);
                prop_assert_eq!(&bytes[..bytes.len() - reader.rest().len()], &out[..]);
            }
        }

        #[test]
        fn zigzag_and_back(difference: i64) {
            prop_assert_eq!(unzigzag(zigzag(difference)), difference);
        }
    }
}
