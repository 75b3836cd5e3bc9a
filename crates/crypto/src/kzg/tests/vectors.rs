//! Ethereum's vectors for EIP-4844 and EIP-7594, and our own for what Ethereum does not have.

use std::io::Read;

use alloy_primitives::{Address, B256, hex};
use c_kzg::Bytes48;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::sampling::{SampleError, check_answers, choose_cells};

macro_rules! vector_file {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/kzg/", $name))
    };
}

fn cases(json: &[u8], count: usize) -> Vec<Value> {
    let mut text = Vec::new();
    if json.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(json).read_to_end(&mut text).unwrap();
    } else {
        text = json.to_vec();
    }
    let cases: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert_eq!(cases.len(), count);
    cases
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// `None` when the size is another, which our types cannot even hold.
fn sized<const N: usize>(value: &Value) -> Option<[u8; N]> {
    bytes(value).try_into().ok()
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(read).collect()
}

fn one_row() -> RowCount {
    RowCount::new(1).unwrap()
}

#[test]
fn blobs_commit_as_eip_4844_says() {
    for case in cases(vector_file!("blob_to_kzg_commitment.json.gz"), 6) {
        let data = DataRows::from_elements(&bytes(&case["input"]["blob"]), one_row());
        if case["output"].is_null() {
            assert!(data.is_err(), "{}", case["name"]);
            continue;
        }
        let commitments = commit(&data.unwrap(), &Cancel::new()).unwrap();
        assert_eq!(commitments.as_slice(), [sized(&case["output"]).unwrap()]);
    }
}

#[test]
fn cells_and_proofs_are_those_of_eip_7594() {
    for case in cases(vector_file!("compute_cells_and_kzg_proofs.json.gz"), 3) {
        let data = DataRows::from_elements(&bytes(&case["input"]["blob"]), one_row());
        if case["output"].is_null() {
            assert!(data.is_err(), "{}", case["name"]);
            continue;
        }
        let known = Known::of(data.unwrap());
        assert_row(&known.square, known.proofs.as_slice(), &case["output"]);
    }
}

/// Row 0 is the expected one. With a single data row, the parity row repeats it.
fn assert_row(square: &Square, proofs: &[[u8; 48]], expected: &Value) {
    let cells: Vec<u8> = list(&expected[0], bytes).concat();
    let (row, parity) = square.as_bytes().split_at(COLUMNS * BYTES_PER_CELL);
    assert!(row == cells && parity == cells);
    assert_eq!(proofs[..COLUMNS], list(&expected[1], |proof| sized::<48>(proof).unwrap()));
}

#[test]
fn points_are_opened_as_eip_4844_says() {
    for case in cases(vector_file!("verify_kzg_proof.json"), 122) {
        let input = &case["input"];
        let parts =
            (sized(&input["commitment"]), sized(&input["z"]), sized(&input["y"]), sized(&input["proof"]));
        let (Some(commitment), Some(z), Some(y), Some(proof)) = parts else {
            assert!(case["output"].is_null(), "{}", case["name"]);
            continue;
        };
        let verdict = verify_point(&commitment, &z, &y, &proof);
        match case["output"].as_bool() {
            Some(true) => assert_eq!(verdict, Ok(()), "{}", case["name"]),
            Some(false) => assert_eq!(verdict, Err(KzgError::WrongOpening), "{}", case["name"]),
            None => assert!(!matches!(verdict, Ok(()) | Err(KzgError::WrongOpening)), "{}", case["name"]),
        }
    }
}

/// The cells of a vector under commitments of our shape: each different commitment is a row.
fn as_square(input: &Value) -> Option<(Vec<[u8; 48]>, Vec<ProvenCell>)> {
    let commitments = list(&input["commitments"], sized::<48>).into_iter().collect::<Option<Vec<_>>>()?;
    let proofs = list(&input["proofs"], sized::<48>).into_iter().collect::<Option<Vec<_>>>()?;
    let cells = list(&input["cells"], sized::<BYTES_PER_CELL>).into_iter().collect::<Option<Vec<_>>>()?;
    let columns = list(&input["cell_indices"], |index| u16::try_from(index.as_u64().unwrap()).unwrap());
    if [proofs.len(), cells.len(), columns.len()] != [commitments.len(); 3] {
        return None;
    }
    let mut rows: Vec<[u8; 48]> = Vec::new();
    let mut proven = Vec::new();
    for (((commitment, proof), cell), column) in commitments.into_iter().zip(proofs).zip(cells).zip(columns) {
        let row = rows.iter().position(|row| *row == commitment).unwrap_or_else(|| {
            rows.push(commitment);
            rows.len() - 1
        });
        proven.push(ProvenCell { id: CellId { row: row as u16, column }, cell: Box::new(cell), proof });
    }
    rows.resize(rows.len().next_power_of_two(), infinity());
    Some((rows, proven))
}

