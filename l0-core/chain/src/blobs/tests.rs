use std::sync::LazyLock;

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use chlom_crypto::kzg::{self, BlobHeader, Cancel, DataRows, RowCommitments};
use chlom_module::{MapStorage, MemoryContext, ModuleError, SystemModule};
use chlom_primitives::{Params, address::DATA_AVAILABILITY};
use proptest::prelude::*;

use super::{
    IDataAvailability::{self as I, CellFault, HeaderFault, PointFault, Status},
    fault, *,
};

const FEE: u128 = 1_000_000_000_000_000;
const MONTH: u64 = 2_592_000;

fn context() -> MemoryContext {
    let mut ctx = MemoryContext::new(DATA_AVAILABILITY);
    ctx.storage = MapStorage(BlobsGenesis { params: Params::default().da }.allocate().unwrap());
    ctx.caller = Address::repeat_byte(9);
    ctx.block.height = 10;
    ctx.block.timestamp = 1_000;
    ctx
}

/// A small blob: its header, its commitments as one string, its data.
fn blob(rows: usize, seed: u8, lane: u8) -> (BlobHeader, Bytes, DataRows) {
    let payload: Vec<u8> = (0..rows * 64 * 1_984).map(|i| (i as u8).wrapping_mul(seed)).collect();
    let data = DataRows::from_payload(&payload, kzg::RowCount::new(rows).unwrap()).unwrap();
    let commitments = kzg::commit(&data, &Cancel::new()).unwrap();
    let header = BlobHeader {
        lane_id: Address::repeat_byte(lane),
        period: 20_250_901,
        rows: commitments.rows(),
        kzg_commitment: commitments.fold(),
        merkle_root: commitments.merkle_root(),
    };
    let bytes = commitments.as_slice().concat().into();
    (header, bytes, data)
}

/// One row, committed to once for all cases of a property.
static SMALL: LazyLock<(BlobHeader, Bytes)> = LazyLock::new(|| {
    let (header, commitments, _) = blob(1, 3, 7);
    (header, commitments)
});

fn call<C: SolCall>(ctx: &mut MemoryContext, call: &C) -> Result<C::Return, ModuleError> {
    let output = ctx.call(&DataAvailability, &call.abi_encode())?;
    Ok(C::abi_decode_returns_validate(&output).unwrap())
}

/// Publishes with this much value, moved to the module as the EVM does.
fn publish(
    ctx: &mut MemoryContext,
    header: &[u8],
    commitments: &Bytes,
    value: u128,
) -> Result<B256, ModuleError> {
    ctx.value = U256::from(value);
    let held = ctx.balances.entry(DATA_AVAILABILITY).or_default();
    *held += ctx.value;
    let call_ = I::publishCall { header: header.to_vec().into(), commitments: commitments.clone() };
    let result = call(ctx, &call_);
    if result.is_err() {
        *ctx.balances.entry(DATA_AVAILABILITY).or_default() -= ctx.value;
    }
    ctx.value = U256::ZERO;
    result
}

fn status(ctx: &mut MemoryContext, id: B256) -> Status {
    call(ctx, &I::blobCall { id }).unwrap().status
}

fn say(ctx: &mut MemoryContext, total: u64, statements: &[(u8, u64)], id: B256) {
    let statements: Vec<_> = statements
        .iter()
        .map(|(key, power)| Statement {
            consensus_key: B256::repeat_byte(*key),
            power: *power,
            blobs: vec![id],
        })
        .collect();
    attest(&mut ctx.storage, ctx.block.height, ctx.block.timestamp, total, &statements).unwrap();
}

#[test]
fn dam_3_a_publication_is_recorded_paid_and_told() {
    let mut ctx = context();
    let (header, commitments, _) = blob(2, 3, 7);
    let id = publish(&mut ctx, &header.encode(), &commitments, 5 * FEE).unwrap();
    assert_eq!(id, blob_id(&FixedBytes([7; 20]), 20_250_901, &header.merkle_root));
    assert_eq!(ctx.balances[&DATA_AVAILABILITY], U256::from(2 * FEE));
    assert_eq!(ctx.balances[&ctx.caller], U256::from(3 * FEE));
    let known = call(&mut ctx, &I::blobCall { id }).unwrap();
    assert_eq!(known.status, Status::Announced);
    assert_eq!((known.rows, known.period, known.announcedAt), (2, 20_250_901, 10));
    assert_eq!(
        (known.merkleRoot, known.kzgCommitment.as_ref()),
        (header.merkle_root, &header.kzg_commitment[..])
    );
    assert_eq!((known.expiresAt, known.pendingExpiry), (0, 1_000 + MONTH));
    let event = I::BlobPublished::decode_log_data(&ctx.logs[0]).unwrap();
    assert_eq!((event.id, event.fee, event.expiresAt), (id, U256::from(2 * FEE), 1_000 + MONTH));
    assert_eq!(event.commitments, commitments);
    assert_eq!(event.header.as_ref(), header.encode());
}

