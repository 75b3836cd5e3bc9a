use alloy_primitives::{Address, B256};

use super::{Lane, Ledger, Payout, Pot, ROUTE_WINDOW, RouteKey, Row};
use crate::{
    Edge, Forest, Leaf, LedgerError, Period, Registry, Share, Split, SplitTree, SplitVector,
    forest::{State, Terms},
    period::SUBMISSION_WINDOW,
};

const TOKEN: Address = Address::with_last_byte(0xaa);
const PAYER: Address = Address::with_last_byte(0xbb);
const LANE: Lane = Lane::with_last_byte(0xcc);
const BATCH: B256 = B256::with_last_byte(0xdd);
const CHILD: B256 = B256::with_last_byte(2);
const PARENT: B256 = B256::with_last_byte(1);
const WEEK: u32 = 20_250_901;
const NOW: u64 = 1_760_000_000;
const FOREVER: u64 = u64::MAX;

fn payee(i: u8) -> Address {
    Address::with_last_byte(i)
}

fn vector(payees: &[u8]) -> Split {
    let shares = payees.iter().map(|i| Share { payee: payee(*i), weight: 1 });
    Split::Vector(SplitVector::canonical(shares, payees.len() as u128).unwrap())
}

/// A parent of payees 1 and 2 and a child of payees 3, 4 and 5 that passes up a third; a funded pot.
fn world() -> (Ledger, Forest) {
    let mut forest = Forest::new(50, 1_000);
    let terms = |split| Terms { state: State::Active, end: FOREVER, royalty_bps: 1_000, split };
    let (above, below) = (forest.register(vector(&[1, 2])), forest.register(vector(&[3, 4, 5])));
    forest.mint(PARENT, None, 0, terms(above)).unwrap();
    forest.mint(CHILD, Some(Edge::new(PARENT, 1, 3).unwrap()), 0, terms(below)).unwrap();
    let mut ledger = Ledger::new();
    ledger.enable_token(TOKEN, 6).unwrap();
    ledger.deposit(TOKEN, LANE, PAYER, 1_000_000).unwrap();
    (ledger, forest)
}

fn row(revenue: u128) -> Row {
    Row { batch: BATCH, lane: LANE, period: WEEK, token: TOKEN, payer: PAYER, licence: CHILD, revenue }
}

fn key(forest: &Forest, licence: B256) -> RouteKey {
    let node = forest.route_at(licence, Period::new(WEEK).unwrap().start()).unwrap()[0];
    Ledger::new().current_key(TOKEN, &node)
}

fn settled(revenue: u128) -> (Ledger, Forest) {
    let (mut ledger, forest) = world();
    ledger.reserve(BATCH, TOKEN, LANE, PAYER, 1_000).unwrap();
    ledger.settle(&row(revenue), NOW, &forest).unwrap();
    (ledger, forest)
}

fn balanced(ledger: &Ledger) {
    assert_eq!(ledger.books(TOKEN).total(), ledger.accounted(TOKEN));
}

#[test]
fn a_settlement_pays_fee_child_and_parent_and_returns_what_it_did_not_need() {
    let (ledger, forest) = settled(9_999);
    // base ⌊999.9⌋, fee ⌊4.995⌋, a third of 995 up.
    let accrual = ledger.accrual_of(TOKEN, CHILD, LANE, WEEK).unwrap();
    assert_eq!((accrual.base(), accrual.fee(), ledger.fees_owed(TOKEN)), (999, 4, 4));
    assert_eq!(ledger.account_of(TOKEN, &key(&forest, CHILD)).kept(), 664);
    assert_eq!(ledger.account_of(TOKEN, &key(&forest, PARENT)).kept(), 331);
    assert_eq!(ledger.pot_of(TOKEN, LANE, PAYER), Pot { free: 999_001, reserved: 0 });
    balanced(&ledger);
}

#[test]
fn i8_a_row_settles_once() {
    let (mut ledger, forest) = settled(10);
    let before = ledger.clone();
    let refused = LedgerError::AlreadySettled { batch: BATCH, payer: PAYER, licence: CHILD };
    assert_eq!(ledger.settle(&row(10), NOW, &forest), Err(refused));
    assert_eq!(ledger, before);
}

#[test]
fn a_row_that_can_owe_more_than_its_batch_reserved_changes_nothing() {
    let (mut ledger, forest) = world();
    ledger.reserve(BATCH, TOKEN, LANE, PAYER, 1_000).unwrap();
    let before = ledger.clone();
    let refused =
        LedgerError::ReservationShort { batch: BATCH, payer: PAYER, reserved: 1_000, needed: 1_001 };
    assert_eq!(ledger.settle(&row(10_001), NOW, &forest), Err(refused));
    assert_eq!(ledger, before);
}