#[test]
fn cells_are_verified_as_eip_7594_says() {
    for case in cases(vector_file!("verify_cell_kzg_proof_batch.json"), 25) {
        let name = case["name"].as_str().unwrap();
        let Some((rows, cells)) = as_square(&case["input"]) else {
            assert!(case["output"].is_null(), "{name}");
            continue;
        };
        let verdict = RowCommitments::new(rows)
            .and_then(|rows| verify_cells(&SquareCommitments::derive(&rows), &cells, &Cancel::new()));
        match case["output"].as_bool() {
            // Ethereum allows a cell to stand in a batch twice; here it is an error of whoever sends it.
            Some(true) if name == "valid_same_cell_multiple_times" => {
                assert!(matches!(verdict, Err(KzgError::DuplicateCell(_))));
            }
            Some(true) => assert_eq!(verdict, Ok(()), "{name}"),
            Some(false) => assert_eq!(verdict, Err(KzgError::WrongCells { cells: cells.len() }), "{name}"),
            None => assert!(!matches!(verdict, Ok(()) | Err(KzgError::WrongCells { .. })), "{name}"),
        }
    }
}

#[test]
fn c_kzg_itself_allows_a_cell_twice() {
    let cases = cases(vector_file!("verify_cell_kzg_proof_batch.json"), 25);
    let case = cases.iter().find(|case| case["name"] == "valid_same_cell_multiple_times").unwrap();
    let (rows, cells) = as_square(&case["input"]).unwrap();
    let commitments: Vec<_> = cells.iter().map(|c| Bytes48::new(rows[usize::from(c.id.row)])).collect();
    let columns: Vec<_> = cells.iter().map(|cell| cell.id.column.into()).collect();
    let bytes: Vec<_> = cells.iter().map(|cell| c_kzg::Cell::new(*cell.cell)).collect();
    let proofs: Vec<_> = cells.iter().map(|cell| Bytes48::new(cell.proof)).collect();
    assert!(setup().verify_cell_kzg_proof_batch(&commitments, &columns, &bytes, &proofs).unwrap());
}

/// What c-kzg hashes before it folds a batch, from the text of EIP-7594: our way from a hash to a scalar gives its
/// challenge.
#[test]
fn hashes_become_the_scalars_that_eip_7594_makes_of_them() {
    let file = vector_file!("compute_verify_cell_kzg_proof_batch_challenge.json");
    for case in cases(file, 8) {
        let input = &case["input"];
        let numbers = |name: &str| list(&input[name], |number| number.as_u64().unwrap());
        let (rows, columns) = (numbers("commitment_indices"), numbers("cell_indices"));
        let commitments = list(&input["commitments"], bytes);
        let mut hasher = Sha256::new();
        hasher.update(b"RCKZGCBATCH__V1_");
        for number in [4096, 64, commitments.len() as u64, rows.len() as u64] {
            hasher.update(number.to_be_bytes());
        }
        commitments.iter().for_each(|commitment| hasher.update(commitment));
        let cells = list(&input["cosets_evals"], |cell| list(cell, bytes).concat());
        for ((row, column), (cell, proof)) in
            rows.iter().zip(columns).zip(cells.iter().zip(list(&input["proofs"], bytes)))
        {
            hasher.update(row.to_be_bytes());
            hasher.update(column.to_be_bytes());
            hasher.update(cell);
            hasher.update(proof);
        }
        let challenge = field::from_hash(B256::from_slice(&hasher.finalize()));
        assert_eq!(challenge.to_bytes_be(), sized(&case["output"]).unwrap(), "{}", case["name"]);
    }
}

