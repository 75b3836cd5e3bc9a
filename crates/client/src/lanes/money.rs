//! The lanes' money: payers' pots and payees' withdrawals in RoyaltyLedger, collateral in PayoutProofs. Amounts are in the
//! token's minor unit; token zero is CHM.

use alloy_primitives::{Address, B256, U256};
use chlom_lane::LaneId;
use chlom_primitives::address::{PAYOUT_PROOFS, ROYALTY_LEDGER};

use super::{Lane, word};
use crate::{
    Chain, ClientError, Request,
    contracts::{
        payout_proofs::IPayoutProofs,
        royalty_ledger::{
            IRoyaltyLedger,
            IRoyaltyLedger::{Payout, RouteKey},
        },
    },
};

/// What a payer has put by for a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pot {
    /// What batches can still reserve.
    pub free: U256,
    /// What batches have reserved.
    pub reserved: U256,
}

/// CHM of an account in PayoutProofs, wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collateral {
    /// What batches can still lock.
    pub free: u128,
    /// What stands behind open batches.
    pub locked: u128,
}

impl Lane<'_> {
    /// A payer's pot.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn pot(&self, token: Address, payer: Address) -> Result<Pot, ClientError> {
        let call = IRoyaltyLedger::potOfCall { token, lane: self.word(), payer };
        let pot = self.chain.view(ROYALTY_LEDGER, &call)?;
        Ok(Pot { free: pot.free, reserved: pot.reserved })
    }
}

/// An account's collateral.
///
/// # Errors
/// [`ClientError`].
pub fn collateral(chain: &Chain, account: Address) -> Result<Collateral, ClientError> {
    let found = chain.view(PAYOUT_PROOFS, &IPayoutProofs::collateralOfCall { account })?;
    Ok(Collateral { free: found.free, locked: found.locked })
}

/// Adds CHM to an account's collateral, wei.
pub fn add_collateral(account: Address, wei: U256) -> Request {
    let call = IPayoutProofs::addCollateralCall { account };
    Request { value: wei, ..Request::call("adding collateral", PAYOUT_PROOFS, &call) }
}

/// Takes free collateral of the sender, rewards included.
pub fn withdraw_collateral(wei: U256, to: Address) -> Request {
    let call = IPayoutProofs::withdrawCollateralCall { amount: wei, to };
    Request::call("withdrawing collateral", PAYOUT_PROOFS, &call)
}

/// Fills a payer's pot: with CHM, or out of what the sender allowed the ledger of a token.
pub fn deposit(lane: LaneId, token: Address, payer: Address, amount: U256) -> Request {
    let call = IRoyaltyLedger::depositCall { token, lane: word(lane), payer, amount };
    let value = if token.is_zero() { amount } else { U256::ZERO };
    Request { value, ..Request::call("filling the pot", ROYALTY_LEDGER, &call) }
}

/// The sender takes back what is free of its pot.
pub fn withdraw_pot(lane: LaneId, token: Address, amount: U256, to: Address) -> Request {
    let call = IRoyaltyLedger::withdrawPotCall { token, lane: word(lane), amount, to };
    Request::call("emptying the pot", ROYALTY_LEDGER, &call)
}

/// The route by which a licence is paid for a period, before any close.
///
/// # Errors
/// [`ClientError`].
pub fn route_key(chain: &Chain, licence: B256, period: u32) -> Result<RouteKey, ClientError> {
    chain.view(ROYALTY_LEDGER, &IRoyaltyLedger::routeKeyOfCall { licence, period })
}

/// Of one payee by its place in the split: what it can withdraw, and what holds would capture.
///
/// # Errors
/// [`ClientError`].
pub fn withdrawable(chain: &Chain, payout: &Payout) -> Result<(U256, U256), ClientError> {
    let answer = chain.view(ROYALTY_LEDGER, &IRoyaltyLedger::withdrawableCall { p: payout.clone() })?;
    Ok((answer.amount, answer.held))
}

/// Withdraws for a payee, to the payee; anyone may.
pub fn withdraw(payout: Payout) -> Request {
    Request::call("withdrawing", ROYALTY_LEDGER, &IRoyaltyLedger::withdrawCall { p: payout })
}

/// Withdraws for several payees; one that fails is reported in the logs and stops no other.
pub fn withdraw_batch(payouts: Vec<Payout>) -> Request {
    let what = format!("withdrawing for {} payees", payouts.len());
    Request::call(what, ROYALTY_LEDGER, &IRoyaltyLedger::withdrawBatchCall { ps: payouts })
}
