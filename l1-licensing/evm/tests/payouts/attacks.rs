//! Whoever wants an honest submitter's stake, with everything real: nothing convicts a right batch, whatever is opened of it or of
//! others, and whatever is done after it came.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_sol_types::{SolError, SolValue};
use chlom_crypto::kzg::{self, Cancel, CellId};
use chlom_lane::{
    fraud::{Fraud, Place, check},
    page::node::TreeKind,
    state::EarlierRecord,
};
use chlom_primitives::address::{LANE_REGISTRY, LICENSE_REGISTRY, PAYOUT_PROOFS};

use crate::{
    batch::Batch,
    bindings::{DataCell, FraudProof, LicenseData, Payouts, Setup},
    machine::{AUTHORITY, START},
    world::{CHM, LICENCES, SUBMITTER, WATCHER, World, lane, state},
};

/// What the chain says to a challenge.
fn refusal(world: &mut World, batch: &Batch, proof: Vec<u8>) -> Bytes {
    let call = Payouts::challenge_0Call { batchRoot: batch.root(), fraudProof: proof.into() };
    let refused = world.machine.attempt(WATCHER, PAYOUT_PROOFS, 0, &call);
    refused.map(|done| panic!("convicted for {} gas", done.gas)).unwrap_err()
}

fn assert_stands(world: &mut World, open: u128) {
    assert_eq!(world.collateral(SUBMITTER).1, open * 10_000 * CHM, "every stake is still locked");
}

/// A proof of the kind and evidence of `fraud` for `batch`, with cells and commitments that may be others'.
fn crafted(batch: &Batch, fraud: &Fraud, commitments: Vec<u8>, cells: Vec<DataCell>) -> Vec<u8> {
    let proof = chlom_lane::fraud::prove(batch.blob(), fraud);
    FraudProof {
        header: batch.header.encode().into(),
        kind: proof.kind as u8,
        commitments: commitments.into(),
        cells,
        evidence: proof.evidence.into(),
    }
    .abi_encode()
}

/// A cell of a row's data or parity half, with its true proof.
fn cell(batch: &Batch, row: u16, column: u16) -> DataCell {
    let square = kzg::extend(batch.rows(), &Cancel::new()).unwrap();
    let proofs = kzg::prove_rows(&square, &[row], &Cancel::new()).unwrap();
    let data = square.cell(CellId { row, column }).unwrap().to_vec().into();
    DataCell { row, column, data, proof: proofs[0][usize::from(column)].to_vec().into() }
}

#[test]
fn no_statement_convicts_a_right_batch() {
    let mut world = World::new(2);
    let earlier = world.right(1_000, 20);
    world.submit(&earlier);
    let batch = world.right(0, 40);
    world.submit(&batch);
    assert_eq!(check(batch.blob(), &state()), Ok(None));
    let table = batch.header.record_pages;
    let (record, row) = (Place { page: 0, at: 3 }, Place { page: table, at: 1 });
    let shown = |of: &Batch| {
        Box::new(EarlierRecord {
            header: of.header.encode(),
            page: 0,
            bytes: Box::new(of.blob().page(0).unwrap()),
            at: 3,
            path: of.draft.page_path(0).unwrap(),
        })
    };
    let right = Payouts::NoFraud { reason: 6 }.abi_encode();
    let place = Payouts::NoFraud { reason: 5 }.abi_encode();
    let earlier_batch = Payouts::NoFraud { reason: 7 }.abi_encode();
    let not = |check| Payouts::NotConfirmed { check }.abi_encode();
    let statements = [
        (Fraud::Page(0), right.clone()),
        (Fraud::Page(table), right.clone()),
        (Fraud::Page(batch.header.pages()), right.clone()),
        (Fraud::Ends(0), right.clone()),
        (Fraud::OrderWithin(table), right.clone()),
        (Fraud::RowEnds(table), right.clone()),
        (Fraud::SumStart(table), right.clone()),
        (Fraud::RowRecord { row: Place { page: table, at: 0 }, record }, right.clone()),
        (Fraud::RowRevenue { row, first: 0, last: 0 }, right.clone()),
        (Fraud::PayerRow(row), right.clone()),
        (Fraud::PayerTotal { payer: 1, first: table, last: table }, right.clone()),
        (Fraud::PayerTotal { payer: 2, first: table, last: table }, place),
        (Fraud::Root(TreeKind::Receipts), right.clone()),
        (Fraud::Root(TreeKind::Rows), right.clone()),
        (Fraud::Node { tree: TreeKind::Rows, level: 1, index: 0, content: None }, right.clone()),
        (Fraud::Time(record), right.clone()),
        (Fraud::Twice(record, Place { page: 0, at: 4 }), right.clone()),
        // Its own record, as if an earlier batch had it; a record that the earlier batch does not share.
        (Fraud::Earlier(record, shown(&batch)), earlier_batch),
        (Fraud::Earlier(record, shown(&earlier)), right),
        (Fraud::Licence(record), not(1)),
        (Fraud::Terms(row), not(2)),
        (Fraud::Source(record, vec![]), not(3)),
        (Fraud::Source(record, [&[1, 2][..], &[9; 32]].concat()), not(3)),
    ];
    for (statement, expected) in statements {
        let refused = refusal(&mut world, &batch, batch.proof_of(&statement));
        assert_eq!(refused, expected, "{statement:?}");
    }
    assert_stands(&mut world, 2);
}