#[test]
fn rows_are_recovered_as_eip_7594_says() {
    for case in cases(vector_file!("recover_cells_and_kzg_proofs.json.gz"), 9) {
        let (name, input) = (case["name"].as_str().unwrap(), &case["input"]);
        let columns = list(&input["cell_indices"], |column| column.as_u64().unwrap() as u16);
        let cells = list(&input["cells"], bytes);
        let mut partial = PartialSquare::new(one_row());
        let mut enter = |(column, cell): (&u16, &Vec<u8>)| partial.insert(cell_of(*column), cell);
        let entered = columns.iter().zip(&cells).try_for_each(&mut enter);
        if name == "invalid_shuffled_half_missing" {
            // Ethereum wants cells in order; here a set has none.
            assert!(entered.is_ok() && recover(partial, &Cancel::new()).is_ok());
        } else if case["output"].is_null() {
            let recovered = entered.is_ok().then(|| recover(partial, &Cancel::new()));
            let lost = matches!(recovered, Some(Err(RecoverError::Unrecoverable(_))));
            let uneven = columns.len() != cells.len();
            assert!(matches!(entered, Err(KzgError::DuplicateCell(_))) || lost || uneven, "{name}");
        } else {
            entered.unwrap();
            let square = recover(partial, &Cancel::new()).unwrap();
            let proofs = prove_rows(&square, &[0], &Cancel::new()).unwrap();
            assert_row(&square, &proofs[0], &case["output"]);
        }
    }
}

fn cell_of(column: u16) -> CellId {
    cell(0, column)
}

/// Everything of a small blob that somebody else must get the same.
#[test]
fn a_blob_gives_the_pinned_header_commitments_cells_proofs_and_samples() {
    let vectors: Value = serde_json::from_slice(vector_file!("blob.json")).unwrap();
    for case in vectors.as_array().unwrap() {
        let unit = bytes(&case["unit"]);
        let length = case["bytes"].as_u64().unwrap() as usize;
        let payload: Vec<u8> = unit.iter().copied().cycle().take(length).collect();
        let rows = RowCount::new(case["rows"].as_u64().unwrap() as usize).unwrap();
        let known = Known::of(DataRows::from_payload(&payload, rows).unwrap());
        assert_eq!(
            known.row_commitments.as_slice(),
            list(&case["row_commitments"], |c| sized::<48>(c).unwrap())
        );
        let parity = &known.commitments.as_slice()[rows.data()..];
        assert_eq!(parity, list(&case["parity_commitments"], |c| sized::<48>(c).unwrap()));
        let header = BlobHeader {
            lane_id: Address::from_slice(&bytes(&case["lane_id"])),
            period: case["period"].as_u64().unwrap() as u32,
            rows,
            kzg_commitment: sized(&case["kzg_commitment"]).unwrap(),
            merkle_root: B256::from_slice(&bytes(&case["merkle_root"])),
        };
        assert_eq!(known.row_commitments.check_header(&header), Ok(()));
        assert_eq!(header.encode()[..], bytes(&case["header"]));
        assert_eq!(keccak256(known.square.as_bytes())[..], bytes(&case["keccak_of_cells"]));
        assert_eq!(keccak256(known.proofs.as_slice().concat())[..], bytes(&case["keccak_of_proofs"]));
        let entropy = B256::from_slice(&bytes(&case["entropy"]));
        let samples =
            list(&case["samples"], |id| cell(id[0].as_u64().unwrap() as u16, id[1].as_u64().unwrap() as u16));
        assert_eq!(choose_cells(rows, samples.len(), &entropy).unwrap(), samples);
    }
}

#[test]
fn samples_are_accepted_when_all_of_them_are_there_and_right() {
    let known = two_rows();
    let chosen = choose_cells(known.square.rows(), 20, &B256::repeat_byte(3)).unwrap();
    let mut answers: Vec<_> = chosen.iter().rev().map(|id| known.proven(id.row, id.column)).collect();
    let check = |answers: &[ProvenCell]| check_answers(&known.commitments, &chosen, answers, &Cancel::new());
    // (1 − 195/512)²⁰ is 2⁻¹³·⁸, and without replacement a little less.
    assert_eq!(check(&answers).unwrap().bits(), 14);
    assert_eq!(check(&answers[1..]), Err(SampleError::Unanswered(answers[0].id)));
    let mut more = answers.clone();
    let unasked = (0..512).map(CellId::of_index).find(|id| !chosen.contains(id)).unwrap();
    more.push(known.proven(unasked.row, unasked.column));
    assert_eq!(check(&more), Err(SampleError::Unasked(unasked)));
    let mut twice = answers.clone();
    twice.push(answers[4].clone());
    assert_eq!(check(&twice), Err(SampleError::Kzg(KzgError::DuplicateCell(answers[4].id))));
    answers[7].cell[100] ^= 1;
    assert_eq!(check(&answers), Err(SampleError::Kzg(KzgError::WrongCells { cells: 20 })));
}