#[test]
fn dam_3_a_fee_too_low_and_a_full_height_are_refused_with_the_figures() {
    let mut ctx = context();
    let (header, commitments, _) = blob(1, 3, 7);
    let refused = publish(&mut ctx, &header.encode(), &commitments, FEE - 1);
    let want = I::FeeTooLow { sent: U256::from(FEE - 1), fee: U256::from(FEE) };
    assert_eq!(refused, Err(ModuleError::revert(&want)));
    for _ in 0..64 {
        publish(&mut ctx, &header.encode(), &commitments, FEE).unwrap();
    }
    let want = I::BlobSpaceFull { used: U256::from(64), rows: U256::from(1), most: U256::from(64) };
    assert_eq!(publish(&mut ctx, &header.encode(), &commitments, FEE), Err(ModuleError::revert(&want)));
    ctx.block.height += 1;
    let dearer = call(&mut ctx, &I::feeCall { rows: U256::from(1) }).unwrap();
    assert!(dearer > U256::from(FEE));
    let refused = publish(&mut ctx, &header.encode(), &commitments, FEE);
    assert_eq!(refused, Err(ModuleError::revert(&I::FeeTooLow { sent: U256::from(FEE), fee: dearer })));
}

#[test]
fn dam_2_each_fault_of_a_header_has_its_number() {
    let mut ctx = context();
    let (header, commitments, _) = blob(2, 3, 7);
    let good = header.encode();
    let refusal = |fault| Err(fault::header(fault));
    let mut at = |index: usize, value: u8| {
        let mut bytes = good;
        bytes[index] = value;
        publish(&mut ctx, &bytes, &commitments, 4 * FEE)
    };
    assert_eq!(at(0, 2), refusal(HeaderFault::Version));
    assert_eq!(at(26, 3), refusal(HeaderFault::Rows));
    assert_eq!(at(28, 128), refusal(HeaderFault::Columns));
    assert_eq!(at(26, 1), refusal(HeaderFault::CommitmentsLength));
    assert_eq!(at(29, header.kzg_commitment[0] ^ 0x20), refusal(HeaderFault::FoldMismatch));
    assert_eq!(at(77, header.merkle_root[0] ^ 1), refusal(HeaderFault::RootMismatch));
    assert_eq!(publish(&mut ctx, &good[..108], &commitments, FEE), refusal(HeaderFault::Length));
    assert_eq!(
        publish(&mut ctx, &good, &commitments.slice(..95), FEE),
        refusal(HeaderFault::CommitmentsLength)
    );
    let mut twisted = |bytes: [u8; 48]| {
        let mut all = commitments.to_vec();
        all[48..].copy_from_slice(&bytes);
        publish(&mut ctx, &good, &all.into(), 4 * FEE)
    };
    assert_eq!(twisted([0; 48]), refusal(HeaderFault::CommitmentEncoding));
    let off_curve = |x: u8| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        bytes
    };
    // Of the x = 0, 1, 2, … some are on no curve point, the others in the wrong subgroup.
    let faults: Vec<_> = (0..8).map(|x| twisted(off_curve(x))).collect();
    assert!(faults.contains(&refusal(HeaderFault::CommitmentOffCurve)));
    assert!(faults.contains(&refusal(HeaderFault::CommitmentSubgroup)));
    assert!(ctx.logs.is_empty() && status(&mut ctx, B256::ZERO) == Status::Unknown);
}

