//! A model of the life of payout proofs (spec/payouts.md), searched whole: submission, commitments, challenges, the award, finality,
//! with races for a place in a block, a watcher that crashes, and outages in which time passes and no block comes.
//!
//! Amounts are in tenths of what a batch stakes, times and heights in small steps; the rules are the contracts'. Every state that
//! any order of acts can reach is looked at once.

mod rules;
mod search;

use rules::{Actor, Rules, Scenario, Status};
use search::explore;

/// Windows as the chain has them: seconds and heights, whichever takes longer. A commitment's heights are more than the
/// outages of any search: a watcher's reveal gets into one of them.
const RULES: Rules = Rules { window: 5, window_blocks: 5, life: 2, life_blocks: 4 };

/// A right batch is never void, and nobody loses by it, whatever anybody does.
#[test]
fn pay_31_a_right_batch_stands_in_every_order_of_acts() {
    let scenario = Scenario { batches: 2, wrong: [false, false], crashes: 1, outages: 2, honest: true };
    let seen = explore(RULES, scenario, |state| {
        assert!(state.batches.iter().all(|batch| batch.status != Status::Void));
        assert_eq!(state.wealth(Actor::Submitter), Rules::START);
    });
    assert!(seen > 100, "{seen}");
}

/// With a watcher that is up no wrong batch becomes final, in no race and over no outage; whoever made it loses six tenths at
/// least, and whoever copies the proof gains nothing. Upholds [PAY-31], [PAY-32] and [PAY-40].
#[test]
fn pay_40_no_wrong_batch_is_final_while_a_watcher_is_up() {
    let scenario = Scenario { batches: 2, wrong: [true, false], crashes: 0, outages: 2, honest: true };
    let (mut voided, mut paid) = (0, 0);
    let seen = explore(RULES, scenario, |state| {
        let batch = &state.batches[0];
        assert!(!matches!(batch.status, Status::Final), "{state:?}");
        assert_eq!(state.wealth(Actor::Copier), 0, "{state:?}");
        if batch.status == Status::Void {
            voided += 1;
            assert!(state.wealth(Actor::Submitter) <= Rules::START - 6);
        }
        if batch.paid {
            paid += 1;
            assert!(state.wealth(Actor::Watcher) + state.wealth(Actor::Submitter) <= Rules::START - 6);
        }
    });
    assert!(seen > 1_000 && voided > 0 && paid > 0, "{seen} {voided} {paid}");
}

/// A watcher that crashes for less than a window, and comes back without its memory, still stops it. (If it had
/// shown its proof before, a copier may have the reward: whoever watches keeps its salt on disk.)
#[test]
fn pay_30_a_watcher_that_crashes_and_forgets_still_stops_every_fraud() {
    let scenario = Scenario { batches: 1, wrong: [true, false], crashes: 1, outages: 1, honest: true };
    let seen = explore(RULES, scenario, |state| {
        assert!(state.batches.iter().all(|batch| batch.status != Status::Final), "{state:?}");
        let voided = state.batches.iter().filter(|batch| batch.status == Status::Void).count();
        assert!(usize::from(state.wealth(Actor::Submitter)) <= usize::from(Rules::START) - 6 * voided);
    });
    assert!(seen > 1_000, "{seen}");
}

/// The model can fail: without heights in the window an outage closes it, and the fraud is final.
#[test]
#[should_panic(expected = "a fraud is final")]
fn without_a_minimum_of_heights_an_outage_would_close_a_window() {
    let scenario = Scenario { batches: 2, wrong: [true, false], crashes: 0, outages: 5, honest: true };
    explore(Rules { window_blocks: 0, ..RULES }, scenario, |state| {
        assert!(state.batches[0].status != Status::Final, "a fraud is final");
    });
}

/// The model can fail: with nobody watching a fraud is final.
#[test]
#[should_panic(expected = "a fraud is final")]
fn without_a_watcher_a_fraud_is_final() {
    let scenario = Scenario { batches: 2, wrong: [true, false], crashes: 0, outages: 0, honest: false };
    explore(RULES, scenario, |state| assert!(state.batches[0].status != Status::Final, "a fraud is final"));
}
