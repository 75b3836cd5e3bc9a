//! What a source signs: every field of a receipt.

use alloy_primitives::{Address, B256, keccak256};

use super::{IdParts, Parts};
use crate::LaneId;

/// keccak256("CHLOM_RECEIPT_V1" ‖ lane ‖ payer ‖ licence ‖ source ‖ id ‖ time ‖ shape ‖ label ‖ amounts), texts behind their length in
/// one byte, the time in 8 bytes, the shape as if unsigned, each amount that it has in 16 bytes. The lane's id stands for the
/// currency: a lane has one for ever. Upholds [LAN-8].
pub fn digest(
    lane: &LaneId,
    payer: &Address,
    licence: &B256,
    source: &str,
    id: &IdParts<'_>,
    time: u64,
    parts: &Parts<'_>,
) -> B256 {
    let mut out = Vec::with_capacity(320);
    out.extend_from_slice(b"CHLOM_RECEIPT_V1");
    out.extend_from_slice(lane.as_slice());
    out.extend_from_slice(payer.as_slice());
    out.extend_from_slice(licence.as_slice());
    push_text(&mut out, source.as_bytes());
    let mut text = Vec::with_capacity(super::MOST_ID_BYTES);
    id.write(&mut text);
    push_text(&mut out, &text);
    out.extend_from_slice(&time.to_be_bytes());
    let shape = parts.shape.with_signature(false);
    out.push(shape.byte());
    push_text(&mut out, parts.label.as_bytes());
    for amount in parts.amounts.iter().take(shape.amounts()) {
        out.extend_from_slice(&amount.to_be_bytes());
    }
    keccak256(out)
}

/// Texts have at most 64 bytes.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text);
}

impl super::Receipt {
    /// What its source signs.
    pub fn digest(&self, lane: &LaneId) -> B256 {
        let (id, parts) = (self.id.parts(), self.body.parts());
        digest(lane, &self.payer, &self.licence, self.source.as_str(), &id, self.time, &parts)
    }
}