#[test]
fn a_pot_gives_no_more_than_is_free() {
    let (mut ledger, _) = world();
    ledger.reserve(BATCH, TOKEN, LANE, PAYER, 999_999).unwrap();
    let unfunded = LedgerError::Unfunded { payer: PAYER, missing: 1 };
    assert_eq!(ledger.withdraw_pot(TOKEN, LANE, PAYER, 2), Err(unfunded));
    assert_eq!(ledger.reserve(BATCH, TOKEN, LANE, PAYER, 2), Err(unfunded));
    assert_eq!(ledger.release(BATCH, TOKEN, LANE, PAYER), 999_999);
    ledger.withdraw_pot(TOKEN, LANE, PAYER, 1_000_000).unwrap();
    assert_eq!(ledger.accounted(TOKEN), 0);
}

#[test]
fn tokens_and_amounts_are_checked_at_the_door() {
    let (mut ledger, _) = world();
    let other = Address::ZERO;
    assert_eq!(ledger.deposit(other, LANE, PAYER, 1), Err(LedgerError::TokenNotEnabled(other)));
    assert_eq!(ledger.deposit(TOKEN, LANE, PAYER, 0), Err(LedgerError::AmountZero));
    assert_eq!(ledger.enable_token(TOKEN, 6), Err(LedgerError::TokenKnown(TOKEN)));
    assert!(matches!(ledger.deposit(TOKEN, LANE, PAYER, u128::MAX), Err(LedgerError::AmountTooLarge(_))));
}

#[test]
fn payees_take_the_floor_of_all_that_was_kept_and_nothing_twice() {
    let (mut ledger, forest) = settled(9_999);
    let key = key(&forest, CHILD);
    let payout = |index| Payout { key, token: TOKEN, index };
    for index in 0..3 {
        assert_eq!(ledger.withdrawable(&payout(index), &forest), Ok((221, 0)));
        assert_eq!(ledger.withdraw(&payout(index), &forest).unwrap().amount, 221);
        let nothing = LedgerError::NothingDue { licence: CHILD, payee: payee(3 + index as u8) };
        assert_eq!(ledger.withdraw(&payout(index), &forest), Err(nothing));
    }
    let refused = LedgerError::SplitIndex { index: 3, payees: 3 };
    assert_eq!(ledger.withdraw(&payout(3), &forest), Err(refused));
    assert_eq!(ledger.payout_receipt(TOKEN, &key, &forest).unwrap().residual, 1);
    balanced(&ledger);
}

#[test]
fn a_hold_captures_at_withdrawal_and_gives_back_after_its_release() {
    let (mut ledger, forest) = settled(9_999);
    let hold = ledger.place_hold(CHILD, TOKEN, Some(payee(3)), 200).unwrap();
    let payout = Payout { key: key(&forest, CHILD), token: TOKEN, index: 0 };
    assert_eq!(ledger.withdrawable(&payout, &forest), Ok((21, 200)));
    let withdrawn = ledger.withdraw(&payout, &forest).unwrap();
    assert_eq!((withdrawn.amount, withdrawn.captured[0].amount), (21, 200));
    balanced(&ledger);
    let nothing = LedgerError::NothingDue { licence: CHILD, payee: payee(3) };
    assert_eq!(ledger.withdraw_released(hold, payee(3)), Err(LedgerError::HoldInForce(hold)));
    ledger.release_hold(hold).unwrap();
    assert_eq!(ledger.release_hold(hold), Err(LedgerError::HoldReleasedAlready(hold)));
    assert_eq!(ledger.withdraw_released(hold, payee(3)), Ok((200, vec![])));
    assert_eq!(ledger.withdraw_released(hold, payee(3)), Err(nothing));
    balanced(&ledger);
}

