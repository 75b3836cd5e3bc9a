//! `spec/vectors/royalty/*.json`: what this crate gives for fixed inputs, which Solidity's tests read too
//! (`contracts/test/unit/licensing/RoyaltyVectors.t.sol`). `UPDATE_SNAPSHOTS=1 cargo test -p chlom-royalty vectors` writes them
//! anew, for a change that is meant.
//!
//! Numbers are decimal strings, except those that fit 32 bits.

use alloy_primitives::{Address, keccak256};
use chlom_royalty::{
    Account, Accrual, Fee, Period, Share, SplitTree, SplitVector,
    amount::MAX_U96,
    base::most_due,
    receipt::Receipt,
    route::{Step, chain},
    split::entitlement,
};
use serde_json::{Value, json};

use crate::seed::Seed;

fn text(number: u128) -> Value {
    number.to_string().into()
}

fn texts(numbers: impl IntoIterator<Item = u128>) -> Value {
    numbers.into_iter().map(text).collect()
}

#[allow(clippy::disallowed_methods, reason = "a test that writes its vectors when asked to")]
fn assert_vectors(file: &str, want: &str, cases: Vec<Value>) {
    let got = serde_json::to_string_pretty(&json!({ "count": cases.len(), "cases": cases })).unwrap() + "\n";
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let path = format!("{}/../../spec/vectors/royalty/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, got).unwrap();
    } else {
        assert_eq!(
            got, want,
            "{file}; if that is meant: UPDATE_SNAPSHOTS=1 cargo test -p chlom-royalty vectors"
        );
    }
}

macro_rules! assert_vectors {
    ($file:literal, $cases:expr) => {
        assert_vectors($file, include_str!(concat!("../../../../spec/vectors/royalty/", $file)), $cases)
    };
}

/// A payee that follows from its number.
fn payee(number: usize) -> Address {
    Address::from_word(keccak256(format!("payee {number}")))
}

fn split(seed: &mut Seed, count: usize, bits: u32) -> SplitVector {
    let shares: Vec<_> = (0..count).map(|i| Share { payee: payee(i), weight: 1 + seed.wide(bits) }).collect();
    let denom = shares.iter().map(|share| share.weight).sum();
    SplitVector::canonical(shares, denom).unwrap()
}

/// From one payee with all of the widest denominator to a full vector.
fn splits() -> Vec<SplitVector> {
    let mut seed = Seed::new(1);
    let whole = SplitVector::new(vec![Share { payee: payee(0), weight: MAX_U96 }], MAX_U96).unwrap();
    let mut splits: Vec<_> =
        [2, 3, 5, 7, 8, 33].into_iter().map(|count| split(&mut seed, count, 64)).collect();
    splits.insert(0, whole);
    splits.push(split(&mut seed, 512, 80));
    splits
}

fn columns(split: &SplitVector) -> (Value, Value) {
    let payees = split.shares().iter().map(|share| json!(share.payee)).collect();
    (payees, texts(split.shares().iter().map(|share| share.weight)))
}

#[test]
fn vectors_of_splits_are_up_to_date() {
    let case = |split: &SplitVector| {
        let (payees, weights) = columns(split);
        json!({ "payees": payees, "weights": weights, "denom": text(split.denom()), "hash": split.hash() })
    };
    assert_vectors!("splits.json", splits().iter().map(case).collect());
}

#[test]
fn vectors_of_receipts_are_up_to_date() {
    let mut seed = Seed::new(2);
    let mut case = |split: &SplitVector| {
        let (payees, weights) = columns(split);
        let kept = seed.wide(112);
        let (receipt, index) = (Receipt::new(split, kept), seed.below(split.shares().len()));
        json!({
            "payees": payees, "weights": weights, "denom": text(split.denom()),
            "kept": text(kept), "residual": text(receipt.residual), "root": receipt.root(),
            "amounts": texts(receipt.allocations.iter().map(|a| a.amount)),
            "index": index, "path": receipt.path(index).unwrap(),
        })
    };
    assert_vectors!("receipts.json", splits().iter().map(&mut case).collect());
}