#[test]
fn dam_7_more_than_two_thirds_of_power_makes_a_blob_available() {
    let mut ctx = context();
    let (header, commitments, _) = blob(1, 3, 7);
    let id = publish(&mut ctx, &header.encode(), &commitments, FEE).unwrap();
    say(&mut ctx, 9, &[(1, 3), (2, 3)], id);
    assert_eq!(status(&mut ctx, id), Status::Announced, "exactly two thirds are not enough");
    say(&mut ctx, 9, &[(1, 3), (2, 3)], id);
    assert_eq!(status(&mut ctx, id), Status::Announced, "saying it twice is saying it once");
    ctx.block.height = 12;
    say(&mut ctx, 9, &[(3, 1)], id);
    let known = call(&mut ctx, &I::blobCall { id }).unwrap();
    assert_eq!((known.status, known.availableAt), (Status::Available, 12));
    assert_eq!((known.expiresAt, known.pendingExpiry), (1_000 + MONTH, 0));
    let until = |time| I::isAvailableUntilCall { id, time };
    assert!(call(&mut ctx, &until(1_000 + MONTH)).unwrap());
    assert!(!call(&mut ctx, &until(1_001 + MONTH)).unwrap());
    ctx.block.timestamp = 1_000 + MONTH;
    assert_eq!(status(&mut ctx, id), Status::Expired);
    assert!(!call(&mut ctx, &until(0)).unwrap());
}

#[test]
fn dam_5_publishing_again_extends_the_expiry_once_attested_and_never_takes_availability() {
    let mut ctx = context();
    let (header, commitments, _) = blob(1, 3, 7);
    let id = publish(&mut ctx, &header.encode(), &commitments, FEE).unwrap();
    say(&mut ctx, 1, &[(1, 1)], id);
    (ctx.block.height, ctx.block.timestamp) = (20, 5_000);
    publish(&mut ctx, &header.encode(), &commitments, FEE).unwrap();
    let known = call(&mut ctx, &I::blobCall { id }).unwrap();
    assert_eq!((known.status, known.expiresAt), (Status::Available, 1_000 + MONTH));
    assert_eq!(known.pendingExpiry, 5_000 + MONTH);
    say(&mut ctx, 1, &[(1, 1)], id);
    assert_eq!(call(&mut ctx, &I::blobCall { id }).unwrap().expiresAt, 5_000 + MONTH);
}

#[test]
fn dam_2_a_blob_replayed_under_another_lane_is_another_blob_which_nothing_of_the_first_vouches_for() {
    let mut ctx = context();
    let (header, commitments, data) = blob(1, 3, 7);
    let id = publish(&mut ctx, &header.encode(), &commitments, FEE).unwrap();
    say(&mut ctx, 1, &[(1, 1)], id);
    assert_eq!(status(&mut ctx, id), Status::Available);
    let replay = BlobHeader { lane_id: Address::repeat_byte(8), ..header.clone() };
    let other = blob_id(&FixedBytes([8; 20]), 20_250_901, &header.merkle_root);
    assert_ne!(other, id);
    // Nothing can be opened of it before it is published, although the cells are right.
    let cell =
        kzg::prove_cells(&data, &[kzg::CellId { row: 0, column: 0 }], &Cancel::new()).unwrap().remove(0);
    let cells = vec![I::Cell {
        row: 0,
        column: 0,
        data: cell.cell.to_vec().into(),
        proof: cell.proof.to_vec().into(),
    }];
    let open = I::verifyCellsCall { id: other, commitments: commitments.clone(), cells };
    assert_eq!(call(&mut ctx, &open), Err(ModuleError::revert(&I::BlobUnknown { id: other })));
    // Published, it is paid for again and waits for statements of its own.
    let unpaid = publish(&mut ctx, &replay.encode(), &commitments, 0).unwrap_err();
    assert!(matches!(unpaid, ModuleError::Revert(_)));
    assert_eq!(publish(&mut ctx, &replay.encode(), &commitments, FEE).unwrap(), other);
    say(&mut ctx, 1, &[(1, 1)], id);
    assert_eq!((status(&mut ctx, id), status(&mut ctx, other)), (Status::Available, Status::Announced));
    assert!(call(&mut ctx, &open).unwrap(), "what is opened of it is its own now");
}

#[test]
fn an_announcement_that_nobody_attests_lapses() {
    let mut ctx = context();
    let (header, commitments, _) = blob(1, 3, 7);
    let id = publish(&mut ctx, &header.encode(), &commitments, FEE).unwrap();
    ctx.block.timestamp = 1_000 + MONTH;
    assert_eq!(status(&mut ctx, id), Status::Expired);
    say(&mut ctx, 1, &[(1, 1)], id);
    assert_eq!(status(&mut ctx, id), Status::Expired, "too late");
    say(&mut ctx, 1, &[(1, 1)], B256::repeat_byte(5));
    assert_eq!(status(&mut ctx, B256::repeat_byte(5)), Status::Unknown, "nobody can announce by attesting");
}

