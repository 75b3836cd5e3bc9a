//! T1, T2, T10, T11, T12, I1 and I7 of REF §8, over random forests and orders of payment, against the naive model.

use alloy_primitives::U512;
use chlom_royalty::{Account, Edge, Ledger, Registry, Share, SplitVector};

use crate::{
    model::{divide, id},
    replay::seeds,
    scenario::{CAP, FEE_BPS, Payment, Scenario, TOKEN, WEEK},
    seed::Seed,
};

const FEW: u64 = 2_000;
const MANY: u64 = 1_000_000;

fn accounts(scenario: &Scenario, ledger: &Ledger) -> Vec<Account> {
    (0..scenario.nodes.len()).map(|i| ledger.account_of(TOKEN, &scenario.key(ledger, i))).collect()
}

fn bases(ledger: &Ledger, scenario: &Scenario) -> (u128, u128) {
    let accruals = scenario.revenue().into_keys().map(|(licence, lane)| {
        let lane = chlom_royalty::ledger::Lane::repeat_byte(lane);
        *ledger.accrual_of(TOKEN, id(licence), lane, WEEK).unwrap()
    });
    accruals.fold((0, 0), |(base, fee), a| (base + a.base(), fee + a.fee()))
}

/// T1: what is kept is what payees get and the residual, and each gets its exact share less a fraction of a unit.
fn value_is_conserved_by_every_split(seed: &mut Seed) {
    let scenario = Scenario::new(seed);
    let (mut ledger, _) = scenario.play(&scenario.payments, seed);
    for (i, node) in scenario.nodes.iter().enumerate() {
        let kept = ledger.account_of(TOKEN, &scenario.key(&ledger, i)).kept();
        let mut paid = 0;
        for (weight, amount) in node.weights.iter().zip(scenario.pay_out(&mut ledger, i)) {
            let (share, unit) = (U512::from(*weight) * U512::from(kept), U512::from(node.denom));
            let whole = U512::from(amount) * unit;
            assert!(whole <= share && share < whole + unit, "a floor of the exact share");
            paid += amount;
        }
        assert!(paid <= kept && kept - paid < node.weights.len() as u128);
    }
    let books = ledger.books(TOKEN);
    assert_eq!(books.total(), ledger.accounted(TOKEN));
}

/// T2: everything due is a fee or is kept by somebody on the way up, and one payment's share of each licence above is the
/// product of the rates between them, less at most a unit an edge.
fn overrides_pass_up_the_product_of_rates_and_total_what_was_due(seed: &mut Seed) {
    let scenario = Scenario::new(seed);
    let (ledger, _) = scenario.play(&scenario.payments, seed);
    let (base, fee) = bases(&ledger, &scenario);
    let kept: u128 = accounts(&scenario, &ledger).iter().map(Account::kept).sum();
    assert_eq!(kept + fee, base);
    assert_eq!(fee, ledger.fees_owed(TOKEN));

    let Some(payment) = scenario.payments.first() else { return };
    let (_, settled) = scenario.play(&[*payment], seed);
    let due = settled[0].due.inflow();
    let (mut numer, mut denom) = (U512::ONE, U512::ONE);
    for (edges, station) in settled[0].stations.iter().enumerate() {
        let exact = U512::from(due) * numer;
        let given = U512::from(station.inflow) * denom;
        assert!(given <= exact && exact - given <= U512::from(edges) * denom, "{edges} edges");
        assert_eq!(station.inflow, station.kept + station.passed_up);
        let index = (0..scenario.nodes.len()).find(|i| id(*i) == station.key.licence).unwrap();
        let (n, d) = scenario.nodes[index].rate;
        (numer, denom) = (numer * U512::from(n), denom * U512::from(d));
    }
    assert_eq!(settled[0].stations.iter().map(|s| s.kept).sum::<u128>(), due);
}

/// T10: neither order nor partition of the payments changes any total; and the totals are the model's.
fn totals_do_not_depend_on_batching_or_order(seed: &mut Seed) {
    let scenario = Scenario::new(seed);
    let mut split: Vec<Payment> = Vec::new();
    for payment in &scenario.payments {
        let part = seed.wide(127).min(payment.revenue);
        split.push(Payment { revenue: part, ..*payment });
        split.push(Payment { revenue: payment.revenue - part, ..*payment });
    }
    seed.shuffle(&mut split);
    let (mut one, _) = scenario.play(&scenario.payments, seed);
    let (mut other, _) = scenario.play(&split, seed);
    let expected = divide(&scenario.nodes, &scenario.revenue(), (FEE_BPS, CAP));
    let due = expected.iter().fold((0, 0), |(base, fee), t| (base + t.base, fee + t.fee));
    assert_eq!((bases(&one, &scenario), bases(&other, &scenario)), (due, due));
    for (i, expected) in expected.into_iter().enumerate() {
        for ledger in [&mut one, &mut other] {
            if !scenario.nodes[i].active {
                assert_eq!(expected.inflow, 0);
                continue;
            }
            let account = ledger.account_of(TOKEN, &scenario.key(ledger, i));
            assert_eq!((account.inflow(), account.kept()), (expected.inflow, expected.kept));
            assert_eq!(scenario.pay_out(ledger, i), expected.payees);
        }
    }
}

