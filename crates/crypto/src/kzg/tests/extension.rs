//! The extension against c-kzg and against the formula.

use blstrs::Scalar;
use ff::Field;
use rayon::prelude::*;

use super::*;
use crate::kzg::ntt::{Direction, root};

/// Every row of a square is what c-kzg makes of its first 64 cells: cells, proofs and commitment.
fn assert_rows_are_those_of_c_kzg(known: &Known) {
    let all = known.square.as_bytes().par_chunks_exact(COLUMNS * BYTES_PER_CELL);
    all.enumerate().for_each(|(row, bytes)| {
        let mut blob = vec![c_kzg::Blob::default(); 1];
        blob[0].copy_from_slice(&bytes[..ROW_DATA_BYTES]);
        let (cells, proofs) = setup().compute_cells_and_kzg_proofs(&blob[0]).unwrap();
        let commitment = setup().blob_to_kzg_commitment(&blob[0]).unwrap();
        for (column, cell) in cells.iter().enumerate() {
            assert_eq!(cell.to_bytes()[..], bytes[column * BYTES_PER_CELL..][..BYTES_PER_CELL], "row {row}");
        }
        let proofs: Vec<_> = proofs.iter().map(|proof| proof.to_bytes().into_inner()).collect();
        assert_eq!(proofs, known.proofs.as_slice()[row * COLUMNS..][..COLUMNS], "row {row}");
        assert_eq!(commitment.to_bytes().into_inner(), known.commitments.as_slice()[row], "row {row}");
    });
}

#[test]
fn parity_rows_are_byte_for_byte_what_c_kzg_commits_to_and_proves() {
    assert_rows_are_those_of_c_kzg(&Known::of(wide_data(1, 1)));
    assert_rows_are_those_of_c_kzg(two_rows());
    assert_rows_are_those_of_c_kzg(&Known::of(wide_data(8, 8)));
}

#[test]
fn parity_rows_of_the_largest_square_are_byte_for_byte_those_of_c_kzg_slow() {
    assert_rows_are_those_of_c_kzg(&Known::of(wide_data(32, 32)));
}

#[test]
fn parity_is_the_interpolation_of_the_rows_at_odd_powers() {
    let rows = 4;
    let square = extend(&wide_data(4, rows), &Cancel::new()).unwrap();
    let at = |exponent| *root(2 * rows, exponent, Direction::Forward);
    let element = |row, column| {
        let bytes: &[u8; 32] = square.cell(CellId::at(row, column)).unwrap()[32..64].try_into().unwrap();
        Scalar::from_bytes_be(bytes).unwrap()
    };
    for column in [0, 63, 64, 127] {
        for m in 0..rows {
            let lagrange = |i: usize| {
                (0..rows).filter(|k| *k != i).fold(Scalar::ONE, |product, k| {
                    let below: Scalar = (at(2 * i) - at(2 * k)).invert().unwrap();
                    product * (at(2 * m + 1) - at(2 * k)) * below
                })
            };
            let expected: Scalar = (0..rows).map(|i| lagrange(i) * element(i, column)).sum();
            assert_eq!(element(rows + m, column), expected);
        }
    }
}

#[test]
fn a_square_is_the_same_with_and_without_proofs() {
    let known = two_rows();
    assert_eq!(extend(&known.data, &Cancel::new()).unwrap(), known.square);
}

#[test]
fn the_first_cells_of_the_data_rows_are_the_data() {
    let known = two_rows();
    for row in 0..2 {
        for column in 0..DATA_COLUMNS {
            let id = CellId::at(row, column);
            assert_eq!(known.square.cell(id).unwrap(), known.data.cell_bytes(id));
        }
    }
}

#[test]
fn proofs_made_afterwards_are_those_made_at_first() {
    let known = two_rows();
    let made = prove_rows(&known.square, &[3, 0], &Cancel::new()).unwrap();
    assert_eq!(made[0], known.proofs.as_slice()[3 * COLUMNS..]);
    assert_eq!(made[1], known.proofs.as_slice()[..COLUMNS]);
    let unknown = KzgError::UnknownCell { cell: cell(4, 0), rows: 4, columns: COLUMNS };
    assert_eq!(prove_rows(&known.square, &[1, 4], &Cancel::new()).unwrap_err(), unknown);
}

#[test]
fn zero_rows_commit_to_infinity_and_so_does_their_parity() {
    let known = Known::of(DataRows::from_payload(&[], RowCount::new(2).unwrap()).unwrap());
    assert!(known.commitments.as_slice().iter().all(|commitment| *commitment == infinity()));
    assert!(known.proofs.as_slice().iter().all(|proof| *proof == infinity()));
    let cells: Vec<_> = (0..4).map(|row| known.proven(row, 100)).collect();
    assert_eq!(verify_cells(&known.commitments, &cells, &Cancel::new()), Ok(()));
    assert_eq!(check_data(&known.row_commitments, &known.data, &Cancel::new()), Ok(()));
    assert_eq!(known.row_commitments.fold(), infinity());
}

#[test]
fn da_22_a_cell_proven_alone_has_the_proof_that_c_kzg_gives_it_with_its_row() {
    let known = two_rows();
    let ids: Vec<_> =
        [0, 1, 2, 31, 62, 63].into_iter().flat_map(|column| [cell(0, column), cell(1, column)]).collect();
    let made = prove_cells(&known.data, &ids, &Cancel::new()).unwrap();
    for (id, made) in ids.iter().zip(&made) {
        assert_eq!(*made, known.proven(id.row, id.column));
    }
    assert_eq!(verify_data_cells(known.row_commitments.as_slice(), &made, &Cancel::new()), Ok(()));
}

#[test]
fn da_22_every_cell_of_a_row_proven_alone_is_c_kzg_s_slow() {
    let known = two_rows();
    let ids: Vec<_> = (0..64).flat_map(|column| [cell(0, column), cell(1, column)]).collect();
    for made in prove_cells(&known.data, &ids, &Cancel::new()).unwrap() {
        assert_eq!(made, known.proven(made.id.row, made.id.column));
    }
}

#[test]
fn da_22_a_row_of_low_degree_has_proofs_at_infinity() {
    // A constant row is what every cell says of it: nothing is left to divide.
    let mut constant = vec![0; ROW_DATA_BYTES];
    constant.chunks_exact_mut(32).for_each(|element| element[31] = 9);
    let one_row = RowCount::new(1).unwrap();
    for elements in [vec![0; ROW_DATA_BYTES], constant] {
        let data = DataRows::from_elements(&elements, one_row).unwrap();
        let made = prove_cells(&data, &[cell(0, 5)], &Cancel::new()).unwrap();
        assert_eq!(made[0].proof, infinity());
        let commitments = commit(&data, &Cancel::new()).unwrap();
        assert_eq!(verify_data_cells(commitments.as_slice(), &made, &Cancel::new()), Ok(()));
    }
}

#[test]
fn da_22_only_data_cells_are_proven_alone() {
    for id in [cell(2, 0), cell(0, 64), cell(u16::MAX, u16::MAX)] {
        let refused = prove_cells(&two_rows().data, &[cell(0, 0), id], &Cancel::new()).unwrap_err();
        assert_eq!(refused, KzgError::UnknownCell { cell: id, rows: 2, columns: 64 });
    }
}
