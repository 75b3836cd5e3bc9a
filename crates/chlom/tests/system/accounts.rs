//! Everything counted again, to the unit.

use std::path::PathBuf;

use alloy_primitives::{Address, B256, U256, keccak256};
use chlom_client::{
    contracts::royalty_ledger::IRoyaltyLedger::{
        Accrual, accountedCall, accrualOfCall, feesOwedCall, payoutReceiptCall,
    },
    lanes::{
        Lane,
        batches::{self, Status},
        events::{Follower, Happening},
        money, word,
    },
};
use chlom_lane::lane::lane_id;
use chlom_primitives::address::{PAYOUT_PROOFS, ROYALTY_LEDGER};

use crate::chain::{CHM, OPERATORS, PAYERS, POT, WATCHERS, World};

/// Drills' payers put this into their pots.
const DRILL_POT: u128 = 20 * CHM;
/// Drills submit with the node's second account.
const DRILLS: usize = 1;

/// What is paid is what the files say, the chain has what is not paid, and all bonds are where they belong.
pub(crate) fn agree(
    world: &World,
    lanes: [&str; 2],
    files: &[(PathBuf, Vec<u128>)],
    frauds: &[B256],
    paid: &[(Address, u128)],
) {
    every_batch_ended_as_it_must(world, frauds);
    let mut base = U256::ZERO;
    let mut fees = U256::ZERO;
    for (number, lane) in lanes.into_iter().enumerate() {
        let mut owed = U256::ZERO;
        for licence in 0..6 {
            let revenue: u128 = files[2 * number..][..2].iter().map(|(_, revenue)| revenue[licence]).sum();
            let accrual = accrual(world, lane, licence);
            assert_eq!(accrual.revenue, revenue, "{lane}: AST-{}", 9_000 + licence);
            let due = U256::from(revenue) * U256::from(accrual.royaltyBps) / U256::from(10_000);
            assert_eq!(U256::from(accrual.base), due, "{lane}: what is owed of AST-{}", 9_000 + licence);
            owed += U256::from(accrual.base);
            fees += U256::from(accrual.fee);
        }
        let payer = world.accounts[PAYERS[number]];
        let pot = Lane::new(&world.chain, lane_id(lane)).pot(Address::ZERO, payer).unwrap();
        let left = U256::from(POT * CHM) - owed;
        assert_eq!((pot.free, pot.reserved), (left, U256::ZERO), "{lane}: the payer paid what it owed");
        base += owed;
    }
    // What the licences kept, by payee, and what flooring left of it.
    let (mut due, mut residual) = (U256::ZERO, U256::ZERO);
    for licence in 0..6 {
        let key = money::route_key(&world.chain, id(licence), world.period).unwrap();
        let call = payoutReceiptCall { token: Address::ZERO, key };
        let receipt = world.chain.view(ROYALTY_LEDGER, &call).unwrap();
        due += receipt.allocations.iter().map(|share| share.amount).sum::<U256>();
        residual += receipt.residual;
    }
    let total: U256 = paid.iter().map(|(_, amount)| U256::from(*amount)).sum();
    assert_eq!(total, due, "every payee got everything");
    assert_eq!(base, fees + total + residual, "no unit is missing, none came from nowhere");
    assert!(residual < U256::from(100), "flooring leaves units: {residual}");
    let mut payees: Vec<Address> = paid.iter().map(|(payee, _)| *payee).collect();
    payees.sort_unstable();
    payees.dedup();
    for payee in payees {
        let got: u128 = paid.iter().filter(|(to, _)| *to == payee).map(|(_, amount)| amount).sum();
        assert_eq!(world.balance(payee), U256::from(got), "{payee} has what it was paid, once");
    }
    the_ledger_has_the_rest(world, frauds.len(), total);
    bonds_are_where_they_belong(world);
}

fn id(licence: usize) -> B256 {
    keccak256(format!("AST-{}", 9_000 + licence))
}

fn accrual(world: &World, lane: &str, licence: usize) -> Accrual {
    let call = accrualOfCall {
        token: Address::ZERO,
        licence: id(licence),
        lane: word(lane_id(lane)),
        period: world.period,
    };
    world.chain.view(ROYALTY_LEDGER, &call).unwrap()
}

/// The wrong ones void, all others done: nobody proved a fraud of a right one.
fn every_batch_ended_as_it_must(world: &World, frauds: &[B256]) {
    let (mut follower, mut right) = (Follower::from(0), 0);
    loop {
        let (events, head) = follower.poll(&world.chain).unwrap();
        for event in events {
            if !matches!(event.what, Happening::Accepted { .. }) {
                continue;
            }
            let status = Status::of(&batches::batch(&world.chain, event.batch).unwrap());
            let is_fraud = frauds.contains(&event.batch);
            assert_eq!(status, if is_fraud { Status::Void } else { Status::Done }, "{}", event.batch);
            right += usize::from(!is_fraud);
        }
        if follower.next() > head {
            break;
        }
    }
    assert!(right >= 5, "two batches of each lane, and the one before a double count: {right}");
}

fn the_ledger_has_the_rest(world: &World, drills: usize, withdrawn: U256) {
    let chain = &world.chain;
    let accounted = chain.view(ROYALTY_LEDGER, &accountedCall { token: Address::ZERO }).unwrap();
    let deposited = U256::from(2 * POT * CHM) + U256::from(DRILL_POT) * U256::from(drills);
    assert_eq!(accounted, deposited - withdrawn);
    assert_eq!(world.balance(ROYALTY_LEDGER), accounted);
    let fees = chain.view(ROYALTY_LEDGER, &feesOwedCall { token: Address::ZERO }).unwrap();
    assert!(fees <= accounted);
}

fn bonds_are_where_they_belong(world: &World) {
    let all = [OPERATORS.as_slice(), &WATCHERS, &[DRILLS]].concat();
    let mut sum = U256::ZERO;
    for account in all {
        let collateral = money::collateral(&world.chain, world.accounts[account]).unwrap();
        assert_eq!(collateral.locked, 0, "nothing is open any more");
        sum += U256::from(collateral.free);
    }
    assert_eq!(world.balance(PAYOUT_PROOFS), sum, "all collateral and all rewards, nothing else");
    for operator in OPERATORS {
        let free = money::collateral(&world.chain, world.accounts[operator]).unwrap().free;
        assert_eq!(free, 4 * 9_900 * CHM, "an honest operator loses nothing");
    }
}
