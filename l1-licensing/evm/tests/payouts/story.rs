//! The story of issue 6 in one page: fund, submit right, submit wrong, challenge, finalise, settle, withdraw; conservation at
//! each step.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::{SolError, SolValue};
use chlom_crypto::kzg::RowCount;
use chlom_lane::{
    blob,
    fraud::{Fraud, Place, check},
    page::TablePage,
};
use chlom_primitives::address::{CLAIMS_POOL, PAYOUT_PROOFS, ROYALTY_LEDGER};

use crate::{
    batch::Batch,
    bindings::{Money, Payouts},
    world::{CENT, CHM, LICENCES, SUBMITTER, WATCHER, World, lane, receipts, state},
};

/// Money comes from nowhere and goes nowhere: in the ledger, and in PayoutProofs.
fn assert_conserved(world: &mut World, ledger: u128, payouts: u128) {
    assert_eq!((world.accounted(), world.machine.balance(ROYALTY_LEDGER)), (ledger, ledger));
    assert_eq!(world.machine.balance(PAYOUT_PROOFS), payouts);
}

/// The next batch of the same lane, with ten thousand cents too many in its first row and in its payer's total.
fn wrong(world: &mut World) -> Batch {
    let right = world.right(1_000, 40);
    let mut elements = right.elements.clone();
    let table = right.header.record_pages;
    let page = right.blob().page(table).unwrap();
    let mut decoded = TablePage::decode(&page).unwrap();
    decoded.rows[0].revenue += 10_000;
    let cell = blob::elements(&[decoded.encode()], RowCount::new(1).unwrap());
    let at = table as usize * 2_048;
    elements[at..at + 2_048].copy_from_slice(&cell[..2_048]);
    let mut said = right.header.clone();
    let again = TablePage::decode(&decoded.encode()).unwrap();
    said.payers[0].owed += again.rows[0].owed - right.draft.rows[0].owed;
    Batch::new(right.draft, &said, elements)
}

#[test]
fn a_right_batch_pays_and_a_wrong_one_costs_its_submitter() {
    // Fund: two payers, 1,000 CHM each; the submitter's collateral is 100,000 CHM.
    let mut world = World::new(2);
    let (ledger, stake) = (2_000 * CHM, 100_000 * CHM);
    assert_conserved(&mut world, ledger, stake);

    // Submit right: 40 receipts of 10.00, half under 20 % and half under 5 %: 25.00 a payer.
    let right = world.right(0, 40);
    assert_eq!(check(right.blob(), &state()), Ok(None));
    let (claim, submit_gas) = world.submit(&right);
    for payer in world.payers() {
        assert_eq!(world.pot(payer), (975 * CHM, 25 * CHM));
    }
    assert_eq!(world.collateral(SUBMITTER), (90_000 * CHM, 10_000 * CHM));
    assert_conserved(&mut world, ledger, stake);

    // Submit wrong: a watcher finds it, commits, and proves it with cells of the blob.
    let bad = wrong(&mut world);
    let (bad_claim, next_gas) = world.submit(&bad);
    let fraud = check(bad.blob(), &state()).unwrap().expect("a fraud");
    assert!(matches!(fraud, Fraud::RowRevenue { .. }), "{fraud:?}");
    let (root, proof) = (bad.root(), bad.proof_of(&fraud));
    let salt = B256::repeat_byte(7);
    let commitment = keccak256((root, keccak256(&proof), WATCHER, salt).abi_encode_params());
    world.call(WATCHER, &Payouts::commitChallengeCall { commitment });
    world.machine.wait(2, 1);
    let challenge = Payouts::challenge_1Call { batchRoot: root, fraudProof: proof.clone().into(), salt };
    let challenge_gas = world.call(WATCHER, &challenge).gas;
    assert_eq!(world.collateral(SUBMITTER), (80_000 * CHM, 10_000 * CHM));
    let header = bad.header.encode();
    let release = Payouts::releaseCall { batchRoot: root, claim: bad_claim, header: header.clone().into() };
    world.call(WATCHER, &release);
    for payer in world.payers() {
        assert_eq!(world.pot(payer), (975 * CHM, 25 * CHM), "free again");
    }
    assert_conserved(&mut world, ledger, stake);

    // The same proof says nothing of the right batch.
    let of_right = right.proof_of(&fraud);
    let harmless = Payouts::challenge_0Call { batchRoot: right.root(), fraudProof: of_right.into() };
    let refusal = world.machine.attempt(WATCHER, PAYOUT_PROOFS, 0, &harmless).map(|_| ()).unwrap_err();
    assert_eq!(refusal, Payouts::NoFraud { reason: 6 }.abi_encode());

    // Ten minutes on the award is paid: 40 % to the watcher, the rest to the Claims Pool.
    world.machine.wait(601, 251);
    world.call(SUBMITTER, &Payouts::payAwardCall { batchRoot: root, header: header.into() });
    assert_eq!(world.collateral(WATCHER), (4_000 * CHM, 0));
    let held = Money::heldForCall { batch: root, token: Address::ZERO };
    assert_eq!(world.machine.read(CLAIMS_POOL, &held), U256::from(6_000 * CHM));
    assert_conserved(&mut world, ledger, stake - 6_000 * CHM);

    // Finalise: after seven days.
    let finalize = Payouts::finalizeCall { batchRoot: right.root() };
    assert!(world.machine.attempt(WATCHER, PAYOUT_PROOFS, 0, &finalize).is_err(), "not before");
    world.machine.wait(7 * 86_400, 1);
    let finalize_gas = world.call(WATCHER, &finalize).gas;
    assert_eq!(world.collateral(SUBMITTER), (90_000 * CHM, 0));

    // Settle: each row, once.
    let mut settle_gas = 0;
    for index in 0..right.draft.rows.len() {
        let settle = Payouts::settleCall {
            batchRoot: right.root(),
            claim: claim.clone(),
            row: right.table_row(index),
            index: U256::from(index),
            siblings: right.draft.row_path(index).unwrap(),
        };
        settle_gas = settle_gas.max(world.call(WATCHER, &settle).gas);
        assert!(world.machine.attempt(WATCHER, PAYOUT_PROOFS, 0, &settle).is_err(), "once");
        assert_conserved(&mut world, ledger, stake - 6_000 * CHM);
    }
    for payer in world.payers() {
        assert_eq!(world.pot(payer), (975 * CHM, 0));
    }

    // Withdraw: 40.00 and 10.00, less half a per cent.
    let paid: Vec<u128> = LICENCES.iter().map(|(name, ..)| world.withdraw(name)).collect();
    assert_eq!(paid, [40 * CHM - 20 * CENT, 10 * CHM - 5 * CENT]);
    assert_conserved(&mut world, ledger - paid.iter().sum::<u128>(), stake - 6_000 * CHM);
    let take = Payouts::withdrawCollateralCall { amount: U256::from(4_000 * CHM), to: WATCHER };
    world.call(WATCHER, &take);
    assert_conserved(&mut world, ledger - paid.iter().sum::<u128>(), stake - 10_000 * CHM);

    println!(
        "gas: submit (2 payers) {submit_gas}, next {next_gas}; challenge {challenge_gas}; finalize {finalize_gas}"
    );
    println!("gas: settle, dearest of {} rows: {settle_gas}", right.draft.rows.len());
    assert!(submit_gas <= 300_000 + 2 * 45_000 && finalize_gas <= 150_000 && challenge_gas <= 1_000_000);
}

