//! Statements of random worlds against the ledger that made them, and files that are wrong in one thing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::disallowed_types)]

mod world;
mod wrong;

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256, keccak256};
use chlom_royalty::route::route_hash;

use chlom_statement::{
    Draft, Fault,
    csv::{self, decimal},
    document::{AccrualOf, Names, Route, Split, Units},
    make,
    slots::{self, Slot},
    verify,
};
use world::{PAYEE, TOKEN, World, asked, bytes, state};

#[test]
fn stm_12_what_a_statement_says_is_what_the_ledger_owes() {
    let (mut several, mut overrides, mut trees) = (0, 0, 0);
    for seed in 0..400 {
        let Some(world) = World::new(seed) else { continue };
        let statement =
            make(world.draft(), &world.nodes).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
        let verified = verify(&bytes(&statement), world.header.hash_slow()).unwrap();
        let total = verified.statement.total;
        // What is due at the start, and what of it was taken.
        assert_eq!((total.amount.0, total.taken.0), world.owed, "seed {seed}");
        assert_eq!(total.due.0, total.amount.0 - total.taken.0);
        let lines = &verified.statement.lines;
        assert_eq!(lines.iter().map(|line| line.amount.0).sum::<u128>(), total.amount.0, "seed {seed}");
        assert_eq!(verified.itemised, verified.accruals, "seed {seed}");
        for line in lines {
            assert_eq!(line.inflow.0, line.passed_up.0 + line.kept.0, "seed {seed}");
            assert!(line.inflow.0 <= line.base.0 - line.fee.0);
        }
        several += verified.several_routes.len();
        overrides += lines.iter().filter(|line| line.licence != line.earned_by).count();
        let is_tree = |route: &&Route| matches!(route.split, Some(Split::Tree { .. }));
        trees += verified.statement.evidence.routes.iter().filter(is_tree).count();
    }
    assert!(several > 20 && overrides > 200 && trees > 50, "{several} {overrides} {trees}");
}

#[test]
fn stm_10_proofs_of_the_slots_that_are_asked_for_are_enough_and_nothing_else_is_kept() {
    for seed in 0..60 {
        let Some(world) = World::new(seed) else { continue };
        let (root, few) = state(&world.slots, Some(&asked(&world)));
        assert_eq!(root, world.header.state_root);
        let (one, other) = (make(world.draft(), &few).unwrap(), make(world.draft(), &world.nodes).unwrap());
        assert_eq!(one, other, "seed {seed}");
    }
}

#[test]
fn stm_14_lines_do_not_depend_on_the_order_in_which_accruals_are_listed() {
    for seed in 0..60 {
        let Some(world) = World::new(seed) else { continue };
        let mut draft = world.draft();
        draft.routes.iter_mut().for_each(|route| route.accruals.reverse());
        let (one, other) = (make(world.draft(), &world.nodes).unwrap(), make(draft, &world.nodes).unwrap());
        let amounts = |statement: &chlom_statement::Statement| -> Vec<(u32, B256, Address, u128)> {
            let lines = statement.lines.iter();
            lines.map(|line| (line.period, line.earned_by, line.lane, line.amount.0)).collect()
        };
        assert_eq!(amounts(&one), amounts(&other), "seed {seed}");
    }
}

#[test]
fn stm_15_lines_of_parts_of_the_time_are_together_all_lines() {
    for seed in 0..60 {
        let Some(world) = World::new(seed) else { continue };
        let of = |from, to| {
            let statement = make(Draft { from, to, ..world.draft() }, &world.nodes).unwrap();
            verify(&bytes(&statement), world.header.hash_slow()).unwrap().statement
        };
        let all = of(None, None);
        let parts =
            [of(None, Some(20_250_901)), of(Some(20_250_902), Some(20_250_905)), of(Some(20_251_001), None)];
        assert_eq!(parts.iter().map(|part| part.lines.len()).sum::<usize>(), all.lines.len());
        assert!(parts.iter().all(|part| part.total == all.total && part.accounts == all.accounts));
    }
}