#[test]
fn vectors_of_sum_trees_are_up_to_date() {
    let mut seed = Seed::new(3);
    let mut case = |count: usize| {
        let shares: Vec<_> = (0..count).map(|i| (payee(i % 50_000), 1 + seed.wide(70))).collect();
        let tree = SplitTree::new(shares).unwrap();
        let index = seed.below(count);
        let (leaf, proof) = (tree.leaves()[index], tree.prove(index).unwrap());
        json!({
            "root": tree.root(), "denom": text(tree.denom()), "leaves": count, "splitHash": tree.split_hash(),
            "payee": leaf.payee, "start": text(leaf.start), "weight": text(leaf.weight),
            "path": proof.path.to::<u32>(), "siblings": proof.siblings, "sums": texts(proof.sums),
        })
    };
    let sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 511, 1_000, 100_000];
    assert_vectors!("trees.json", sizes.into_iter().map(&mut case).collect());
}

#[test]
fn vectors_of_routes_are_up_to_date() {
    let mut seed = Seed::new(4);
    let mut case = |count: usize| {
        let step = |i: usize| Step {
            licence: keccak256(format!("licence {i}")),
            split_version: if i == 0 { u32::MAX } else { u32::try_from(seed.below(5)).unwrap() },
            active: !seed.one_in(3),
            rate: (1, 2),
        };
        let nodes = chain(&(0..count).map(step).collect::<Vec<_>>());
        let all =
            |value: &dyn Fn(&chlom_royalty::RouteNode) -> Value| nodes.iter().map(value).collect::<Value>();
        json!({
            "licences": all(&|n| json!(n.step.licence)), "splitVersions": all(&|n| json!(n.step.split_version)),
            "active": all(&|n| json!(n.step.active)), "routes": all(&|n| json!(n.route)),
            "parentRoutes": all(&|n| json!(n.parent_route)),
        })
    };
    assert_vectors!("routes.json", [1, 2, 3, 9, 17].into_iter().map(&mut case).collect());
}

#[test]
fn vectors_of_periods_are_up_to_date() {
    let codes = [
        19_700_101,
        19_700_105,
        19_991_205,
        20_000_205,
        20_240_205,
        20_250_204,
        20_250_205,
        20_250_901,
        20_250_905,
        20_250_906,
        20_250_900,
        20_251_301,
        20_250_001,
        21_000_204,
        21_000_205,
        99_991_205,
        100_000_101,
        19_691_205,
        0,
        u32::MAX,
    ];
    let case = |code| match Period::new(code) {
        Ok(period) => json!({ "code": code, "valid": true, "start": period.start(), "end": period.end() }),
        Err(_) => json!({ "code": code, "valid": false, "start": 0, "end": 0 }),
    };
    assert_vectors!("periods.json", codes.into_iter().map(case).collect());
}

/// One licence's sequence of rows: base, fee, what passes up and what a payee is owed, each step by itself.
fn sequence(seed: &mut Seed, bits: u32, rows: usize) -> Value {
    let royalty_bps = u16::try_from(seed.below(10_001)).unwrap();
    let fee = Fee::new(seed.below(150) as u128, seed.wide(bits)).unwrap();
    let denom = seed.next().max(1);
    let rate = (seed.next() % denom, denom);
    let (weight, of) = (seed.wide(90), MAX_U96 - seed.wide(90));
    let (mut accrual, mut account) = (Accrual::new(royalty_bps, fee).unwrap(), Account::default());
    let mut columns = vec![Vec::new(); 6];
    for _ in 0..rows {
        let revenue = seed.wide(bits);
        let due = accrual.add(revenue).unwrap();
        let up = account.add(due.inflow(), rate, 20_250_901).unwrap();
        let owed = entitlement(weight, of, account.kept());
        let step = [revenue, due.base, due.fee, up, owed, most_due(revenue, royalty_bps).unwrap()];
        columns.iter_mut().zip(step).for_each(|(column, value)| column.push(value));
    }
    let [revenue, base, fees, up, owed, most] = columns.try_into().unwrap();
    json!({
        "royaltyBps": royalty_bps, "feeBps": fee.bps(), "feeCap": text(fee.cap()),
        "numer": rate.0.to_string(), "denom": rate.1.to_string(), "weight": text(weight), "weightDenom": text(of),
        "revenue": texts(revenue), "base": texts(base), "fee": texts(fees), "passedUp": texts(up),
        "owed": texts(owed), "mostDue": texts(most),
    })
}

#[test]
fn vectors_of_amounts_are_up_to_date() {
    let mut seed = Seed::new(5);
    let cases = [8, 20, 36, 64, 80, 95, 96].map(|bits| sequence(&mut seed, bits, 8));
    assert_vectors!("amounts.json", cases.into());
}
