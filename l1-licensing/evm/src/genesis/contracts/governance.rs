//! Who owns the system contracts and who acts until the council exists: `config.chlom.governance`.

use alloy_primitives::Address;
use chlom_primitives::address::is_reserved;

use crate::genesis::{error::GenesisError, json::Node};

/// Two days: what a network waits for a change of its contracts when its file names no delay.
const DEFAULT_DELAY: u64 = 172_800;
/// Thirty days. A longer wait could not answer a fault in time.
const MOST_DELAY: u64 = 2_592_000;
/// A development chain waits for one later block: the steps are those of a network, without the wait.
const DEV_DELAY: u64 = 1;

/// Seven days: T of the lanes of genesis (REF §2).
const DEFAULT_WINDOW: u32 = 604_800;
/// Half of T's blocks, of 1.2 seconds (C22).
const DEFAULT_WINDOW_BLOCKS: u32 = 252_000;
/// Thirty days, and their blocks of one second: what LaneRegistry takes.
const MOST_WINDOW: u64 = 2_592_000;

/// `config.chlom.governance`: `{"authority", "timelockDelay", "settler", "laneWindow", "laneWindowBlocks"}`. Upholds [GEN-6].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governance {
    /// Proposes to the timelock, executes, and has the roles that the contracts give until the council exists.
    pub authority: Address,
    /// Seconds between a proposal and its execution.
    pub timelock_delay: u64,
    /// Reserves and settles beside the payout contract; `None`: nobody.
    pub settler: Option<Address>,
    /// Seconds that a batch of a lane of genesis stands before it can be final.
    pub lane_window: u32,
    /// Heights that must pass too.
    pub lane_window_blocks: u32,
}

impl Governance {
    /// A development chain's: one account is everything.
    pub fn dev(authority: Address) -> Self {
        Self {
            timelock_delay: DEV_DELAY,
            settler: Some(authority),
            lane_window_blocks: 0,
            ..Self::of(authority)
        }
    }

    /// A network's whose file names nothing but its authority.
    pub fn of(authority: Address) -> Self {
        Self {
            authority,
            timelock_delay: DEFAULT_DELAY,
            settler: None,
            lane_window: DEFAULT_WINDOW,
            lane_window_blocks: DEFAULT_WINDOW_BLOCKS,
        }
    }

    pub(in crate::genesis) fn parse(node: &Node<'_>) -> Result<Self, GenesisError> {
        let (mut authority, mut given) = (None, Self::of(Address::ZERO));
        for (key, field) in node.fields()? {
            match key {
                "authority" => authority = Some(person(&field)?),
                "settler" => given.settler = Some(person(&field)?),
                "timelockDelay" => given.timelock_delay = delay(&field)?,
                "laneWindow" => given.lane_window = window(&field, 1)?,
                "laneWindowBlocks" => given.lane_window_blocks = window(&field, 0)?,
                _ => return Err(field.unknown()),
            }
        }
        Ok(Self { authority: authority.ok_or(GenesisError::NoAuthority)?, ..given })
    }
}

/// An address that somebody can have the key of.
fn person(node: &Node<'_>) -> Result<Address, GenesisError> {
    let address = node.address()?;
    if address.is_zero() || is_reserved(&address) {
        return Err(GenesisError::Nobody { path: node.path.clone(), address });
    }
    Ok(address)
}

fn delay(node: &Node<'_>) -> Result<u64, GenesisError> {
    let seconds = node.quantity()?;
    if seconds > MOST_DELAY {
        return Err(GenesisError::Delay { path: node.path.clone(), seconds, most: MOST_DELAY });
    }
    Ok(seconds)
}

/// Seconds or heights of a lane's window.
fn window(node: &Node<'_>, least: u64) -> Result<u32, GenesisError> {
    let given = node.quantity()?;
    let refused = || GenesisError::LaneWindow { path: node.path.clone(), given, least, most: MOST_WINDOW };
    if given < least || given > MOST_WINDOW {
        return Err(refused());
    }
    u32::try_from(given).map_err(|_| refused())
}
