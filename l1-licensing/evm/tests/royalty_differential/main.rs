//! `chlom-royalty` against the contracts: random scenarios through the system contracts of genesis in the EVM and through
//! the ledger in memory. After every step the answer, every event, the revert's bytes and the state are the same.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bindings;
mod drive;
mod licences;
mod machine;
mod money;
mod refusal;
#[path = "../../../../crates/royalty/tests/royalty/seed.rs"]
mod seed;
mod twin;

use std::collections::BTreeMap;

use twin::Twin;

/// How often each action was done and refused, and each refusal seen.
type Counts = BTreeMap<String, (u64, u64)>;

/// Plays scenarios.
fn play(seeds: std::ops::Range<u64>, steps: usize) -> Counts {
    let mut counts = Counts::new();
    for seed in seeds {
        println!("seed {seed}, {steps} steps");
        let mut twin = Twin::new(seed);
        for step in 0..steps {
            twin.step = step;
            twin.act();
        }
        for (action, (done, refused)) in twin.counts {
            let sum = counts.entry(action).or_default();
            *sum = (sum.0 + done, sum.1 + refused);
        }
    }
    counts
}

/// Every action must have been done and every refusal here seen, or nothing was compared.
fn assert_all_seen(counts: &Counts) {
    println!("{counts:#?}");
    for (action, (done, _)) in counts.iter().filter(|(action, _)| !action.contains(':')) {
        assert!(*done > 0, "{action} was never done");
    }
    for action in ["pause", "settleBatch", "withdrawBatch", "withdrawTo"] {
        assert!(counts.contains_key(action), "{action} was never tried");
    }
    for refusal in [
        "closeRoute: RouteInForce",
        "closeRoute: RouteUnsettled",
        "closeRoute: RouteUnknown",
        "settle: AlreadySettled",
        "settle: LicenceInactive",
        "settle: PeriodNotBegun",
        "settle: ReservationShort",
        "settleBatch: AlreadySettled",
        "withdraw: NothingDue",
        "withdraw: SplitIndex",
        "withdraw: SplitKind",
        "withdrawLeaf: Leaf",
        "withdrawReleased: HoldInForce",
        "withdrawTo: NotPayee",
    ] {
        assert!(counts.contains_key(refusal), "{refusal} was never seen");
    }
}

#[test]
fn the_contracts_and_the_ledger_in_memory_agree_on_every_step() {
    assert_all_seen(&play(0..6, 300));
}

#[test]
fn the_contracts_and_the_ledger_in_memory_agree_on_many_steps_slow() {
    assert_all_seen(&play(1_000..1_200, 600));
}