#[test]
fn submit_takes_at_most_45k_a_payer_with_the_real_modules() {
    let mut world = World::new(128);
    let batch = world.right(0, 512);
    assert_eq!(batch.header.payers.len(), 128);
    let (_, gas) = world.submit(&batch);
    println!("gas: submit (128 payers) {gas}");
    assert!(gas <= 300_000 + 128 * 45_000, "{gas}");
}

#[test]
fn a_record_of_a_source_that_an_allowance_does_not_name_convicts() {
    let mut world = World::new(2);
    let payer = world.payers()[0];
    let allow = crate::bindings::Setup::setAllowanceCall {
        lane: lane().into_array().into(),
        period: crate::world::WEEK,
        submitter: SUBMITTER,
        limit: "1000000000000000000000".parse().unwrap(),
        unsignedSources: true,
        sources: vec![],
    };
    world.machine.send(payer, chlom_primitives::address::LANE_REGISTRY, 0, &allow);
    let batch = world.right(0, 8);
    world.publish(&batch);
    let mut consents = world.signed(&batch);
    assert_eq!(batch.header.payers[0].payer, payer);
    (consents[0].standing, consents[0].signature) = (true, Default::default());
    world.try_submit(&batch, consents).map(|_| ()).unwrap();
    // The first record is the first payer's, of "ad-server", which the allowance does not name.
    let shown = |at: u16| batch.proof_of(&Fraud::Source(Place { page: 0, at }, vec![]));
    let of = |proof: Vec<u8>| Payouts::challenge_0Call { batchRoot: batch.root(), fraudProof: proof.into() };
    // The last one's payer has signed.
    let refusal = world.machine.attempt(WATCHER, PAYOUT_PROOFS, 0, &of(shown(7))).map(|_| ()).unwrap_err();
    assert_eq!(refusal, Payouts::NotConfirmed { check: 3 }.abi_encode());
    world.call(WATCHER, &of(shown(0)));
    assert_eq!(world.collateral(SUBMITTER), (90_000 * CHM, 0));
}

#[test]
fn a_batch_under_a_licence_that_nobody_has_is_convicted_by_the_registry() {
    let mut world = World::new(1);
    let mut sold = receipts(&world.payers(), 0, 8);
    sold[3].licence = keccak256("NOBODYS-1");
    let pretended = Pretended;
    let (draft, _) = chlom_lane::build(world.frame(), sold, &pretended).unwrap();
    let batch = Batch::right(draft);
    world.submit(&batch);
    let fraud = check(batch.blob(), &state()).unwrap().expect("a fraud");
    let call =
        Payouts::challenge_0Call { batchRoot: batch.root(), fraudProof: batch.proof_of(&fraud).into() };
    world.call(WATCHER, &call);
    assert_eq!(world.collateral(SUBMITTER), (90_000 * CHM, 0), "{fraud:?}");
}

/// A state in which every licence has 5 %: what a submitter pretends.
pub(crate) struct Pretended;

impl chlom_lane::LaneState for Pretended {
    type Error = std::convert::Infallible;
    fn allows(&self, _: &B256, _: u64, _: u64) -> Result<bool, Self::Error> {
        Ok(true)
    }
    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, Self::Error> {
        let known = LICENCES.iter().find(|(name, ..)| keccak256(name) == *licence);
        Ok(Some(known.map_or(500, |(_, bps, _)| *bps)))
    }
    fn source_key(
        &self,
        _: &chlom_lane::LaneId,
        _: &Address,
        _: &B256,
        _: u64,
    ) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(None)
    }
    fn admits(&self, _: &chlom_lane::Header, _: &Address, _: &B256, _: bool) -> Result<bool, Self::Error> {
        Ok(true)
    }
    fn earlier(
        &self,
        _: &chlom_lane::Header,
        _: &B256,
        _: &chlom_lane::receipt::ReceiptId,
    ) -> Result<Option<chlom_lane::state::EarlierRecord>, Self::Error> {
        Ok(None)
    }
}
