//! Squares that the tests share, and the tests that need more than one file of the module.

use std::sync::OnceLock;

use alloy_primitives::{Keccak256, keccak256};

use super::*;

mod checks;
mod extension;
mod published;
mod rebuilding;
mod vectors;

/// Bytes that only look random.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let blocks = (0..bytes.div_ceil(32) as u64).flat_map(|block| {
        let mut hasher = Keccak256::new();
        hasher.update(seed.to_be_bytes());
        hasher.update(block.to_be_bytes());
        hasher.finalize().0
    });
    blocks.take(bytes).collect()
}

/// Data whose elements use the whole range below the order.
fn wide_data(seed: u64, rows: usize) -> DataRows {
    let mut elements = noise(seed, rows * ROW_DATA_BYTES);
    elements.chunks_exact_mut(BYTES_PER_ELEMENT).for_each(|element| element[0] %= 0x73);
    DataRows::from_elements(&elements, RowCount::new(rows).unwrap()).unwrap()
}

/// A square with everything that belongs to it.
struct Known {
    data: DataRows,
    square: Square,
    proofs: Proofs,
    row_commitments: RowCommitments,
    commitments: SquareCommitments,
}

impl Known {
    fn of(data: DataRows) -> Self {
        let cancel = Cancel::new();
        let (square, proofs, commitments) = extend_with_proofs(&data, &cancel).unwrap();
        let row_commitments = commit(&data, &cancel).unwrap();
        Self { data, square, proofs, row_commitments, commitments }
    }

    fn proven(&self, row: u16, column: u16) -> ProvenCell {
        let id = CellId { row, column };
        let cell = Box::new(self.square.cell(id).unwrap().try_into().unwrap());
        ProvenCell { id, cell, proof: *self.proofs.proof(id).unwrap() }
    }
}

/// Two data rows, made once.
fn two_rows() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| Known::of(wide_data(2, 2)))
}

fn cell(row: u16, column: u16) -> CellId {
    CellId { row, column }
}

/// A point of the curve outside of the subgroup, compressed: x = 4, as small as there is one.
fn outside_of_the_subgroup() -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[0] = 0x80;
    bytes[47] = 4;
    bytes
}

/// No point of the curve has this x.
fn off_the_curve() -> [u8; 48] {
    let mut bytes = outside_of_the_subgroup();
    bytes[47] = 1;
    bytes
}

fn infinity() -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[0] = 0xc0;
    bytes
}

#[test]
fn a_cancelled_blob_gives_no_result() {
    let known = two_rows();
    let cancel = Cancel::new();
    cancel.cancel();
    let cancelled = KzgError::Cancelled;
    assert_eq!(extend(&known.data, &cancel).unwrap_err(), cancelled);
    assert_eq!(extend_with_proofs(&known.data, &cancel).unwrap_err(), cancelled);
    assert_eq!(commit(&known.data, &cancel).unwrap_err(), cancelled);
    assert_eq!(prove_rows(&known.square, &[0], &cancel).unwrap_err(), cancelled);
    assert_eq!(prove_cells(&known.data, &[cell(0, 0)], &cancel).unwrap_err(), cancelled);
    assert_eq!(check_data(&known.row_commitments, &known.data, &cancel).unwrap_err(), cancelled);
    assert_eq!(check_square(&known.commitments, &known.square, &cancel).unwrap_err(), cancelled);
    assert_eq!(verify_cells(&known.commitments, &[known.proven(0, 0)], &cancel).unwrap_err(), cancelled);
    let partial = PartialSquare::without(&known.square, |id| id.column == 3);
    assert_eq!(recover(partial, &cancel).unwrap_err(), RecoverError::Kzg(cancelled));
}

#[test]
fn the_trusted_setup_is_the_one_that_evm_point_evaluation_uses() {
    assert!(std::ptr::eq(setup(), c_kzg::ethereum_kzg_settings(8)));
    assert_ne!(keccak256(noise(1, 64)), keccak256(noise(2, 64)));
}
