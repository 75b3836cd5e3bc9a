//! Scalars of BLS12-381, and what is linear over them.

use alloy_primitives::{B256, U256};
use blst::blst_fr;
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

/// Σ factorⁱ · pointᵢ: with buckets, several times faster than [`fold`].
pub(super) fn fold_points(factor: &Scalar, points: &[G1Projective]) -> G1Projective {
    // Below this, blst starts no threads of its own.
    const AT_ONCE: usize = 31;
    let mut power = <Scalar as Field>::ONE;
    let mut terms = Vec::with_capacity(points.len());
    for point in points {
        // Buckets know no infinity.
        if !bool::from(point.is_identity()) {
            terms.push((*point, power));
        }
        power *= factor;
    }
    let sums = terms.chunks(AT_ONCE).map(|terms| {
        let (points, powers): (Vec<_>, Vec<_>) = terms.iter().copied().unzip();
        G1Projective::multi_exp(&points, &powers)
    });
    sums.fold(G1Projective::identity(), |sum, some| sum + some)
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

/// A cell's elements for sums that are written as bytes again: what is written is taken for the scalar's inner
/// (Montgomery) form. Sums of such scalars, and their products with proper ones, are of the same kind, and neither
/// reading nor writing costs a multiplication.
pub(super) fn read_cell_plain(cell: &[u8], id: CellId, out: &mut [Scalar]) -> Result<(), KzgError> {
    debug_assert_eq!(out.len(), ELEMENTS_PER_CELL);
    check_cell(cell, id)?;
    for (bytes, scalar) in cell.as_chunks::<BYTES_PER_ELEMENT>().0.iter().zip(out) {
        *scalar = blst_fr { l: *U256::from_be_bytes(*bytes).as_limbs() }.into();
    }
    Ok(())
}

/// Writes elements that [`read_cell_plain`] gave, or sums of them.
pub(super) fn write_cell_plain(elements: &[Scalar], out: &mut [u8]) {
    for (bytes, scalar) in out.as_chunks_mut::<BYTES_PER_ELEMENT>().0.iter_mut().zip(elements) {
        *bytes = U256::from_limbs(blst_fr::from(*scalar).l).to_be_bytes();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_fold_with_buckets_as_they_do_one_by_one() {
        let some = |factor: u64| G1Projective::generator() * Scalar::from(factor);
        let factors = [from_hash(B256::repeat_byte(7)), Scalar::from(1), Scalar::from(0), -Scalar::from(1)];
        // Equal points, opposite ones, infinity at both ends and alone; more than go at once.
        let lists: [Vec<_>; 5] = [
            Vec::new(),
            vec![G1Projective::identity()],
            vec![G1Projective::identity(), some(3), some(3), -some(3), G1Projective::identity()],
            vec![some(5); 40],
            (0..64).map(some).collect(),
        ];
        for points in lists {
            for factor in &factors {
                assert_eq!(fold_points(factor, &points), fold(factor, &points), "{} points", points.len());
            }
        }
    }

    #[test]
    fn plain_elements_add_up_as_proper_ones_do() {
        let factor = from_hash(B256::repeat_byte(9));
        let mut cell = [0; 2_048];
        for (number, element) in cell.as_chunks_mut::<BYTES_PER_ELEMENT>().0.iter_mut().enumerate() {
            *element = alloy_primitives::keccak256([number as u8]).0;
            element[0] %= 0x73;
        }
        let id = CellId::at(0, 0);
        let (mut proper, mut plain) =
            ([<Scalar as Field>::ZERO; ELEMENTS_PER_CELL], [<Scalar as Field>::ZERO; ELEMENTS_PER_CELL]);
        read_cell(&cell, id, &mut proper).unwrap();
        read_cell_plain(&cell, id, &mut plain).unwrap();
        let (mut expected, mut found) = ([0; 2_048], [0; 2_048]);
        write_cell(&proper.map(|element| element * factor + element), &mut expected);
        write_cell_plain(&plain.map(|element| element * factor + element), &mut found);
        assert_eq!(found, expected);
        // The order itself, and the largest element below it.
        cell[..32].copy_from_slice(&ORDER.to_be_bytes::<32>());
        assert!(matches!(
            read_cell_plain(&cell, id, &mut plain),
            Err(KzgError::NonCanonical { element: 0, .. })
        ));
        cell[..32].copy_from_slice(&(ORDER - U256::ONE).to_be_bytes::<32>());
        read_cell_plain(&cell, id, &mut plain).unwrap();
        write_cell_plain(&plain, &mut found);
        assert_eq!(found, cell);
    }
}