#[test]
fn a_route_closes_once_superseded_old_and_settled_and_money_after_it_opens_a_generation() {
    let (mut ledger, mut forest) = settled(9_999);
    let key = key(&forest, CHILD);
    let week = Period::new(WEEK).unwrap().end();
    let superseded = week + ROUTE_WINDOW;
    let route = key.route();
    let close = |ledger: &mut Ledger, forest: &Forest, now, unsettled| {
        ledger.close_route(TOKEN, &key, now, unsettled, forest)
    };
    let refused = LedgerError::RouteInForce { licence: CHILD, route };
    assert_eq!(close(&mut ledger, &forest, superseded, false), Err(refused));
    let split = forest.register(vector(&[7]));
    let terms = Terms { state: State::Active, end: FOREVER, royalty_bps: 1_000, split };
    forest.modify(CHILD, (week, week), terms).unwrap();
    let refused = LedgerError::RouteInForce { licence: CHILD, route };
    assert_eq!(close(&mut ledger, &forest, superseded - 1, false), Err(refused), "67 days ago");
    assert_eq!(close(&mut ledger, &forest, superseded, true), Err(LedgerError::RouteUnsettled(CHILD)));
    assert_eq!(close(&mut ledger, &forest, superseded, false).unwrap().residual, 1);
    assert_eq!(close(&mut ledger, &forest, superseded, false), Err(LedgerError::RouteUnknown(route)));
    balanced(&ledger);

    let late = Row { batch: B256::ZERO, ..row(10_000) };
    ledger.reserve(B256::ZERO, TOKEN, LANE, PAYER, 1_000).unwrap();
    let settled = ledger.settle(&late, NOW, &forest).unwrap();
    assert_eq!(settled.stations[0].key, RouteKey { generation: 1, ..key });
    assert!(settled.stations[0].opened);
    assert_eq!(ledger.withdraw(&Payout { key, token: TOKEN, index: 2 }, &forest).unwrap().amount, 221);
    balanced(&ledger);
}

#[test]
fn leaves_of_a_tree_claim_by_proof_and_the_residual_shows_once_all_have() {
    let (mut ledger, mut forest) = world();
    let tree = SplitTree::new([(payee(1), 1), (payee(2), 1), (payee(1), 1)]).unwrap();
    let split = forest.register(Split::Tree { root: tree.root(), denom: 3, leaves: 3 });
    let terms = Terms { state: State::Active, end: FOREVER, royalty_bps: 1_000, split };
    forest.modify(CHILD, (1, 1), terms).unwrap();
    ledger.reserve(BATCH, TOKEN, LANE, PAYER, 1_000).unwrap();
    ledger.settle(&row(9_999), NOW, &forest).unwrap();
    let key = key(&forest, CHILD);
    forest.revoke_subtree(CHILD, Period::new(WEEK).unwrap().end()).unwrap();
    let now = Period::new(WEEK).unwrap().end() + ROUTE_WINDOW;
    for (index, leaf) in tree.leaves().iter().enumerate() {
        let unclaimed = LedgerError::LeavesUnclaimed { claimed: index as u32, leaves: 3 };
        assert_eq!(ledger.close_route(TOKEN, &key, now, false, &forest), Err(unclaimed));
        let proof = tree.prove(index).unwrap();
        let moved = Leaf { payee: PAYER, ..*leaf };
        assert!(matches!(
            ledger.withdraw_leaf(TOKEN, &key, &moved, &proof, &forest),
            Err(LedgerError::Leaf(_))
        ));
        assert_eq!(ledger.withdraw_leaf(TOKEN, &key, leaf, &proof, &forest).unwrap().amount, 221);
    }
    assert_eq!(ledger.close_route(TOKEN, &key, now, false, &forest).unwrap().residual, 1);
    balanced(&ledger);
}

#[test]
fn a_route_in_force_for_one_period_only_stays_open_60_days_past_it() {
    let (mut ledger, mut forest) = world();
    let week = Period::new(WEEK).unwrap();
    for (payee, from) in [(7, week.start()), (8, week.end())] {
        let split = forest.register(vector(&[payee]));
        let terms = Terms { state: State::Active, end: FOREVER, royalty_bps: 1_000, split };
        forest.modify(CHILD, (from, from), terms).unwrap();
    }
    ledger.reserve(BATCH, TOKEN, LANE, PAYER, 1_000).unwrap();
    ledger.settle(&row(9_999), NOW, &forest).unwrap();
    let key = key(&forest, CHILD);
    let until = week.end() + SUBMISSION_WINDOW;
    let refused = LedgerError::RouteTooRecent { last_period: WEEK, until };
    let before = week.start() + ROUTE_WINDOW - 1;
    assert_eq!(ledger.close_route(TOKEN, &key, before, false, &forest), Err(refused));
    assert!(ledger.close_route(TOKEN, &key, week.end() + ROUTE_WINDOW, false, &forest).is_ok());
}