#[test]
fn dam_8_cells_of_data_and_parity_open_a_blob_and_wrong_ones_do_not() {
    let mut ctx = context();
    let (header, commitments, data) = blob(2, 3, 7);
    let id = publish(&mut ctx, &header.encode(), &commitments, 2 * FEE).unwrap();
    let (square, proofs, _) = kzg::extend_with_proofs(&data, &Cancel::new()).unwrap();
    let cell = |row: u16, column: u16| {
        let place = kzg::CellId { row, column };
        let (data, proof) =
            (square.cell(place).unwrap().to_vec().into(), proofs.proof(place).unwrap().to_vec().into());
        I::Cell { row, column, data, proof }
    };
    let verify = |cells: Vec<I::Cell>| I::verifyCellsCall { id, commitments: commitments.clone(), cells };
    assert!(call(&mut ctx, &verify(vec![cell(0, 0), cell(1, 127), cell(2, 5), cell(3, 64)])).unwrap());
    let other = I::Cell { column: 1, ..cell(0, 0) };
    assert!(!call(&mut ctx, &verify(vec![other])).unwrap());
    let refused = |ctx: &mut MemoryContext, cells| call(ctx, &verify(cells)).unwrap_err();
    let fault = |row, column, reason| fault::cell(row, column, reason);
    assert_eq!(refused(&mut ctx, vec![I::Cell { row: 4, ..cell(0, 0) }]), fault(4, 0, CellFault::Row));
    assert_eq!(
        refused(&mut ctx, vec![I::Cell { column: 128, ..cell(0, 0) }]),
        fault(0, 128, CellFault::Column)
    );
    let short = I::Cell { data: vec![0; 2_047].into(), ..cell(0, 0) };
    assert_eq!(refused(&mut ctx, vec![short]), fault(0, 0, CellFault::DataLength));
    let short = I::Cell { proof: vec![0; 47].into(), ..cell(0, 0) };
    assert_eq!(refused(&mut ctx, vec![short]), fault(0, 0, CellFault::ProofLength));
    assert_eq!(refused(&mut ctx, vec![cell(0, 0), cell(0, 0)]), fault(0, 0, CellFault::Duplicate));
    let high = I::Cell { data: vec![0xff; 2_048].into(), ..cell(0, 0) };
    assert_eq!(refused(&mut ctx, vec![high]), fault(0, 0, CellFault::NotCanonical));
    let bad = I::Cell { proof: vec![0; 48].into(), ..cell(0, 0) };
    assert_eq!(refused(&mut ctx, vec![bad]), fault(0, 0, CellFault::ProofEncoding));
    let none = ModuleError::revert(&I::CellCount { given: U256::ZERO, most: U256::from(128) });
    assert_eq!(refused(&mut ctx, vec![]), none);
    let (_, others, _) = blob(2, 5, 7);
    let call_ = I::verifyCellsCall { commitments: others, ..verify(vec![cell(0, 0)]) };
    assert_eq!(call(&mut ctx, &call_), Err(ModuleError::revert(&I::CommitmentsMismatch { id })));
    let id = B256::ZERO;
    let call_ = I::verifyCellsCall { id, ..verify(vec![cell(0, 0)]) };
    assert_eq!(call(&mut ctx, &call_), Err(ModuleError::revert(&I::BlobUnknown { id })));
}

#[test]
fn dam_8_cells_of_data_rows_cost_by_the_rows_that_they_open() {
    let mut ctx = context();
    let (header, commitments, data) = blob(8, 3, 7);
    let id = publish(&mut ctx, &header.encode(), &commitments, 8 * FEE).unwrap();
    let (square, proofs, _) = kzg::extend_with_proofs(&data, &Cancel::new()).unwrap();
    let mut gas_of = |places: &[(u16, u16)]| {
        let cells = places.iter().map(|(row, column)| {
            let place = kzg::CellId { row: *row, column: *column };
            let (data, proof) = (square.cell(place).unwrap(), proofs.proof(place).unwrap());
            I::Cell { row: *row, column: *column, data: data.to_vec().into(), proof: proof.to_vec().into() }
        });
        let call_ = I::verifyCellsCall { id, commitments: commitments.clone(), cells: cells.collect() };
        let before = ctx.gas;
        assert!(call(&mut ctx, &call_).unwrap());
        before - ctx.gas
    };
    let [one, same, other, parity] =
        [&[(3, 5)][..], &[(3, 5), (3, 90)], &[(3, 5), (4, 5)], &[(3, 5), (12, 5)]].map(&mut gas_of);
    assert_eq!(same - one, super::verify::CELL_GAS);
    let (opened, derived) = (super::verify::OPENED_ROW_GAS, super::verify::CALL_ROW_GAS);
    assert_eq!(other - same, opened);
    assert_eq!(parity - same, 8 * derived - opened, "all rows' commitments are derived from");
}

