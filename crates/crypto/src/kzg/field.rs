//! Scalars of BLS12-381, and what is linear over them.

use alloy_primitives::{B256, U256};
use blstrs::{G1Projective, Scalar};
use ff::Field;
use group::Group;

use super::{BYTES_PER_ELEMENT, CellId, ELEMENTS_PER_CELL, KzgError};

/// The order of the scalar field.
pub(super) const ORDER: U256 =
    alloy_primitives::uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);

/// What polynomials may have as coefficients here: scalars, and points of G1 (commitments and proofs), on which the same
/// transforms act.
pub(super) trait Linear: Copy + Send + Sync {
    fn zero() -> Self;
    fn plus(&self, other: &Self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    fn times(&self, factor: &Scalar) -> Self;
}

impl Linear for Scalar {
    fn zero() -> Self {
        <Self as Field>::ZERO
    }

    #[inline]
    fn plus(&self, other: &Self) -> Self {
        self + other
    }

    #[inline]
    fn minus(&self, other: &Self) -> Self {
        self - other
    }

    #[inline]
    fn times(&self, factor: &Scalar) -> Self {
        self * factor
    }
}

impl Linear for G1Projective {
    fn zero() -> Self {
        Self::identity()
    }

    fn plus(&self, other: &Self) -> Self {
        self + other
    }

    fn minus(&self, other: &Self) -> Self {
        self - other
    }

    fn times(&self, factor: &Scalar) -> Self {
        self * factor
    }
}

/// Σ factorⁱ · termᵢ.
pub(super) fn fold<T: Linear>(factor: &Scalar, terms: &[T]) -> T {
    terms.iter().rev().fold(T::zero(), |sum, term| sum.times(factor).plus(term))
}

/// A hash as a scalar: its value modulo the order. The challenges made from it need to be unpredictable, not uniform.
pub(super) fn from_hash(hash: B256) -> Scalar {
    let reduced = U256::from_be_bytes(hash.0) % ORDER;
    from_bytes(&reduced.to_be_bytes()).expect("reduced modulo the order")
}

/// A scalar from its canonical big-endian bytes.
#[inline]
pub(super) fn from_bytes(bytes: &[u8; BYTES_PER_ELEMENT]) -> Option<Scalar> {
    Scalar::from_bytes_be(bytes).into_option()
}

/// True when the bytes are below the order, big-endian.
#[inline]
pub(super) fn is_canonical(bytes: &[u8]) -> bool {
    // The first byte decides almost always.
    bytes[0] < 0x73 || bytes < &ORDER.to_be_bytes::<BYTES_PER_ELEMENT>()[..]
}

/// Refuses a cell with an element that is not canonical.
pub(super) fn check_cell(cell: &[u8], id: CellId) -> Result<(), KzgError> {
    match cell.chunks_exact(BYTES_PER_ELEMENT).position(|element| !is_canonical(element)) {
        Some(element) => Err(KzgError::NonCanonical { cell: id, element }),
        None => Ok(()),
    }
}

/// Reads a cell's elements.
pub(super) fn read_cell(cell: &[u8], id: CellId, out: &mut [Scalar]) -> Result<(), KzgError> {
    debug_assert_eq!(out.len(), ELEMENTS_PER_CELL);
    for (element, (bytes, scalar)) in cell.as_chunks::<BYTES_PER_ELEMENT>().0.iter().zip(out).enumerate() {
        *scalar = from_bytes(bytes).ok_or(KzgError::NonCanonical { cell: id, element })?;
    }
    Ok(())
}

/// Writes elements as a cell.
pub(super) fn write_cell(elements: &[Scalar], out: &mut [u8]) {
    for (bytes, scalar) in out.as_chunks_mut::<BYTES_PER_ELEMENT>().0.iter_mut().zip(elements) {
        *bytes = scalar.to_bytes_be();
    }
}

/// Replaces each value by its inverse, with one inversion for all. None may be zero.
pub(super) fn invert_all(values: &mut [Scalar]) {
    let mut product = <Scalar as Field>::ONE;
    let mut before = Vec::with_capacity(values.len());
    for value in values.iter() {
        before.push(product);
        product *= value;
    }
    let mut inverse = Option::<Scalar>::from(product.invert()).expect("no value is zero");
    for (value, before) in values.iter_mut().zip(before).rev() {
        let this = inverse * before;
        inverse *= *value;
        *value = this;
    }
}