#[test]
fn cells_of_elsewhere_convict_nobody() {
    let mut world = World::new(2);
    let other = world.right(1_000, 20);
    world.submit(&other);
    let batch = world.right(0, 40);
    world.submit(&batch);
    let fraud = Fraud::Page(0);
    let blob = chlom_chain::blobs::blob_id(
        &lane().into_array().into(),
        batch.header.period.code(),
        &batch.header.blob.merkle_root,
    );
    // Another blob's cell under this one's commitments, and under its own.
    let foreign = crafted(&batch, &fraud, batch.commitments(), vec![cell(&other, 0, 0)]);
    assert_eq!(refusal(&mut world, &batch, foreign), Payouts::CellsNotOfBlob { id: blob }.abi_encode());
    let foreign = crafted(&batch, &fraud, other.commitments(), vec![cell(&other, 0, 0)]);
    assert_ne!(refusal(&mut world, &batch, foreign), Bytes::new(), "other commitments are named");
    // This blob's cell at another place, and one of its parity.
    let moved = DataCell { column: 1, ..cell(&batch, 0, 0) };
    let moved = crafted(&batch, &fraud, batch.commitments(), vec![moved]);
    assert_eq!(refusal(&mut world, &batch, moved), Payouts::CellsNotOfBlob { id: blob }.abi_encode());
    let parity = crafted(&batch, &fraud, batch.commitments(), vec![cell(&batch, 0, 70)]);
    assert_eq!(refusal(&mut world, &batch, parity), Payouts::NoFraud { reason: 3 }.abi_encode());
    // None, four, two in the wrong order.
    let none = crafted(&batch, &fraud, batch.commitments(), vec![]);
    assert_eq!(refusal(&mut world, &batch, none), Payouts::NoFraud { reason: 3 }.abi_encode());
    let four = (0..4).map(|column| cell(&batch, 0, column)).collect();
    let four = crafted(&batch, &fraud, batch.commitments(), four);
    let refused = refusal(&mut world, &batch, four);
    assert_eq!(
        refused,
        Payouts::CellCount { given: "4".parse().unwrap(), most: "3".parse().unwrap() }.abi_encode()
    );
    let swapped = vec![cell(&batch, 0, 1), cell(&batch, 0, 0)];
    let swapped = crafted(&batch, &Fraud::Next(1), batch.commitments(), swapped);
    assert_eq!(refusal(&mut world, &batch, swapped), Payouts::NoFraud { reason: 3 }.abi_encode());
    // A proof of the other batch, sent against this one; bytes that are no proof.
    let (proof, root) = (other.proof_of(&fraud), other.root());
    let refused = refusal(&mut world, &batch, proof);
    assert_eq!(refused, Payouts::HeaderMismatch { batchRoot: batch.root(), given: root }.abi_encode());
    assert_eq!(refusal(&mut world, &batch, vec![0xff; 400]), Payouts::ProofMalformed {}.abi_encode());
    assert_stands(&mut world, 2);
}

#[test]
fn nothing_done_after_a_batch_came_convicts_it() {
    let mut world = World::new(2);
    let batch = world.right(0, 40);
    world.submit(&batch);
    world.machine.wait(2, 1);
    // A key for the source, which the payer registers late.
    let payer = batch.header.payers[0].payer;
    let key = [&[1u8, 2][..], &[7; 32]].concat();
    let register = Setup::registerSourceKeyCall {
        lane: lane().into_array().into(),
        name: "ad-server".into(),
        key: key.clone().into(),
    };
    world.machine.send(payer, LANE_REGISTRY, 0, &register);
    // Other terms for one licence, and the end of the other.
    let (name, _, payee) = LICENCES[0];
    let split = world.split_among(payee);
    let d = LicenseData {
        owner: AUTHORITY,
        licensee: AUTHORITY,
        royaltyBps: "9999".parse().unwrap(),
        startTs: START,
        endTs: START + 86_400 * 365,
        adeSplitHash: split,
        acePolicyHash: keccak256("policy"),
        flags: 0,
        metaHash: keccak256(name),
    };
    world.machine.send(AUTHORITY, LICENSE_REGISTRY, 0, &Setup::modifyCall { id: keccak256(name), d });
    let revoke = Setup::revokeCall { id: keccak256(LICENCES[1].0) };
    world.machine.send(AUTHORITY, LICENSE_REGISTRY, 0, &revoke);
    world.machine.wait(2, 1);
    let not = |check| Payouts::NotConfirmed { check }.abi_encode();
    let pages = batch.header.record_pages;
    for at in 0..4 {
        for (statement, expected) in [
            (Fraud::Source(Place { page: 0, at }, key.clone()), not(3)),
            (Fraud::Source(Place { page: 0, at }, vec![]), not(3)),
            (Fraud::Licence(Place { page: 0, at }), not(1)),
            (Fraud::Terms(Place { page: pages, at }), not(2)),
        ] {
            let refused = refusal(&mut world, &batch, batch.proof_of(&statement));
            assert_eq!(refused, expected, "{statement:?}");
        }
    }
    assert_stands(&mut world, 1);
    assert_ne!(batch.root(), B256::ZERO);
}
