//! Verification, and everything hostile that may reach it.

use super::*;

fn verify(cells: &[ProvenCell]) -> Result<(), KzgError> {
    verify_cells(&two_rows().commitments, cells, &Cancel::new())
}

fn some_cells() -> Vec<ProvenCell> {
    [(3, 127), (0, 0), (1, 64), (2, 5), (0, 63)].map(|(row, column)| two_rows().proven(row, column)).to_vec()
}

#[test]
fn cells_of_data_and_parity_rows_are_verified_in_any_order() {
    assert_eq!(verify(&some_cells()), Ok(()));
    assert_eq!(verify(&[]), Ok(()));
}

#[test]
fn cells_of_data_rows_need_the_data_rows_commitments_alone() {
    let known = two_rows();
    let rows = &known.commitments.as_slice()[..2];
    let data: Vec<_> = some_cells().into_iter().filter(|cell| cell.id.row < 2).collect();
    let verdict = |cells: &[ProvenCell]| verify_data_cells(rows, cells, &Cancel::new());
    assert_eq!(verdict(&data), Ok(()));
    let mut wrong = data.clone();
    wrong[0].cell[31] ^= 1;
    assert_eq!(verdict(&wrong), Err(KzgError::WrongCells { cells: 3 }));
    let parity = KzgError::UnknownCell { cell: cell(2, 5), rows: 2, columns: 128 };
    assert_eq!(verdict(&[data[0].clone(), known.proven(2, 5)]), Err(parity));
    let uneven = verify_data_cells(&known.commitments.as_slice()[..3], &data, &Cancel::new());
    assert_eq!(uneven, Err(KzgError::RowCount(3)));
}

#[test]
fn a_batch_larger_than_c_kzg_is_given_at_once_is_verified_whole() {
    let known = Known::of(wide_data(12, 4));
    let mut all: Vec<_> = (0..8)
        .flat_map(|row| (0..128).map(move |column| (row, column)))
        .map(|(r, c)| known.proven(r, c))
        .collect();
    assert_eq!(verify_cells(&known.commitments, &all, &Cancel::new()), Ok(()));
    all[700].cell[40] ^= 1;
    let wrong = KzgError::WrongCells { cells: 1024 };
    assert_eq!(verify_cells(&known.commitments, &all, &Cancel::new()), Err(wrong));
    assert_eq!(find_wrong_cells(&known.commitments, &all, &Cancel::new()).unwrap(), [all[700].id]);
}

#[test]
fn wrong_cells_are_refused_and_found() {
    let wrong = |change: &dyn Fn(&mut Vec<ProvenCell>)| {
        let mut cells = some_cells();
        change(&mut cells);
        assert_eq!(verify(&cells), Err(KzgError::WrongCells { cells: 5 }));
        find_wrong_cells(&two_rows().commitments, &cells, &Cancel::new()).unwrap()
    };
    assert_eq!(wrong(&|cells| cells[0].cell[31] ^= 1), [cell(3, 127)]);
    // The proof of another cell of the same row, of the same column, infinity, another place altogether.
    assert_eq!(wrong(&|cells| cells[1].proof = cells[4].proof), [cell(0, 0)]);
    assert_eq!(wrong(&|cells| cells[1].proof = two_rows().proven(1, 0).proof), [cell(0, 0)]);
    assert_eq!(wrong(&|cells| cells[2].proof = infinity()), [cell(1, 64)]);
    assert_eq!(wrong(&|cells| cells[2].id = cell(2, 64)), [cell(2, 64)]);
    assert_eq!(wrong(&|cells| cells[2].id = cell(1, 65)), [cell(1, 65)]);
    let swapped = wrong(&|cells| {
        let cell = cells[0].cell.clone();
        cells[0].cell = std::mem::replace(&mut cells[1].cell, cell);
    });
    assert_eq!(swapped, [cell(0, 0), cell(3, 127)]);
    let none = find_wrong_cells(&two_rows().commitments, &some_cells(), &Cancel::new());
    assert_eq!(none.unwrap(), []);
}

#[test]
fn cells_under_other_commitments_are_refused() {
    let others = Known::of(wide_data(99, 2));
    let verdict = verify_cells(&others.commitments, &some_cells(), &Cancel::new());
    assert_eq!(verdict, Err(KzgError::WrongCells { cells: 5 }));
    // Infinity is a commitment, but only of zero rows.
    let zero = RowCommitments::new(vec![infinity(); 2]).unwrap();
    let verdict = verify_cells(&SquareCommitments::derive(&zero), &some_cells(), &Cancel::new());
    assert_eq!(verdict, Err(KzgError::WrongCells { cells: 5 }));
}

#[test]
fn cells_that_the_square_does_not_have_are_refused() {
    for id in [cell(4, 0), cell(0, 128), cell(u16::MAX, u16::MAX)] {
        let mut cells = some_cells();
        cells[3].id = id;
        assert_eq!(verify(&cells), Err(KzgError::UnknownCell { cell: id, rows: 4, columns: 128 }));
    }
}

#[test]
fn a_cell_given_twice_is_refused() {
    let mut cells = some_cells();
    cells.push(cells[2].clone());
    assert_eq!(verify(&cells), Err(KzgError::DuplicateCell(cell(1, 64))));
    // Also when one of the two is wrong.
    cells[5].cell[31] ^= 1;
    assert_eq!(verify(&cells), Err(KzgError::DuplicateCell(cell(1, 64))));
}

