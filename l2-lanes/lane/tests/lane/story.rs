//! A wrong batch from its blob to the verdict: committed to, published as cells, found out, and judged by the module with cells
//! that data availability has verified.

use alloy_sol_types::{SolCall, SolError};
use chlom_crypto::kzg::{
    self, BlobHeader, Cancel, CellId, DataRows, ProvenCell, RowCommitments, SquareCommitments, commit,
};
use chlom_lane::{
    Blob, Header, build,
    fraud::{Fraud, Proof, check, prove},
    module::{ILane, Lane, gas},
};
use chlom_module::{MemoryContext, ModuleError};
use chlom_primitives::address::LANE;

use crate::demo::{self, DemoState, RECEIPTS};

/// A batch's elements and its header over real commitments.
fn published(elements: &[u8], header: &Header) -> (DataRows, RowCommitments, Header) {
    let rows = DataRows::from_elements(elements, header.blob.rows).unwrap();
    let commitments = commit(&rows, &Cancel::new()).unwrap();
    let blob = BlobHeader {
        kzg_commitment: commitments.fold(),
        merkle_root: commitments.merkle_root(),
        ..header.blob.clone()
    };
    commitments.check_header(&blob).unwrap();
    (rows, commitments, Header { blob, ..header.clone() })
}

fn call(header: &Header, proof: &Proof, gas: u64) -> (Result<ILane::Verdict, ModuleError>, u64) {
    let cells = proof.cells.iter().map(|cell| ILane::Cell {
        row: cell.row,
        column: cell.column,
        data: cell.data.clone().into(),
    });
    let call = ILane::judgeCall {
        header: header.encode().into(),
        kind: proof.kind as u8,
        cells: cells.collect(),
        evidence: proof.evidence.clone().into(),
    };
    let mut ctx = MemoryContext { gas, ..MemoryContext::new(LANE) };
    let output = ctx.call(&Lane, &call.abi_encode());
    (output.map(|bytes| ILane::judgeCall::abi_decode_returns(&bytes).unwrap()), gas - ctx.gas)
}

#[test]
fn a_submitter_that_adds_a_receipt_to_the_sums_is_convicted_by_verified_cells() {
    let state = DemoState::new();
    let receipts = demo::receipts(RECEIPTS.lines().skip(1), 2);
    let (draft, _) = build(demo::frame(1, Default::default()), receipts, &state).unwrap();
    let right = demo::header(&draft);

    // A row says one unit more, and so does the payer's total; the trees are left as they are.
    let mut elements = draft.elements();
    let mut wrong = right.clone();
    let table = right.record_pages;
    let cell = table as usize * 2_048;
    let page = Blob::new(&right, &elements).unwrap().page(table).unwrap();
    let mut decoded = chlom_lane::page::TablePage::decode(&page).unwrap();
    decoded.rows[0].revenue += 10_000;
    let changed = chlom_lane::blob::elements(&[decoded.encode()], kzg::RowCount::new(1).unwrap());
    elements[cell..cell + 2_048].copy_from_slice(&changed[..2_048]);
    let again = chlom_lane::page::TablePage::decode(&decoded.encode()).unwrap();
    wrong.payers[0].owed += again.rows[0].owed - draft.rows[0].owed;

    let (rows, commitments, header) = published(&elements, &wrong);
    let blob = Blob::new(&header, &elements).unwrap();
    let fraud = check(blob, &state).unwrap().expect("a fraud");
    assert!(matches!(fraud, Fraud::RowRevenue { .. }), "{fraud:?}");
    let proof = prove(blob, &fraud);

    // The opened cells are the blob's.
    let cells = opened(&proof, &rows);
    let square = SquareCommitments::derive(&commitments);
    assert_eq!(kzg::verify_cells(&square, &cells, &Cancel::new()), Ok(()));

    let (verdict, used) = call(&header, &proof, 1_000_000);
    let verdict = verdict.unwrap();
    assert_eq!((verdict.kind, verdict.check), (4, ILane::Check::None));
    let expected =
        gas::judge(4, proof.cells.len(), proof.evidence.len()) + gas::header(header.encode().len());
    assert_eq!(used, expected);

    // The same proof says nothing of the right batch.
    let (_, _, header) = published(&draft.elements(), &right);
    let blob = Blob::new(&header, &elements).unwrap();
    let mut of_right = prove(blob, &fraud);
    let sound = draft.elements();
    for (cell, page) in of_right.cells.iter_mut().zip([0usize, 0, 0]) {
        let at = page + (usize::from(cell.row) * 64 + usize::from(cell.column)) * 2_048;
        cell.data = sound[at..at + 2_048].to_vec();
    }
    let refusal = ILane::NoFraud { reason: 6 }.abi_encode();
    assert_eq!(call(&header, &of_right, 1_000_000).0, Err(ModuleError::Revert(refusal.into())));
}

/// Whoever holds the data proves the cells alone.
fn opened(proof: &Proof, rows: &kzg::DataRows) -> Vec<ProvenCell> {
    let ids: Vec<_> = proof.cells.iter().map(|cell| CellId { row: cell.row, column: cell.column }).collect();
    let cells = kzg::prove_cells(rows, &ids, &Cancel::new()).unwrap();
    assert!(cells.iter().zip(&proof.cells).all(|(proven, opened)| proven.cell[..] == opened.data[..]));
    cells
}

#[test]
fn lan_65_judging_is_paid_for_before_it_begins() {
    let state = DemoState::new();
    let receipts = demo::receipts(RECEIPTS.lines().skip(1).take(50), 1);
    let (draft, _) = build(demo::frame(1, Default::default()), receipts, &state).unwrap();
    let (header, elements) = (demo::header(&draft), draft.elements());
    let proof = prove(Blob::new(&header, &elements).unwrap(), &Fraud::Page(0));
    assert_eq!(call(&header, &proof, 1_000).0, Err(ModuleError::OutOfGas));
    let refusal = ILane::NoFraud { reason: 6 }.abi_encode();
    assert_eq!(call(&header, &proof, 100_000).0, Err(ModuleError::Revert(refusal.into())));
    assert!(gas::judge(3, 1, 3_000) > gas::judge(4, 1, 3_000));
    assert!(gas::judge(9, 1, 40) > gas::judge(3, 1, 40));
}
