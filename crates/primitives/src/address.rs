//! Where system modules and contracts live (ARCHITECTURE §3).

use alloy_primitives::{Address, address};

/// `0x…1001` Beacon.
pub const BEACON: Address = address!("0000000000000000000000000000000000001001");
/// `0x…1002` Quorum.
pub const QUORUM: Address = address!("0000000000000000000000000000000000001002");
/// `0x…1003` DataAvailability.
pub const DATA_AVAILABILITY: Address = address!("0000000000000000000000000000000000001003");
/// `0x…1010` Staking.
pub const STAKING: Address = address!("0000000000000000000000000000000000001010");
/// `0x…1014` Lane.
pub const LANE: Address = address!("0000000000000000000000000000000000001014");

/// `0x…2001` LicenseRegistry.
pub const LICENSE_REGISTRY: Address = address!("0000000000000000000000000000000000002001");
/// `0x…2002` SplitRegistry.
pub const SPLIT_REGISTRY: Address = address!("0000000000000000000000000000000000002002");
/// `0x…2003` RoyaltyLedger.
pub const ROYALTY_LEDGER: Address = address!("0000000000000000000000000000000000002003");
/// `0x…2004` PolicyRegistry.
pub const POLICY_REGISTRY: Address = address!("0000000000000000000000000000000000002004");
/// `0x…2005` FeeRouter.
pub const FEE_ROUTER: Address = address!("0000000000000000000000000000000000002005");
/// `0x…2006` Treasury.
pub const TREASURY: Address = address!("0000000000000000000000000000000000002006");
/// `0x…2007` ClaimsPool.
pub const CLAIMS_POOL: Address = address!("0000000000000000000000000000000000002007");
/// `0x…2008` PauseFlags.
pub const PAUSE_FLAGS: Address = address!("0000000000000000000000000000000000002008");
/// `0x…2009` ParameterRegistry.
pub const PARAMETER_REGISTRY: Address = address!("0000000000000000000000000000000000002009");
/// `0x…200a` Timelock.
pub const TIMELOCK: Address = address!("000000000000000000000000000000000000200a");
/// `0x…200b` RightsRegistry.
pub const RIGHTS_REGISTRY: Address = address!("000000000000000000000000000000000000200b");

/// `0x…200c` LaneRegistry.
pub const LANE_REGISTRY: Address = address!("000000000000000000000000000000000000200c");
/// `0x…200d` PayoutProofs.
pub const PAYOUT_PROOFS: Address = address!("000000000000000000000000000000000000200d");
/// `0x…200e` FraudJudge.
pub const FRAUD_JUDGE: Address = address!("000000000000000000000000000000000000200e");

/// First and last address of the range that genesis allocates itself: modules from `0x…1001`, contracts from `0x…2001`.
/// A user's genesis file may not allocate inside of it.
const RESERVED_FIRST: u16 = 0x1000;
const RESERVED_LAST: u16 = 0x2fff;

/// True for the addresses that only the protocol allocates: Ethereum's precompiles (`0x…01` to `0x…11`, `0x…0100`),
/// the system modules and the system contracts.
///
/// # Examples
/// ```
/// use chlom_primitives::address::{STAKING, is_reserved};
/// assert!(is_reserved(&STAKING));
/// assert!(!is_reserved(&alloy_primitives::Address::repeat_byte(0x11)));
/// ```
pub fn is_reserved(address: &Address) -> bool {
    let bytes = address.as_slice();
    if bytes[..18].iter().any(|b| *b != 0) {
        return false;
    }
    let low = u16::from_be_bytes([bytes[18], bytes[19]]);
    (RESERVED_FIRST..=RESERVED_LAST).contains(&low) || (1..=0x11).contains(&low) || low == 0x100
}