#[test]
fn elements_that_are_not_canonical_are_refused_with_their_place() {
    let order = crate::kzg::field::ORDER.to_be_bytes::<32>();
    for element in [order, [0xff; 32]] {
        let mut cells = some_cells();
        cells[3].cell[17 * 32..18 * 32].copy_from_slice(&element);
        assert_eq!(verify(&cells), Err(KzgError::NonCanonical { cell: cell(2, 5), element: 17 }));
        let mut data = vec![0; 2 * ROW_DATA_BYTES];
        let start = ROW_DATA_BYTES + 3 * BYTES_PER_CELL + 63 * 32;
        data[start..start + 32].copy_from_slice(&element);
        let refused = DataRows::from_elements(&data, RowCount::new(2).unwrap()).unwrap_err();
        assert_eq!(refused, KzgError::NonCanonical { cell: cell(1, 3), element: 63 });
        let mut partial = PartialSquare::new(RowCount::new(2).unwrap());
        let refused = partial.insert(cell(2, 5), &cells[3].cell[..]).unwrap_err();
        assert_eq!(refused, KzgError::NonCanonical { cell: cell(2, 5), element: 17 });
        assert!(partial.is_empty());
    }
}

#[test]
fn points_that_are_none_are_refused_with_the_reason() {
    let x_too_large = |flags: u8| {
        let mut bytes = [0xff; 48];
        bytes[0] = flags | 0x1f;
        bytes
    };
    let mut infinity_with_sign = infinity();
    infinity_with_sign[0] |= 0x20;
    let mut infinity_with_x = infinity();
    infinity_with_x[47] = 1;
    let mut uncompressed = two_rows().proven(0, 0).proof;
    uncompressed[0] &= 0x7f;
    let cases = [
        (off_the_curve(), PointFault::OffCurve),
        (outside_of_the_subgroup(), PointFault::WrongSubgroup),
        (x_too_large(0x80), PointFault::Encoding),
        (infinity_with_sign, PointFault::Encoding),
        (infinity_with_x, PointFault::Encoding),
        (uncompressed, PointFault::Encoding),
        ([0; 48], PointFault::Encoding),
    ];
    for (bytes, fault) in cases {
        let mut cells = some_cells();
        cells[4].proof = bytes;
        let kind = PointKind::Proof(cell(0, 63));
        assert_eq!(verify(&cells), Err(KzgError::Point { kind, fault }));
        let mut commitments = two_rows().row_commitments.as_slice().to_vec();
        commitments[1] = bytes;
        let kind = PointKind::Commitment { row: 1 };
        assert_eq!(RowCommitments::new(commitments).unwrap_err(), KzgError::Point { kind, fault });
        let good = infinity();
        let kind = PointKind::OpenedCommitment;
        assert_eq!(verify_point(&bytes, &[0; 32], &[0; 32], &good), Err(KzgError::Point { kind, fault }));
        let kind = PointKind::PointProof;
        assert_eq!(verify_point(&good, &[0; 32], &[0; 32], &bytes), Err(KzgError::Point { kind, fault }));
    }
}

#[test]
fn infinity_is_a_point_where_it_is_right() {
    assert_eq!(verify_point(&infinity(), &[1; 32], &[0; 32], &infinity()), Ok(()));
    assert_eq!(verify_point(&infinity(), &[1; 32], &[1; 32], &infinity()), Err(KzgError::WrongOpening));
}

#[test]
fn all_data_is_checked_at_once() {
    let known = two_rows();
    assert_eq!(check_data(&known.row_commitments, &known.data, &Cancel::new()), Ok(()));
    assert_eq!(check_square(&known.commitments, &known.square, &Cancel::new()), Ok(()));
}

#[test]
fn data_that_differs_in_one_bit_is_refused() {
    let known = two_rows();
    let mut elements: Vec<u8> = known.data.blobs().iter().flat_map(|blob| blob.to_vec()).collect();
    for place in [31, ROW_DATA_BYTES - 1, 2 * ROW_DATA_BYTES - 1] {
        elements[place] ^= 1;
        let data = DataRows::from_elements(&elements, known.data.rows()).unwrap();
        let verdict = check_data(&known.row_commitments, &data, &Cancel::new());
        assert_eq!(verdict, Err(KzgError::WrongData { rows: 2 }));
        elements[place] ^= 1;
    }
}

#[test]
fn rows_in_another_order_are_refused() {
    let known = two_rows();
    let elements: Vec<u8> = known.data.blobs().iter().rev().flat_map(|blob| blob.to_vec()).collect();
    let data = DataRows::from_elements(&elements, known.data.rows()).unwrap();
    let verdict = check_data(&known.row_commitments, &data, &Cancel::new());
    assert_eq!(verdict, Err(KzgError::WrongData { rows: 2 }));
}

#[test]
fn a_square_with_one_wrong_cell_is_refused_wherever_it_is() {
    let known = two_rows();
    let with = |row, column| {
        let mut cells = known.square.as_bytes().to_vec();
        cells[CellId::at(row, column).index() * BYTES_PER_CELL + 31] ^= 1;
        let square = Square::new(known.square.rows(), cells);
        check_square(&known.commitments, &square, &Cancel::new())
    };
    assert_eq!(with(0, 0), Err(KzgError::WrongData { rows: 4 }));
    assert_eq!(with(3, 63), Err(KzgError::WrongData { rows: 4 }));
    assert_eq!(with(0, 64), Err(KzgError::WrongExtension { column: 64 }));
    assert_eq!(with(3, 127), Err(KzgError::WrongExtension { column: 127 }));
}

#[test]
fn data_of_another_number_of_rows_is_refused() {
    let known = two_rows();
    let other = DataRows::from_payload(&[], RowCount::new(1).unwrap()).unwrap();
    let refused = Err(KzgError::OtherRows { committed: 2, found: 1 });
    assert_eq!(check_data(&known.row_commitments, &other, &Cancel::new()), refused);
    let other = extend(&other, &Cancel::new()).unwrap();
    assert_eq!(check_square(&known.commitments, &other, &Cancel::new()), refused);
}
