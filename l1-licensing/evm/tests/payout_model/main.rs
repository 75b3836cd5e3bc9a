//! A model of the life of payout proofs (spec/payouts.md), searched whole by stateright: submission, commitments, challenges, the
//! award, finality, with races for a place in a block, a watcher that crashes, and outages in which time passes and no block
//! comes.
//!
//! Amounts are in tenths of what a batch stakes, times and heights in small steps; the rules are the contracts'. Every state that
//! any order of acts can reach is looked at once.

mod rules;
mod search;

use stateright::Checker;

use rules::{Rules, Scenario};
use search::{CONSERVED, COPY_EARNS_NOTHING, FRAUD_COSTS, NO_FRAUD_IS_FINAL, RIGHT_STANDS, explore};

/// Windows as the chain has them: seconds and heights, whichever takes longer. A commitment's heights are more than the
/// outages of any search: a watcher's reveal gets into one of them.
const RULES: Rules = Rules { window: 5, window_blocks: 5, life: 2, life_blocks: 4 };

/// A right batch is never void, and nobody loses by it, whatever anybody does. Upholds [PAY-31].
#[test]
fn pay_31_a_right_batch_stands_in_every_order_of_acts() {
    let scenario = Scenario { batches: 2, wrong: [false, false], crashes: 1, outages: 2, honest: true };
    let seen = explore(RULES, scenario);
    seen.assert_properties();
    assert!(seen.unique_state_count() > 100);
}

/// With a watcher that is up no wrong batch becomes final, in no race and over no outage; whoever made it loses six tenths at
/// least, and whoever copies the proof gains nothing. Upholds [PAY-31], [PAY-32] and [PAY-40].
#[test]
fn pay_40_no_wrong_batch_is_final_while_a_watcher_is_up() {
    let scenario = Scenario { batches: 2, wrong: [true, false], crashes: 0, outages: 2, honest: true };
    let seen = explore(RULES, scenario);
    seen.assert_properties();
    assert!(seen.unique_state_count() > 1_000);
}

/// A watcher that crashes for less than a window, and comes back without its memory, still stops it. (If it had
/// shown its proof before, a copier may have the reward: whoever watches keeps its salt on disk.)
#[test]
fn pay_30_a_watcher_that_crashes_and_forgets_still_stops_every_fraud() {
    let scenario = Scenario { batches: 1, wrong: [true, false], crashes: 1, outages: 1, honest: true };
    let seen = explore(RULES, scenario);
    // No batch is right here, so none becomes final; all else holds.
    for property in [CONSERVED, RIGHT_STANDS, NO_FRAUD_IS_FINAL, FRAUD_COSTS] {
        seen.assert_no_discovery(property);
    }
    assert!(seen.unique_state_count() > 1_000);
}

/// Everything at once: two frauds in a row, a crash, outages.
#[test]
fn pay_40_two_frauds_crashes_and_outages_at_once_slow() {
    for (crashes, outages) in [(0, 4), (1, 3), (2, 2)] {
        let scenario = Scenario { batches: 2, wrong: [true, true], crashes, outages, honest: true };
        let seen = explore(RULES, scenario);
        for property in [CONSERVED, RIGHT_STANDS, NO_FRAUD_IS_FINAL, FRAUD_COSTS] {
            seen.assert_no_discovery(property);
        }
        if crashes == 0 {
            seen.assert_no_discovery(COPY_EARNS_NOTHING);
        }
        assert!(seen.unique_state_count() > 10_000);
    }
}

/// The model can fail: without heights in the window an outage closes it, and the fraud is final.
#[test]
fn without_a_minimum_of_heights_an_outage_would_close_a_window() {
    let scenario = Scenario { batches: 2, wrong: [true, false], crashes: 0, outages: 5, honest: true };
    let seen = explore(Rules { window_blocks: 0, ..RULES }, scenario);
    println!("{:?}", seen.assert_any_discovery(NO_FRAUD_IS_FINAL).into_actions());
}

/// The model can fail: with nobody watching a fraud is final.
#[test]
fn without_a_watcher_a_fraud_is_final() {
    let scenario = Scenario { batches: 2, wrong: [true, false], crashes: 0, outages: 0, honest: false };
    println!("{:?}", explore(RULES, scenario).assert_any_discovery(NO_FRAUD_IS_FINAL).into_actions());
}
