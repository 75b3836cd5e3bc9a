//! Rows of batches under an accrual: each under a root that the chain keeps, each settled, together the whole revenue.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use chlom_lane::{Row, merkle};
use chlom_royalty::Accrual;

use crate::{
    document::{Batch, Evidence, RowOf},
    fault::Fault,
    flow::place,
    slots::State,
};

/// Checks every row that is shown; gives how many accruals show theirs. Upholds [STM-16].
pub(crate) fn check(
    evidence: &Evidence,
    token: Address,
    accruals: &[Vec<Accrual>],
    state: &State<'_>,
) -> Result<usize, Fault> {
    for (index, batch) in evidence.batches.iter().enumerate() {
        if state.claim(batch.root)? != batch.claim_hash() {
            let why = format!("it is not what the chain keeps of batch {}", batch.root);
            return Err(Fault::evidence(format!("evidence.batches[{index}]"), why));
        }
    }
    let mut shown = 0usize;
    for (index, (route, accruals)) in evidence.routes.iter().zip(accruals).enumerate() {
        for (at, (listed, accrual)) in route.accruals.iter().zip(accruals).enumerate() {
            let Some(rows) = &listed.rows else { continue };
            let place = format!("{}.accruals[{at}].rows", place(index));
            let (mut revenue, mut seen) = (0u128, BTreeSet::new());
            for (number, row) in rows.iter().enumerate() {
                let fault = |why: &str| Fault::evidence(format!("{place}[{number}]"), why);
                let batch = evidence.batches.get(row.batch).ok_or_else(|| fault("there is no such batch"))?;
                if (batch.lane, batch.period, batch.token) != (listed.lane, listed.period, token) {
                    return Err(fault("its batch is of another lane, period or token"));
                }
                if !seen.insert((batch.root, row.payer)) {
                    return Err(fault("it is listed twice"));
                }
                if !is_in(batch, row, route.licence) {
                    return Err(fault("it is not in its batch"));
                }
                if !state.is_settled(batch.root, row.payer, route.licence)? {
                    return Err(fault("it is not settled"));
                }
                let units = scaled(row.revenue.0, batch.scale)
                    .ok_or_else(|| fault("its revenue has more than 128 bits"))?;
                revenue = revenue.saturating_add(units);
            }
            if revenue != accrual.revenue() {
                let why =
                    format!("its rows have a revenue of {revenue}, the ledger settled {}", accrual.revenue());
                return Err(Fault::evidence(place, why));
            }
            shown = shown.saturating_add(1);
        }
    }
    Ok(shown)
}

/// [PAY-43].
fn scaled(revenue: u128, scale: u8) -> Option<u128> {
    revenue.checked_mul(10u128.checked_pow(scale.into())?)
}

/// The row as its leaf hashes it.
fn is_in(batch: &Batch, row: &RowOf, licence: B256) -> bool {
    let leaf = Row {
        payer: row.payer,
        licence,
        first_record: row.first_record,
        count: row.count,
        revenue: row.revenue.0,
        royalty_bps: row.royalty_bps,
        owed: row.owed.0,
    }
    .leaf();
    let (Ok(index), Ok(rows)) = (usize::try_from(row.index), usize::try_from(batch.rows)) else {
        return false;
    };
    merkle::verify(&batch.licenses_root, leaf, index, rows, &row.path)
}