#[test]
fn dam_8_a_point_evaluation_is_judged_against_its_row() {
    let mut ctx = context();
    // A zero row: its commitment and every proof are infinity, its value is zero everywhere.
    let data = DataRows::from_payload(&[], kzg::RowCount::new(1).unwrap()).unwrap();
    let read: RowCommitments = kzg::commit(&data, &Cancel::new()).unwrap();
    let header = BlobHeader {
        lane_id: Address::ZERO,
        period: 1,
        rows: read.rows(),
        kzg_commitment: read.fold(),
        merkle_root: read.merkle_root(),
    };
    let commitments: Bytes = read.as_slice().concat().into();
    let id = publish(&mut ctx, &header.encode(), &commitments, FEE).unwrap();
    let mut proof = [0; 48];
    proof[0] = 0xc0;
    let point = I::verifyPointCall {
        id,
        commitments,
        row: 0,
        z: B256::with_last_byte(7),
        y: B256::ZERO,
        proof: proof.to_vec().into(),
    };
    assert!(call(&mut ctx, &point).unwrap());
    assert!(!call(&mut ctx, &I::verifyPointCall { y: B256::with_last_byte(1), ..point.clone() }).unwrap());
    let refused = |ctx: &mut MemoryContext, call_: I::verifyPointCall| call(ctx, &call_).unwrap_err();
    let row = I::verifyPointCall { row: 1, ..point.clone() };
    assert_eq!(refused(&mut ctx, row), fault::point(PointFault::Row));
    let z = I::verifyPointCall { z: B256::repeat_byte(0xff), ..point.clone() };
    assert_eq!(refused(&mut ctx, z), fault::point(PointFault::NotCanonical));
    let long = I::verifyPointCall { proof: vec![0; 49].into(), ..point.clone() };
    assert_eq!(refused(&mut ctx, long), fault::point(PointFault::ProofLength));
    let bad = I::verifyPointCall { proof: vec![0; 48].into(), ..point };
    assert_eq!(refused(&mut ctx, bad), fault::point(PointFault::ProofEncoding));
}

#[test]
fn work_is_paid_for_before_it_is_done() {
    let mut ctx = context();
    let (header, commitments, _) = blob(1, 3, 7);
    ctx.gas = verify::publish_gas(1) - 1;
    let out = publish(&mut ctx, &header.encode(), &commitments, FEE);
    assert_eq!(out, Err(ModuleError::OutOfGas));
}

#[test]
fn nothing_but_publish_takes_value_and_a_static_call_cannot_publish() {
    let paid = |selector| DataAvailability.is_payable(selector);
    assert!(paid(I::publishCall::SELECTOR) && !paid(I::blobCall::SELECTOR) && !paid(I::feeCall::SELECTOR));
    let mut ctx = context();
    let (header, commitments, _) = blob(1, 3, 7);
    ctx.is_static = true;
    assert!(publish(&mut ctx, &header.encode(), &commitments, FEE).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// [DAM-6] Against a model that keeps, for each round, the set of those who spoke.
    #[test]
    fn dam_6_a_validator_counts_once_in_a_round(
        says in proptest::collection::vec((0_u8..6, 1_u64..5, any::<bool>()), 1..40)
    ) {
        let mut ctx = context();
        let (header, commitments) = &*SMALL;
        let id = publish(&mut ctx, &header.encode(), commitments, FEE).unwrap();
        let total = 12;
        let mut spoken = std::collections::BTreeMap::new();
        let mut available = false;
        for (key, power, again) in says {
            if again {
                ctx.block.height += 1;
                publish(&mut ctx, &header.encode(), commitments, 100 * FEE).unwrap();
                spoken.clear();
                available = false;
            }
            say(&mut ctx, total, &[(key, power)], id);
            if !available {
                spoken.entry(key).or_insert(power);
            }
            available |= spoken.values().sum::<u64>() * 3 > total * 2;
            let pending = call(&mut ctx, &I::blobCall { id }).unwrap().pendingExpiry;
            prop_assert_eq!(pending == 0, available);
        }
    }
}
