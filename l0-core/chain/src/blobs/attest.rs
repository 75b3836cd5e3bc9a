//! Validators' statements of what they hold and have verified. The host brings those that the block's entry 0 proves, at the
//! block's begin; nobody else can.

use alloy_primitives::B256;
use chlom_module::Store;

use super::state_key::{BLOBS, Tally};

/// Most blobs that one statement names: a vote extension has 4 KB (ARCHITECTURE §4).
pub const MOST_BLOBS: usize = 96;

/// What one validator says, with its power in the set that signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its Ed25519 key.
    pub consensus_key: B256,
    /// Its power in that set.
    pub power: u64,
    /// Blobs whose part it holds and has verified.
    pub blobs: Vec<B256>,
}

/// Counts statements; `total` is the power of the set that signed. A blob becomes available in the block that brings its
/// sum above ⅔. Blobs that are unknown, past their time or attested already are passed over: statements are repeated until
/// state shows them, so a late one is no fault. Upholds [DAM-6] and [DAM-7].
///
/// # Errors
/// Those of the storage.
pub fn attest<S: Store + ?Sized>(
    storage: &mut S,
    height: u64,
    time: u64,
    total: u64,
    statements: &[Statement],
) -> Result<(), S::Error> {
    for statement in statements {
        for id in statement.blobs.iter().take(MOST_BLOBS) {
            count(storage, height, time, total, statement, id)?;
        }
    }
    Ok(())
}

fn count<S: Store + ?Sized>(
    storage: &mut S,
    height: u64,
    time: u64,
    total: u64,
    statement: &Statement,
    id: &B256,
) -> Result<(), S::Error> {
    let slots = BLOBS.entry(id);
    let mut times = slots.times.get(storage)?;
    if times.pending_expiry <= time {
        return Ok(()); // Unknown, attested already, or too late.
    }
    let tally = slots.tally.get(storage)?;
    let said = slots.attested.entry(&tally.round).entry(&statement.consensus_key);
    if said.get(storage)? {
        return Ok(());
    }
    said.set(storage, &true)?;
    let power = tally.power.saturating_add(statement.power);
    slots.tally.set(storage, &Tally { power, ..tally })?;
    if u128::from(power).saturating_mul(3) > u128::from(total).saturating_mul(2) {
        times.expires_at = times.expires_at.max(times.pending_expiry);
        times.pending_expiry = 0;
        times.available_at = height;
        slots.times.set(storage, &times)?;
    }
    Ok(())
}
