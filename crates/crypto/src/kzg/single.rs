//! The commitment of a single row, where there are no others to keep the other cores busy.

use blstrs::G1Projective;
use c_kzg::Blob;

use super::{KzgError, PointKind, ROW_DATA_BYTES, extend::library, point, setup};

/// The commitment of a row as the sum of those of its halves, on two cores: c-kzg passes over zeros, so that a half costs
/// little more than half. It is most of the work of checking data, and of proving a cell.
pub(super) fn commit(blob: &Blob) -> Result<G1Projective, KzgError> {
    let half = |zeros: std::ops::Range<usize>| {
        let mut half = vec![blob.clone(); 1];
        half[0][zeros].fill(0);
        let commitment = setup().blob_to_kzg_commitment(&half[0]).map_err(library)?;
        point::read_own(&commitment.to_bytes().into_inner(), PointKind::OpenedCommitment)
    };
    let middle = ROW_DATA_BYTES / 2;
    let (first, second) = rayon::join(|| half(middle..ROW_DATA_BYTES), || half(0..middle));
    Ok(first? + second?)
}
