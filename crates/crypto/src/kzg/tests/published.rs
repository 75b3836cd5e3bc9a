//! What is published of a blob: payload layout, header, root and fold.

use alloy_primitives::{Address, B256, U256, hex};
use blstrs::{G1Affine, G1Projective, Scalar};
use ff::Field;
use group::Group;

use super::*;

fn header() -> BlobHeader {
    let commitments = &two_rows().row_commitments;
    BlobHeader {
        lane_id: Address::repeat_byte(0xa1),
        period: 20_250_901,
        rows: commitments.rows(),
        kzg_commitment: commitments.fold(),
        merkle_root: commitments.merkle_root(),
    }
}

#[test]
fn payload_comes_back_with_zeros_behind_it() {
    for (bytes, rows) in
        [(0, 1), (1, 1), (31, 1), (32, 1), (1984, 1), (126_976, 1), (126_977, 2), (500_000, 4)]
    {
        let payload = noise(3, bytes);
        assert_eq!(RowCount::for_payload(bytes).unwrap().data(), rows);
        let data = DataRows::from_payload(&payload, RowCount::new(rows).unwrap()).unwrap();
        let back = data.payload().unwrap();
        assert_eq!(back.len(), rows * 126_976);
        assert!(back.starts_with(&payload) && back[bytes..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn a_page_is_the_data_cell_at_its_number() {
    let payload = noise(4, 2 * 126_976);
    let data = DataRows::from_payload(&payload, RowCount::new(2).unwrap()).unwrap();
    let square = extend(&data, &Cancel::new()).unwrap();
    for (page, bytes) in payload.chunks(PAGE_BYTES).enumerate() {
        let id = payload::cell_of_page(page);
        assert_eq!(id, cell(page as u16 / 64, page as u16 % 64));
        assert_eq!(payload::decode_page(square.cell(id).unwrap(), id).unwrap(), bytes);
        assert_eq!(payload::encode_page(bytes).unwrap()[..], *square.cell(id).unwrap());
    }
}

#[test]
fn payload_that_does_not_fit_is_refused() {
    let rows = RowCount::new(2).unwrap();
    let refused = KzgError::PayloadTooLong { bytes: 253_953, capacity: 253_952 };
    assert_eq!(DataRows::from_payload(&vec![0; 253_953], rows).unwrap_err(), refused);
    let capacity = 32 * 126_976;
    assert_eq!(RowCount::for_payload(capacity).unwrap().data(), 32);
    let refused = KzgError::PayloadTooLong { bytes: capacity + 1, capacity };
    assert_eq!(RowCount::for_payload(capacity + 1), Err(refused));
    assert!(RowCount::for_payload(usize::MAX).is_err());
    let refused = KzgError::PayloadTooLong { bytes: 1985, capacity: 1984 };
    assert_eq!(payload::encode_page(&[0; 1985]).unwrap_err(), refused);
}

#[test]
fn elements_that_are_no_payload_are_refused_with_their_place() {
    let at = |byte: u8, rest: u8| {
        let mut elements = vec![0; 2 * ROW_DATA_BYTES];
        let start = ROW_DATA_BYTES + 62 * BYTES_PER_CELL + 7 * 32;
        elements[start] = byte;
        elements[start + 1..start + 32].fill(rest);
        elements
    };
    let data = DataRows::from_elements(&at(1, 0), RowCount::new(2).unwrap()).unwrap();
    let refused = KzgError::TopByte { cell: cell(1, 62), element: 7, byte: 1 };
    assert_eq!(data.payload().unwrap_err(), refused);
    let id = cell(1, 62);
    assert_eq!(payload::decode_page(data.cell_bytes(id), id).unwrap_err(), refused);
    let too_large = at(0x73, 0xff);
    let bytes = &too_large[ROW_DATA_BYTES + 62 * BYTES_PER_CELL..][..BYTES_PER_CELL];
    let refused = KzgError::NonCanonical { cell: id, element: 7 };
    assert_eq!(payload::decode_page(bytes, id).unwrap_err(), refused);
    assert_eq!(DataRows::from_elements(&too_large, RowCount::new(2).unwrap()).unwrap_err(), refused);
    for found in [0, 2047, 2049] {
        let refused = KzgError::Length { what: "a cell", expected: 2048, found };
        assert_eq!(payload::decode_page(&vec![0; found], id).unwrap_err(), refused);
    }
}

#[test]
fn data_of_another_size_is_refused() {
    let rows = RowCount::new(2).unwrap();
    let expected = 2 * ROW_DATA_BYTES;
    for found in [0, ROW_DATA_BYTES, expected - 1, expected + 1] {
        let refused = KzgError::Length { what: "the data of the rows", expected, found };
        assert_eq!(DataRows::from_elements(&vec![0; found], rows).unwrap_err(), refused);
    }
}

#[test]
fn rows_are_a_power_of_two_up_to_32() {
    for rows in 0..70 {
        let allowed = [1, 2, 4, 8, 16, 32].contains(&rows);
        assert_eq!(RowCount::new(rows).is_ok(), allowed, "{rows}");
    }
    assert_eq!(RowCount::new(256 + 32), Err(KzgError::RowCount(288)));
    for rows in [0, 3, 33, 64] {
        assert_eq!(RowCommitments::new(vec![infinity(); rows]).unwrap_err(), KzgError::RowCount(rows));
        assert_eq!(merkle_root(&vec![infinity(); rows]), Err(KzgError::RowCount(rows)));
    }
}

#[test]
fn headers_are_109_bytes_and_come_back() {
    let packed = header().encode();
    assert_eq!(packed.len(), 109);
    assert_eq!(BlobHeader::decode(&packed), Ok(header()));
    assert_eq!(packed[..29], hex!("01a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 01350115 0002 0040")[..]);
}

#[test]
fn headers_that_are_none_are_refused() {
    let packed = header().encode();
    assert_eq!(BlobHeader::decode(&packed[..108]), Err(HeaderError::Length(108)));
    assert_eq!(BlobHeader::decode(&[&packed[..], &[0]].concat()), Err(HeaderError::Length(110)));
    assert_eq!(BlobHeader::decode(&[]), Err(HeaderError::Length(0)));
    let with = |place: usize, bytes: &[u8]| {
        let mut changed = packed;
        changed[place..place + bytes.len()].copy_from_slice(bytes);
        BlobHeader::decode(&changed).unwrap_err()
    };
    assert_eq!(with(0, &[0]), HeaderError::Version(0));
    assert_eq!(with(0, &[2]), HeaderError::Version(2));
    for rows in [0, 3, 31, 33, 64, u16::MAX] {
        assert_eq!(with(25, &rows.to_be_bytes()), HeaderError::Rows(rows));
    }
    for columns in [0, 63, 65, 128] {
        assert_eq!(with(27, &u16::to_be_bytes(columns)), HeaderError::Columns(columns));
    }
}

#[test]
fn a_header_agrees_with_the_commitments_that_it_was_made_of() {
    assert_eq!(two_rows().row_commitments.check_header(&header()), Ok(()));
}

#[test]
fn a_header_that_says_something_else_is_refused_with_both_values() {
    let commitments = &two_rows().row_commitments;
    let other = BlobHeader { rows: RowCount::new(4).unwrap(), ..header() };
    assert_eq!(commitments.check_header(&other), Err(HeaderMismatch::Rows { header: 4, found: 2 }));
    let other = BlobHeader { merkle_root: B256::ZERO, ..header() };
    let root = HeaderMismatch::Root { header: B256::ZERO, found: commitments.merkle_root() };
    assert_eq!(commitments.check_header(&other), Err(root));
    let other = BlobHeader { kzg_commitment: infinity(), ..header() };
    let fold = HeaderMismatch::Fold { header: infinity(), found: commitments.fold() };
    assert_eq!(commitments.check_header(&other), Err(fold));
    let swapped = commitments.as_slice().iter().rev().copied().collect();
    let swapped = RowCommitments::new(swapped).unwrap();
    assert!(matches!(swapped.check_header(&header()), Err(HeaderMismatch::Root { .. })));
}

#[test]
fn the_root_separates_leaves_from_nodes_and_every_number_of_rows() {
    let row = infinity();
    let leaf = keccak256([b"CHLOM/da/row/v1", &row[..]].concat());
    assert_eq!(merkle_root(&[row]).unwrap(), leaf);
    let node = |left: B256, right: B256| keccak256([b"CHLOM/da/node/v1", &left[..], &right[..]].concat());
    assert_eq!(merkle_root(&[row; 2]).unwrap(), node(leaf, leaf));
    assert_eq!(merkle_root(&[row; 4]).unwrap(), node(node(leaf, leaf), node(leaf, leaf)));
    let other = G1Affine::from(G1Projective::generator()).to_compressed();
    assert_ne!(merkle_root(&[row, other]).unwrap(), merkle_root(&[other, row]).unwrap());
}

#[test]
fn the_fold_is_the_sum_of_the_rows_times_the_powers_of_a_hash_of_the_root() {
    let generator = G1Projective::generator();
    let points = [3_u64, 5, 7, 11].map(|n| generator * Scalar::from(n));
    let commitments = RowCommitments::new(points.map(|point| point.to_compressed()).to_vec()).unwrap();
    let hash = keccak256([b"CHLOM/da/fold/v1", commitments.merkle_root().as_slice()].concat());
    let order = "0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001".parse::<U256>().unwrap();
    let gamma = Scalar::from_bytes_be(&(U256::from_be_bytes(hash.0) % order).to_be_bytes()).unwrap();
    let sum = [3_u64, 5, 7, 11]
        .iter()
        .enumerate()
        .fold(Scalar::ZERO, |sum, (i, n)| sum + gamma.pow_vartime([i as u64]) * Scalar::from(*n));
    assert_eq!(commitments.fold(), (generator * sum).to_compressed());
}
