//! Nibbles of packed keys. Keys stay packed in 32 bytes; only the paths of records become [`Nibbles`].

use alloy_primitives::B256;
use alloy_trie::Nibbles;

use crate::node::KEY_NIBBLES;

/// Nibble `at` of a key, for `at` < 64.
#[inline]
pub(super) fn nibble(key: &B256, at: usize) -> u8 {
    let byte = key.0[at / 2];
    if at.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f }
}

/// How many nibbles two keys share from the start.
#[inline]
pub(super) fn common(a: &B256, b: &B256) -> usize {
    for (at, (x, y)) in a.0.iter().zip(&b.0).enumerate() {
        if x != y {
            return at * 2 + usize::from((x ^ y) < 0x10);
        }
    }
    KEY_NIBBLES
}

/// The first `len` nibbles of a key, the rest zero.
pub(super) fn truncated(key: &B256, len: usize) -> B256 {
    let mut path = B256::ZERO;
    let whole = len / 2;
    path.0[..whole].copy_from_slice(&key.0[..whole]);
    if !len.is_multiple_of(2) {
        path.0[whole] = key.0[whole] & 0xf0;
    }
    path
}

/// The first `len` nibbles of a key as the path of a record.
#[inline]
pub(super) fn nibbles(key: &B256, len: usize) -> Nibbles {
    let mut path = Nibbles::unpack_array(&key.0);
    path.truncate(len);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_counts_nibbles() {
        let mut a = B256::repeat_byte(0xab);
        assert_eq!(common(&a, &a), 64);
        for at in 0..64 {
            let mut b = a;
            b.0[at / 2] ^= if at % 2 == 0 { 0x10 } else { 0x01 };
            assert_eq!(common(&a, &b), at);
            assert_ne!(nibble(&a, at), nibble(&b, at));
        }
        a.0[0] = 0x0f;
        assert_eq!(common(&a, &B256::ZERO), 1);
    }

    #[test]
    fn truncated_pads_with_zeros_and_agrees_with_nibbles() {
        let key = B256::repeat_byte(0xff);
        for len in 0..=64 {
            let cut = truncated(&key, len);
            assert_eq!(common(&cut, &key), len);
            assert_eq!(nibbles(&cut, len), nibbles(&key, len));
            assert_eq!(nibbles(&key, len).len(), len);
        }
    }
}