/// T11: a revoked subtree gets nothing of later periods, and everything due still reaches somebody.
fn nothing_flows_to_a_revoked_subtree(seed: &mut Seed) {
    let mut scenario = Scenario::new(seed);
    let marked = seed.below(scenario.nodes.len());
    scenario.forest.revoke_subtree(id(marked), 1).unwrap();
    for i in 0..scenario.nodes.len() {
        scenario.nodes[i].active &= !marks(&scenario, i, marked);
    }
    let live = scenario.payments.iter().filter(|p| scenario.nodes[p.licence].active).copied();
    scenario.payments = live.collect();
    let (ledger, settled) = scenario.play(&scenario.payments, seed);
    for station in settled.iter().flat_map(|s| &s.stations) {
        let index = (0..scenario.nodes.len()).find(|i| id(*i) == station.key.licence).unwrap();
        assert!(!marks(&scenario, index, marked), "licence {index} is below {marked}");
    }
    let (base, fee) = bases(&ledger, &scenario);
    let reached: u128 = settled.iter().flat_map(|s| &s.stations).map(|s| s.kept).sum();
    assert_eq!(reached + fee, base);
}

/// Whether `marked` is the licence or above it.
fn marks(scenario: &Scenario, licence: usize, marked: usize) -> bool {
    let mut next = Some(licence);
    while let Some(i) = next {
        if i == marked {
            return true;
        }
        next = scenario.nodes[i].parent;
    }
    false
}

/// T12: flooring leaves at most one unit less than there are payees, and nothing to a single one.
fn residual_is_at_most_m_minus_1(seed: &mut Seed) {
    let count = 1 + seed.below(64);
    let weights: Vec<_> = (0..count).map(|_| 1 + seed.wide(80)).collect();
    let shares = (1..)
        .zip(&weights)
        .map(|(i, w)| Share { payee: alloy_primitives::Address::with_last_byte(i), weight: *w });
    let split = SplitVector::new(shares.collect(), weights.iter().sum()).unwrap();
    for _ in 0..4 {
        let kept = seed.wide(112);
        let residual = split.residual(kept);
        assert!(residual < count as u128, "{residual} of {count} payees");
        assert_eq!(split.entitlements(kept).sum::<u128>() + residual, kept);
    }
}

/// I1: the weights of every split that is accepted sum to its denominator, and one that is off by anything is refused.
fn weights_sum_to_the_denominator(seed: &mut Seed) {
    let scenario = Scenario::new(seed);
    for i in 0..scenario.nodes.len() {
        let Some(chlom_royalty::Split::Vector(split)) = scenario.forest.split_of(id(i), 1) else { panic!() };
        assert_eq!(split.shares().iter().map(|s| s.weight).sum::<u128>(), split.denom());
        let denom = split.denom() ^ (1 << seed.below(95));
        assert!(SplitVector::new(split.shares().to_vec(), denom).is_err());
    }
}

/// I7: every way up ends at a root within 16 edges, names nobody twice, and never changes.
fn the_forest_has_no_cycle_and_its_edges_stay(seed: &mut Seed) {
    let mut scenario = Scenario::new(seed);
    let ways = |scenario: &Scenario| -> Vec<Vec<_>> {
        let way = |i| scenario.forest.route_at(id(i), 10).unwrap().iter().map(|n| n.step.licence).collect();
        (0..scenario.nodes.len()).map(way).collect()
    };
    let before = ways(&scenario);
    for (i, way) in before.iter().enumerate() {
        assert!(way.len() <= 17);
        assert_eq!(way.iter().collect::<std::collections::BTreeSet<_>>().len(), way.len());
        assert_eq!(way.get(1).copied(), scenario.nodes[i].parent.map(id));
    }
    let [a, b] = [0; 2].map(|_| seed.below(scenario.nodes.len()));
    let terms = chlom_royalty::forest::Terms {
        state: chlom_royalty::forest::State::Active,
        end: u64::MAX,
        royalty_bps: 1,
        split: scenario.forest.split_of(id(a), 1).unwrap().hash(),
    };
    let edge = Edge::new(id(b), 1, 2).unwrap();
    assert!(scenario.forest.mint(id(a), Some(edge), 5, terms).is_err(), "an edge is fixed for ever");
    scenario.forest.modify(id(a), (5, 5), terms).unwrap();
    assert_eq!(ways(&scenario), before);
}

#[test]
fn theorem_1_value_is_conserved_by_every_split() {
    seeds(1_000_000_000, FEW, value_is_conserved_by_every_split);
}

#[test]
fn theorem_2_overrides_pass_up_the_product_of_rates_and_total_what_was_due() {
    seeds(2_000_000_000, FEW, overrides_pass_up_the_product_of_rates_and_total_what_was_due);
}

#[test]
fn theorem_10_totals_do_not_depend_on_batching_or_order() {
    seeds(3_000_000_000, FEW, totals_do_not_depend_on_batching_or_order);
}

#[test]
fn theorem_11_nothing_flows_to_a_revoked_subtree() {
    seeds(4_000_000_000, FEW, nothing_flows_to_a_revoked_subtree);
}

#[test]
fn theorem_12_residual_is_at_most_m_minus_1() {
    seeds(5_000_000_000, FEW, residual_is_at_most_m_minus_1);
}

#[test]
fn invariant_1_weights_sum_to_the_denominator() {
    seeds(6_000_000_000, FEW, weights_sum_to_the_denominator);
}

#[test]
fn invariant_7_the_forest_has_no_cycle_and_its_edges_stay() {
    seeds(7_000_000_000, FEW, the_forest_has_no_cycle_and_its_edges_stay);
}

#[test]
fn theorems_hold_over_a_million_random_forests_and_payment_orders_slow() {
    seeds(0, MANY, |seed| {
        value_is_conserved_by_every_split(seed);
        overrides_pass_up_the_product_of_rates_and_total_what_was_due(seed);
        totals_do_not_depend_on_batching_or_order(seed);
        nothing_flows_to_a_revoked_subtree(seed);
        residual_is_at_most_m_minus_1(seed);
        weights_sum_to_the_denominator(seed);
        the_forest_has_no_cycle_and_its_edges_stay(seed);
    });
}
