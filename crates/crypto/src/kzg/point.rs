//! Points of G1 from compressed bytes, with the reason when they are none.

use blstrs::{G1Affine, G1Projective};

use super::{KzgError, PointFault, PointKind};

/// The modulus of the base field, big-endian.
const MODULUS: [u8; 48] = alloy_primitives::hex!(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
);

/// A point of the subgroup of prime order, infinity included.
pub(super) fn read(bytes: &[u8; 48], kind: PointKind) -> Result<G1Projective, KzgError> {
    let refused = |fault| KzgError::Point { kind, fault };
    let point: Option<G1Affine> = G1Affine::from_compressed_unchecked(bytes).into_option();
    let point = point.ok_or_else(|| refused(encoding_fault(bytes)))?;
    if bool::from(point.is_torsion_free()) {
        Ok(point.into())
    } else {
        Err(refused(PointFault::WrongSubgroup))
    }
}

/// A point that this process computed itself: the subgroup is not checked again, which costs as much as reading it.
pub(super) fn read_own(bytes: &[u8; 48], kind: PointKind) -> Result<G1Projective, KzgError> {
    let point: Option<G1Affine> = G1Affine::from_compressed_unchecked(bytes).into_option();
    point.map(Into::into).ok_or(KzgError::Point { kind, fault: encoding_fault(bytes) })
}

/// Why bytes that decode to no point do not: the flags, then x, then the curve. Infinity has one encoding; whatever else
/// carries its flag is no encoding.
fn encoding_fault(bytes: &[u8; 48]) -> PointFault {
    let [compressed, infinity] = [0x80, 0x40].map(|flag| bytes[0] & flag != 0);
    let mut x = *bytes;
    x[0] &= 0x1f;
    if compressed && !infinity && x < MODULUS { PointFault::OffCurve } else { PointFault::Encoding }
}
