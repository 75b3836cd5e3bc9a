//! Completeness: whatever is wrong with a batch is found, proven by three cells at most, and convicted. Soundness: a right batch
//! admits no proof.

mod complete;
mod forged;
mod kinds;
mod naive;
mod sound;

use super::*;
use crate::testing::{self, Batch, MemoryState, Seed};

/// A right batch of several record, table and node pages.
fn large(seed: u64) -> Batch {
    let mut receipts = testing::receipts(seed, 700);
    receipts.extend((0..130).map(|i| testing::receipt(i % 3, 10 + i, &format!("L-{i}"), 100 + i as u128)));
    let batch = testing::batch(3, receipts, &MemoryState::open());
    assert!(batch.header.record_pages > 3 && batch.header.table_pages > 2 && batch.header.node_pages() > 3);
    batch
}

/// Finds the fraud, has it convicted, and returns it.
fn convicted(batch: &Batch, state: &MemoryState) -> Fraud {
    let fraud = batch.check(state).expect("there is a fraud");
    let verdict = batch.convict(&fraud).unwrap_or_else(|e| panic!("{fraud:?} is not convicted: {e}"));
    assert_eq!(verdict.kind, fraud.kind());
    assert!(confirmed(batch, state, &verdict), "state does not confirm {verdict:?}");
    fraud
}

/// Whether contract state confirms a verdict.
fn confirmed(batch: &Batch, state: &MemoryState, verdict: &Verdict) -> bool {
    use crate::state::LaneState;
    let header = &batch.header;
    match &verdict.check {
        Check::None => true,
        Check::Licence { licence, time } => !state.allows(licence, *time, header.as_of).unwrap(),
        Check::Terms { licence, time, royalty_bps } => {
            let bps = state.royalty_bps(licence, *time, header.as_of).unwrap();
            assert_eq!(*time, header.period.start());
            bps.is_some_and(|bps| bps != *royalty_bps)
        }
        Check::Source { source, payer, key } => {
            let known = state.source_key(&header.lane, payer, source, header.as_of).unwrap();
            let by_key = known.as_ref().is_some_and(|known| alloy_primitives::keccak256(known) == *key);
            let consents = state.admits(header, payer, source, known.is_some()).unwrap();
            by_key || (*key == alloy_primitives::keccak256([]) && !consents)
        }
        Check::Earlier { batch } => {
            state.earlier.values().any(|shown| alloy_primitives::keccak256(&shown.header) == *batch)
        }
    }
}

#[test]
fn lan_64_a_right_batch_has_no_fraud() {
    let state = MemoryState::open();
    assert_eq!(large(1).check(&state), None);
    for seed in 0..60 {
        let count = 1 + Seed(seed).below(400);
        assert_eq!(testing::batch(1, testing::receipts(seed, count), &state).check(&state), None, "{seed}");
    }
}
