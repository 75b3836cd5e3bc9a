//! Lanes by name (REF §1, C16).

use alloy_primitives::{Address, B256, keccak256};

/// A lane's id: the first 20 bytes of keccak256 of its name.
pub type LaneId = Address;

/// AdLuxe: impressions, conversions, payouts.
pub const ADLUXE: &str = "adluxe";
/// Media: views, fulfilled integrations, sponsors' splits.
pub const MEDIA_OTT: &str = "media-ott";
/// Retail: orders.
pub const RETAIL_CPG: &str = "retail-cpg";
/// Services: bookings.
pub const THRIVESEAT: &str = "thriveseat";

/// The id of a lane. Upholds [LAN-1].
///
/// # Examples
/// ```
/// use chlom_lane::lane::{ADLUXE, lane_id};
/// assert_eq!(lane_id(ADLUXE).to_string(), "0x7cC99bfB447FE40d71eD4eBB22C852583eef797c");
/// ```
pub fn lane_id(name: &str) -> LaneId {
    let hash = keccak256(name);
    Address::from_slice(hash.get(..20).unwrap_or_default())
}

/// A source: keccak256(lane id ‖ payer ‖ name). The name is part of every record page, so nobody can write a receipt under
/// another payer's source. Upholds [LAN-2].
pub fn source_id(lane: &LaneId, payer: &Address, name: &str) -> B256 {
    keccak256([lane.as_slice(), payer.as_slice(), name.as_bytes()].concat())
}