/// A licence of which a vector of 1 and 2 shares `received` over two generations.
pub(crate) fn two_generations(received: [u128; 2]) -> (Draft, BTreeMap<Slot, U256>) {
    let (licence, lane, period) = (keccak256("L"), Address::repeat_byte(5), 20_250_901);
    let route = route_hash(B256::ZERO, licence, 1, true);
    let shares = [(PAYEE, 1u128), (Address::repeat_byte(0x99), 2)];
    let vector = shares.map(|(payee, weight)| chlom_royalty::Share { payee, weight });
    let hash = chlom_royalty::SplitVector::new(vector.to_vec(), 3).unwrap().hash();
    let total = received[0] + received[1];
    // All of the revenue is due, the fee's cap is zero.
    let accrual = U256::from(total) | U256::from(10_000) << 224 | U256::from(50) << 240;
    let account = |inflow: u128| U256::from(inflow) | U256::from(period) << 224;
    let words = BTreeMap::from([
        (slots::token(TOKEN), U256::from(6) << 216),
        (slots::accrual(TOKEN, licence, &lane, period), accrual),
        (slots::generations(TOKEN, route), U256::ONE),
        (slots::account(TOKEN, route, 0), account(received[0]) | U256::ONE << 255),
        (slots::account(TOKEN, route, 1), account(received[1])),
        (slots::taken(TOKEN, route, 0, 0), U256::from(received[0] / 3)),
        (slots::split(licence, 1), hash.into()),
    ]);
    let route = Route {
        licence,
        split_version: 1,
        active: true,
        parent: None,
        split: Some(Split::Vector(shares.map(|(payee, weight)| (payee, Units(weight))).to_vec())),
        accruals: vec![AccrualOf { lane, period, rows: None }],
    };
    let header = Header { state_root: state(&words, None).0, ..Header::default() };
    let draft = Draft {
        chain_id: 1,
        header,
        payee: PAYEE,
        token: TOKEN,
        from: None,
        to: None,
        names: Names::default(),
        routes: vec![route],
        batches: Vec::new(),
    };
    (draft, words)
}

#[test]
fn stm_14_money_fills_generations_from_the_first_and_each_is_floored_by_itself() {
    let (draft, words) = two_generations([100, 101]);
    let statement = make(draft.clone(), &state(&words, None).1).unwrap();
    // ⌊100/3⌋ + ⌊101/3⌋, not ⌊201/3⌋.
    assert_eq!(statement.total.amount, Units(33 + 33));
    assert_eq!((statement.total.taken, statement.total.due), (Units(33), Units(33)));
    assert_eq!(statement.lines.len(), 1);
    verify(&bytes(&statement), draft.header.hash_slow()).unwrap();
}

#[test]
fn stm_20_amounts_have_all_decimals_of_their_token() {
    assert_eq!(decimal(0, 6), "0.000000");
    assert_eq!(decimal(1_234_567, 6), "1.234567");
    assert_eq!(decimal(5, 0), "5");
    assert_eq!(decimal(u128::MAX, 18), "340282366920938463463.374607431768211455");
}

#[test]
fn stm_21_no_name_becomes_a_formula() {
    for (name, cell) in [
        ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("a,b", "\"a,b\""),
        ("a\r\nb", "\"a\r\nb\""),
    ] {
        let (draft, words) = two_generations([10, 20]);
        let mut statement = make(draft, &state(&words, None).1).unwrap();
        let licence = statement.lines[0].licence;
        statement.names.licences.insert(licence, name.into());
        let csv = csv::write(&statement);
        assert!(csv.contains(&format!(",{cell},{cell},")), "{csv}");
    }
}

#[test]
fn amounts_are_digits_and_nothing_else() {
    for text in [
        "\"01\"",
        "\"+1\"",
        "\"-1\"",
        "\"1.0\"",
        "\"\"",
        "\" 1\"",
        "1",
        "\"340282366920938463463374607431768211456\"",
    ] {
        assert!(serde_json::from_str::<Units>(text).is_err(), "{text}");
    }
    assert_eq!(serde_json::from_str::<Units>("\"0\"").unwrap(), Units(0));
}

/// [STM-3]: ids are the hashes of their names.
#[test]
fn a_name_that_is_another_is_refused() {
    let (draft, words) = two_generations([10, 20]);
    let trusted = draft.header.hash_slow();
    let statement = make(draft, &state(&words, None).1).unwrap();
    let mut named = statement.clone();
    named.names.licences.insert(keccak256("L"), "L".into());
    verify(&bytes(&named), trusted).unwrap();
    named.names.licences.insert(keccak256("L"), "M".into());
    assert!(
        matches!(verify(&bytes(&named), trusted), Err(Fault::Evidence { place, .. }) if place == "names.licences")
    );
    let mut named = statement;
    named.names.lanes.insert(Address::repeat_byte(5), "adluxe".into());
    assert!(
        matches!(verify(&bytes(&named), trusted), Err(Fault::Evidence { place, .. }) if place == "names.lanes")
    );
}
