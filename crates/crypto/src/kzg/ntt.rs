//! Transforms between a polynomial's coefficients and its values on a domain of roots of unity.
//!
//! Data is `width` polynomials side by side: value i of all of them, then value i + 1, … One pass over such a block uses
//! each root once, and the cells of a row or a column are stored so. No transform permutes: the one direction goes from
//! natural to bit-reversed order, the other back.

use std::sync::OnceLock;

use blstrs::Scalar;
use ff::{Field, PrimeField};

use super::{
    COLUMNS, ELEMENTS_PER_CELL,
    field::{self, Linear},
};

/// Points of an extended row; no transform here is larger.
const ORDER: usize = COLUMNS * ELEMENTS_PER_CELL;

/// Towards values, or towards coefficients. Inverse transforms leave out the division by the size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Inverse,
}

/// The 8,192 powers of the root of unity that EIP-7594 chooses: 7 to the ((r − 1) / 8192).
fn roots() -> &'static [Scalar] {
    static ROOTS: OnceLock<Vec<Scalar>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let steps = u64::from(Scalar::S - ORDER.trailing_zeros());
        let root = Scalar::ROOT_OF_UNITY.pow_vartime([1 << steps]);
        std::iter::successors(Some(<Scalar as Field>::ONE), |power| Some(power * root)).take(ORDER).collect()
    })
}

/// Power `k` of the root of order `size`, a power of two up to 8,192.
pub(super) fn root(size: usize, k: usize, direction: Direction) -> &'static Scalar {
    let index = (k * (ORDER / size)) % ORDER;
    match direction {
        Direction::Forward => &roots()[index],
        Direction::Inverse => &roots()[(ORDER - index) % ORDER],
    }
}

/// `index` with the bits of a number below `size` in reverse order.
pub(super) fn reverse_bits(index: usize, size: usize) -> usize {
    if size == 1 { 0 } else { index.reverse_bits() >> (usize::BITS - size.trailing_zeros()) }
}

/// 1 / size.
pub(super) fn inverse_of(size: usize) -> Scalar {
    let mut inverse = [Scalar::from(size as u64)];
    field::invert_all(&mut inverse);
    inverse[0]
}

/// Takes natural order, leaves bit-reversed order.
pub(super) fn from_natural<T: Linear>(data: &mut [T], width: usize, direction: Direction) {
    let mut size = data.len() / width;
    while size > 1 {
        for block in data.chunks_exact_mut(size * width) {
            let (low, high) = block.split_at_mut(size / 2 * width);
            for (k, (low, high)) in low.chunks_exact_mut(width).zip(high.chunks_exact_mut(width)).enumerate()
            {
                let root = root(size, k, direction);
                for (a, b) in low.iter_mut().zip(high) {
                    let difference = a.minus(b);
                    *a = a.plus(b);
                    *b = if k == 0 { difference } else { difference.times(root) };
                }
            }
        }
        size /= 2;
    }
}

/// Takes bit-reversed order, leaves natural order.
pub(super) fn from_reversed<T: Linear>(data: &mut [T], width: usize, direction: Direction) {
    let all = data.len() / width;
    let mut size = 2;
    while size <= all {
        for block in data.chunks_exact_mut(size * width) {
            let (low, high) = block.split_at_mut(size / 2 * width);
            for (k, (low, high)) in low.chunks_exact_mut(width).zip(high.chunks_exact_mut(width)).enumerate()
            {
                let root = root(size, k, direction);
                for (a, b) in low.iter_mut().zip(high) {
                    let term = if k == 0 { *b } else { b.times(root) };
                    *b = a.minus(&term);
                    *a = a.plus(&term);
                }
            }
        }
        size *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(coefficients: &[Scalar]) -> Vec<Scalar> {
        let size = coefficients.len();
        (0..size).map(|k| field::fold(root(size, k, Direction::Forward), coefficients)).collect()
    }

    #[test]
    fn transforms_evaluate_polynomials_and_interpolate_them_again() {
        for size in [1, 2, 8, 64] {
            let coefficients: Vec<_> = (0..size as u64).map(|k| Scalar::from(k * k + 3)).collect();
            let values = naive(&coefficients);
            let mut data = coefficients.clone();
            from_natural(&mut data, 1, Direction::Forward);
            for (k, value) in values.iter().enumerate() {
                assert_eq!(data[reverse_bits(k, size)], *value);
            }
            from_reversed(&mut data, 1, Direction::Inverse);
            let scale = inverse_of(size);
            assert!(data.iter().zip(&coefficients).all(|(a, b)| a * scale == *b));

            let mut data: Vec<_> = (0..size).map(|k| coefficients[reverse_bits(k, size)]).collect();
            from_reversed(&mut data, 1, Direction::Forward);
            assert_eq!(data, values);
            from_natural(&mut data, 1, Direction::Inverse);
            assert!((0..size).all(|k| data[reverse_bits(k, size)] * scale == coefficients[k]));
        }
    }

    #[test]
    fn polynomials_side_by_side_are_transformed_alike() {
        let one: Vec<_> = (0..16_u64).map(Scalar::from).collect();
        let two: Vec<_> = (0..16_u64).map(|k| Scalar::from(1000 - k)).collect();
        let mut both: Vec<_> = one.iter().zip(&two).flat_map(|(a, b)| [*a, *b]).collect();
        from_natural(&mut both, 2, Direction::Forward);
        for (side, mut alone) in [(0, one), (1, two)] {
            from_natural(&mut alone, 1, Direction::Forward);
            assert!(alone.iter().enumerate().all(|(k, value)| both[2 * k + side] == *value));
        }
    }
}
