//! Publishing a header.

use alloy_primitives::{B256, Bytes, FixedBytes, U256};
use chlom_crypto::kzg::{BlobHeader, RowCommitments};
use chlom_module::{ModuleContext, ModuleError};

use super::{
    blob_id, fault, fee,
    interface::IDataAvailability::{self, HeaderFault},
    state_key::{BLOBS, Facts, MARKET, Market, PRICE, TERMS, Tally, Terms, Times},
    verify,
};

/// A header that agrees with its rows' commitments.
pub struct Checked {
    header: BlobHeader,
    header_bytes: Bytes,
    commitments: Bytes,
}

/// Everything that needs no state but the bound on rows: shape, root and fold. Charges before it works. Upholds [DAM-2].
///
/// # Errors
/// Reverts with `HeaderInvalid(…)` or `TooManyRows(…)`; [`ModuleError::OutOfGas`].
pub fn check(
    ctx: &mut dyn ModuleContext,
    header_bytes: Bytes,
    commitments: Bytes,
) -> Result<Checked, ModuleError> {
    let header = BlobHeader::decode(&header_bytes).map_err(|error| fault::of_decoding(&error))?;
    let (rows, most) = (header.rows.data(), TERMS.get(ctx)?.max_rows);
    if U256::from(rows) > U256::from(most) {
        let (rows, most) = (U256::from(rows), U256::from(most));
        return Err(ModuleError::revert(&IDataAvailability::TooManyRows { rows, most }));
    }
    let bytes =
        split_commitments(&commitments, rows).ok_or_else(|| fault::header(HeaderFault::CommitmentsLength))?;
    ctx.charge(verify::publish_gas(rows))?;
    let read = RowCommitments::new(bytes).map_err(fault::of_commitments)?;
    read.check_header(&header).map_err(|mismatch| fault::of_mismatch(&mismatch))?;
    Ok(Checked { header, header_bytes, commitments })
}

/// Takes the fee, records the blob and starts its attestation. Upholds [DAM-3].
///
/// # Errors
/// Reverts with `FeeTooLow(…)` or `BlobSpaceFull(…)`; those of the context.
pub fn apply(ctx: &mut dyn ModuleContext, checked: Checked) -> Result<B256, ModuleError> {
    let Checked { header, header_bytes, commitments } = checked;
    let terms = TERMS.get(ctx)?;
    let facts = facts(&header);
    let fee = take_rows(ctx, &terms, facts.rows.into())?;
    let id = blob_id(&facts.lane_id, facts.period, &header.merkle_root);
    let expires_at = ctx.block().timestamp.saturating_add(terms.retention_seconds);
    record(ctx, &id, &header, &facts, expires_at)?;
    give_back(ctx, fee)?;
    ctx.emit(&IDataAvailability::BlobPublished {
        id,
        laneId: facts.lane_id,
        period: facts.period,
        header: header_bytes,
        commitments,
        expiresAt: expires_at,
        fee,
    })?;
    Ok(id)
}

fn facts(header: &BlobHeader) -> Facts {
    let rows = u16::try_from(header.rows.data()).expect("a blob has at most 32 rows of data");
    Facts { lane_id: FixedBytes(header.lane_id.into_array()), period: header.period, rows }
}

/// The price of `rows` in this block, and the market with them taken. Upholds [DAM-4].
fn take_rows(ctx: &mut dyn ModuleContext, terms: &Terms, rows: u64) -> Result<U256, ModuleError> {
    let market = fee::at_height(MARKET.get(ctx)?, terms, ctx.block().height);
    let used = market.used.saturating_add(rows);
    if used > terms.max_rows_per_block {
        return Err(ModuleError::revert(&IDataAvailability::BlobSpaceFull {
            used: U256::from(market.used),
            rows: U256::from(rows),
            most: U256::from(terms.max_rows_per_block),
        }));
    }
    let fee = fee::per_row(&PRICE.get(ctx)?, market.excess).saturating_mul(U256::from(rows));
    let sent = ctx.value();
    if sent < fee {
        return Err(ModuleError::revert(&IDataAvailability::FeeTooLow { sent, fee }));
    }
    MARKET.set(ctx, &Market { used, ..market })?;
    Ok(fee)
}

fn record(
    ctx: &mut dyn ModuleContext,
    id: &B256,
    header: &BlobHeader,
    facts: &Facts,
    pending_expiry: u64,
) -> Result<(), ModuleError> {
    let slots = BLOBS.entry(id);
    let times = slots.times.get(ctx)?;
    if times.announced_at == 0 {
        slots.facts.set(ctx, facts)?;
        slots.merkle_root.set(ctx, &header.merkle_root)?;
        let (head, tail) = header.kzg_commitment.split_at(32);
        slots.commitment_head.set(ctx, &B256::from_slice(head))?;
        let mut low = [0; 16];
        low.copy_from_slice(tail);
        slots.commitment_tail.set(ctx, &u128::from_be_bytes(low))?;
    }
    let tally = slots.tally.get(ctx)?;
    slots.tally.set(ctx, &Tally { round: tally.round.saturating_add(1), power: 0 })?;
    let announced_at = ctx.block().height;
    slots.times.set(ctx, &Times { announced_at, pending_expiry, ..times })
}

/// What was sent beyond the fee goes back; the fee stays with the module, for the validators that keep blobs.
fn give_back(ctx: &mut dyn ModuleContext, fee: U256) -> Result<(), ModuleError> {
    let surplus = ctx.value().saturating_sub(fee);
    if surplus.is_zero() {
        return Ok(());
    }
    let caller = ctx.caller();
    ctx.transfer(caller, surplus)
}

/// The rows' commitments out of one string of bytes; `None` when there are not 48 bytes for each row.
pub(super) fn split_commitments(bytes: &[u8], rows: usize) -> Option<Vec<[u8; 48]>> {
    let (chunks, rest) = bytes.as_chunks::<48>();
    (rest.is_empty() && chunks.len() == rows).then(|| chunks.to_vec())
}
