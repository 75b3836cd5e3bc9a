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

/// `config.chlom.governance`: `{"authority", "timelockDelay", "settler"}`. Upholds [GEN-6].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governance {
    /// Proposes to the timelock, executes, and has the roles that the contracts give until the council exists.
    pub authority: Address,
    /// Seconds between a proposal and its execution.
    pub timelock_delay: u64,
    /// Reserves and settles until the payout contract exists; `None`: nobody.
    pub settler: Option<Address>,
}

impl Governance {
    /// A development chain's: one account is everything.
    pub fn dev(authority: Address) -> Self {
        Self { authority, timelock_delay: DEV_DELAY, settler: Some(authority) }
    }

    pub(in crate::genesis) fn parse(node: &Node<'_>) -> Result<Self, GenesisError> {
        let (mut authority, mut timelock_delay, mut settler) = (None, DEFAULT_DELAY, None);
        for (key, field) in node.fields()? {
            match key {
                "authority" => authority = Some(person(&field)?),
                "settler" => settler = Some(person(&field)?),
                "timelockDelay" => timelock_delay = delay(&field)?,
                _ => return Err(field.unknown()),
            }
        }
        Ok(Self { authority: authority.ok_or(GenesisError::NoAuthority)?, timelock_delay, settler })
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
