//! Multiplication and division without loss: products have 256 bits, as in the EVM.

use alloy_primitives::{U256, keccak256};

/// Most of a `uint96`: weights, denominators, fees.
pub const MAX_U96: u128 = (1 << 96) - 1;
/// Most of a `uint112`: what a route has seen.
pub const MAX_U112: u128 = (1 << 112) - 1;
/// Basis points in a whole.
pub const BPS: u128 = 10_000;

/// `⌊a·b/d⌋`; `None` when `d` is zero or the quotient has more than 128 bits.
pub fn mul_div(a: u128, b: u128, d: u128) -> Option<u128> {
    if let Some(product) = a.checked_mul(b) {
        return product.checked_div(d);
    }
    let product = U256::from(a).checked_mul(U256::from(b))?;
    product.checked_div(U256::from(d))?.try_into().ok()
}

/// `⌈a·b/d⌉`; `None` when `d` is zero or the quotient has more than 128 bits.
pub fn mul_div_up(a: u128, b: u128, d: u128) -> Option<u128> {
    let product = U256::from(a).checked_mul(U256::from(b))?;
    let d = U256::from(d);
    let whole = product.checked_div(d)?;
    let up = if product.checked_rem(d)?.is_zero() { whole } else { whole.checked_add(U256::ONE)? };
    up.try_into().ok()
}

/// The low twelve bytes, big-endian: a `uint96` as `abi.encodePacked` writes it.
pub(crate) fn packed_u96(value: u128) -> [u8; 12] {
    let mut out = [0; 12];
    out.copy_from_slice(&value.to_be_bytes()[4..]);
    out
}

/// The keccak256 of a node with `children` left and right, told apart from leaves by its first byte.
pub(crate) fn node_hash(parts: [&[u8]; 4]) -> alloy_primitives::B256 {
    let mut bytes = Vec::with_capacity(89);
    bytes.push(1);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    keccak256(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_256_bits_is_divided_without_loss() {
        assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX), Some(u128::MAX));
        assert_eq!(mul_div(u128::MAX, MAX_U96, MAX_U96), Some(u128::MAX));
        assert_eq!(mul_div(7, 3, 2), Some(10));
        assert_eq!(mul_div_up(7, 3, 2), Some(11));
        assert_eq!(mul_div_up(8, 3, 2), Some(12));
    }

    #[test]
    fn a_quotient_past_128_bits_or_a_division_by_zero_is_none() {
        assert_eq!(mul_div(u128::MAX, 2, 1), None);
        assert_eq!(mul_div_up(u128::MAX, 3, 2), None);
        assert_eq!(mul_div(1, 1, 0), None);
        assert_eq!(mul_div_up(1, 1, 0), None);
    }

    #[test]
    fn a_packed_weight_has_twelve_bytes() {
        assert_eq!(packed_u96(0x0102), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(packed_u96(MAX_U96), [0xff; 12]);
    }
}