#[test]
fn a_route_that_an_open_period_between_pays_by_stays_open() {
    let (mut ledger, mut forest) = settled(9_999);
    let week = Period::new(WEEK).unwrap();
    let key = key(&forest, CHILD);
    let split = forest.split_of(CHILD, 1).unwrap().hash();
    // Over when its first period is, in force again at the start of a period 30 days on, then over for good.
    let again = Period::containing(week.end() + 30 * 86_400).unwrap();
    let terms = |end| Terms { state: State::Active, end, royalty_bps: 1_000, split };
    forest.modify(CHILD, (week.end(), week.end()), terms(week.end())).unwrap();
    forest.modify(CHILD, (again.start() - 1, again.start() - 1), terms(again.start() + 1)).unwrap();
    let refused = LedgerError::RouteInForce { licence: CHILD, route: key.route() };
    let open = again.end() + SUBMISSION_WINDOW;
    for now in [week.start() + ROUTE_WINDOW + 1, open - 1] {
        assert_eq!(ledger.close_route(TOKEN, &key, now, false, &forest), Err(refused));
    }
    assert!(ledger.close_route(TOKEN, &key, open + 1, false, &forest).is_ok(), "over 67 days ago, too");
}

#[test]
fn leaves_of_a_payee_add_up_in_each_tree_for_a_hold_whatever_they_started_at_before() {
    let (mut ledger, mut forest) = world();
    let trees = [vec![(payee(1), 1), (payee(2), 9)], vec![(payee(1), 4), (payee(2), 2), (payee(1), 4)]];
    let hold = ledger.place_hold(CHILD, TOKEN, None, 100).unwrap();
    for (i, (leaves, week)) in trees.into_iter().zip([WEEK, WEEK + 1]).enumerate() {
        let tree = SplitTree::new(leaves).unwrap();
        let split = Split::Tree { root: tree.root(), denom: 10, leaves: tree.leaves().len() as u32 };
        let terms =
            Terms { state: State::Active, end: FOREVER, royalty_bps: 1_000, split: forest.register(split) };
        let start = Period::new(week).unwrap().start();
        forest.modify(CHILD, (start, start), terms).unwrap();
        let row = Row { period: week, batch: B256::with_last_byte(i as u8), ..row(9_999) };
        ledger.reserve(row.batch, TOKEN, LANE, PAYER, 1_000).unwrap();
        let settled = ledger.settle(&row, NOW, &forest).unwrap();
        for (index, leaf) in tree.leaves().iter().enumerate().filter(|(_, leaf)| leaf.payee == payee(1)) {
            let proof = tree.prove(index).unwrap();
            ledger.withdraw_leaf(TOKEN, &settled.stations[0].key, leaf, &proof, &forest).unwrap();
        }
        let capture = ledger.hold_of(hold).unwrap().capture_of(payee(1));
        assert_eq!(capture.captured, if i == 0 { 10 } else { 80 }, "a tenth, then eight tenths of the hold");
    }
    balanced(&ledger);
}

#[test]
fn rows_of_a_period_that_has_not_begun_are_refused() {
    let (mut ledger, forest) = world();
    let start = Period::new(WEEK).unwrap().start();
    let refused = LedgerError::PeriodNotBegun { period: WEEK, start };
    assert_eq!(ledger.settle(&row(1), start, &forest), Err(refused));
}

#[test]
fn a_licence_that_woke_within_the_period_keeps_its_own_and_one_revoked_before_does_not() {
    let (mut ledger, mut forest) = world();
    let week = Period::new(WEEK).unwrap();
    let split = forest.split_of(CHILD, 1).unwrap().hash();
    let terms = |state| Terms { state, end: FOREVER, royalty_bps: 1_000, split };
    let [draft, dead] = [8, 9].map(B256::with_last_byte);
    forest.mint(draft, None, 0, terms(State::Draft)).unwrap();
    forest.mint(dead, None, 0, terms(State::Active)).unwrap();
    forest.modify(dead, (1, 1), terms(State::Revoked)).unwrap();
    ledger.reserve(BATCH, TOKEN, LANE, PAYER, 1_000).unwrap();
    let row = |licence| Row { licence, ..row(100) };
    for licence in [draft, dead] {
        let refused = LedgerError::LicenceInactive(licence);
        assert_eq!(ledger.settle(&row(licence), NOW, &forest), Err(refused));
    }
    let within = week.start() + 1;
    forest.modify(draft, (within, within), terms(State::Active)).unwrap();
    let settled = ledger.settle(&row(draft), NOW, &forest).unwrap();
    assert_eq!(settled.stations[0].kept, 10);
    assert_eq!(settled.route, crate::route::route_hash(B256::ZERO, draft, 1, true));
    balanced(&ledger);
}
