//! The ledger in memory: pots, settlement, withdrawals, holds, closing; what RoyaltyLedger does, amount for amount.
//!
//! A call checks all that it needs before it writes, so a refusal changes nothing.
//!
//! # Invariants
//!
//! Per token and after every call, to the unit: what came in and did not go out is free + reserved + owed to payees (held
//! or not) + residual + fees ([`Ledger::books`]).

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, FixedBytes};

use crate::{Account, Accrual, AmountTooLarge, LedgerError, hold::Hold};

mod books;
mod close;
mod holds;
mod pot;
mod settle;
#[cfg(test)]
mod tests;
mod withdraw;

pub use books::Books;
pub use close::{Closed, ROUTE_WINDOW};
pub use holds::{Captured, MAX_HOLDS};
pub use pot::Pot;
pub use settle::{Row, Settled, Station};
use withdraw::Tally;
pub use withdraw::{Payout, Withdrawn};

/// The most decimals of a token: the fee's cap, up to 10⁶ units, fits 96 bits.
const MAX_DECIMALS: u8 = 18;
/// Fees that the ledger holds of a token fit so many bits.
const MAX_U104: u128 = (1 << 104) - 1;

/// First 20 bytes of keccak256(lane name) (C16).
pub type Lane = FixedBytes<20>;

/// Names an account of kept money: a licence's place in a route, and how often the route was closed and paid again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    /// The licence.
    pub licence: B256,
    /// The version of its split.
    pub split_version: u32,
    /// Route of the licence above; zero at a root.
    pub parent_route: B256,
    /// 0 until the route was closed and paid again.
    pub generation: u16,
}

impl RouteKey {
    /// The route's hash. Only active licences keep money.
    pub fn route(&self) -> B256 {
        crate::route::route_hash(self.parent_route, self.licence, self.split_version, true)
    }
}

/// A settlement token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    decimals: u8,
    /// Takes new money. What came before can be settled and withdrawn all the same.
    is_enabled: bool,
}

/// (token, route, generation).
type AccountId = (Address, B256, u16);

/// Settlement money and who has a claim on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    tokens: BTreeMap<Address, Token>,
    pots: BTreeMap<(Address, Lane, Address), Pot>,
    /// By batch, token, lane and payer.
    reservations: BTreeMap<(B256, Address, Lane, Address), u128>,
    /// By batch, payer and licence.
    settled: BTreeSet<(B256, Address, B256)>,
    /// By token, licence, lane and period.
    accruals: BTreeMap<(Address, B256, Lane, u32), Accrual>,
    accounts: BTreeMap<AccountId, Account>,
    /// The generation that (token, route) is paid in.
    generations: BTreeMap<(Address, B256), u16>,
    /// By account and index of a vector's entry, or first weight of a leaf.
    taken: BTreeMap<(AccountId, u128), u128>,
    /// The kept money at which a leaf claimed last.
    claimed_at: BTreeMap<(AccountId, u128), u128>,
    tallies: BTreeMap<AccountId, Tally>,
    /// What was swept from a closed account.
    swept: BTreeMap<AccountId, u128>,
    holds: Vec<Hold>,
    /// Leaves that were met under a hold, by tree and first weight.
    leaves_met: BTreeSet<(B256, u128)>,
    /// The weight of a payee in a tree by these.
    weights_met: BTreeMap<(B256, Address), u128>,
    accounted: BTreeMap<Address, u128>,
    fees: BTreeMap<Address, u128>,
}

impl Ledger {
    /// Without tokens or money.
    pub fn new() -> Self {
        Self::default()
    }

    /// Admits a settlement token, or one that was disabled with the decimals it had.
    ///
    /// # Errors
    /// [`LedgerError::TokenKnown`], [`LedgerError::TokenDecimals`].
    pub fn enable_token(&mut self, token: Address, decimals: u8) -> Result<(), LedgerError> {
        let most = match self.tokens.get(&token) {
            Some(known) if known.is_enabled => return Err(LedgerError::TokenKnown(token)),
            Some(known) if known.decimals != decimals => known.decimals,
            _ => MAX_DECIMALS,
        };
        if decimals > MAX_DECIMALS || (most != MAX_DECIMALS && decimals != most) {
            let most = if decimals > MAX_DECIMALS { MAX_DECIMALS } else { most };
            return Err(LedgerError::TokenDecimals { decimals, most });
        }
        self.tokens.insert(token, Token { decimals, is_enabled: true });
        Ok(())
    }

    /// Stops new money of a token.
    ///
    /// # Errors
    /// [`LedgerError::TokenNotEnabled`].
    pub fn disable_token(&mut self, token: Address) -> Result<(), LedgerError> {
        self.check_enabled(token)?;
        self.tokens.entry(token).and_modify(|token| token.is_enabled = false);
        Ok(())
    }

    fn check_enabled(&self, token: Address) -> Result<(), LedgerError> {
        let is_enabled = self.tokens.get(&token).is_some_and(|token| token.is_enabled);
        if is_enabled { Ok(()) } else { Err(LedgerError::TokenNotEnabled(token)) }
    }

    /// The pot of a payer on a lane.
    pub fn pot_of(&self, token: Address, lane: Lane, payer: Address) -> Pot {
        self.pots.get(&(token, lane, payer)).copied().unwrap_or_default()
    }

    /// What is due of (token, licence, lane, period) so far.
    pub fn accrual_of(&self, token: Address, licence: B256, lane: Lane, period: u32) -> Option<&Accrual> {
        self.accruals.get(&(token, licence, lane, period))
    }

    /// What a route's generation has seen.
    pub fn account_of(&self, token: Address, key: &RouteKey) -> Account {
        self.accounts.get(&account_id(token, key)).copied().unwrap_or_default()
    }

    /// Taken by a vector's entry at `index_or_start`, or by the leaf that begins there.
    pub fn taken_of(&self, token: Address, key: &RouteKey, index_or_start: u128) -> u128 {
        self.taken.get(&(account_id(token, key), index_or_start)).copied().unwrap_or(0)
    }

    /// Whether a row was settled.
    pub fn is_settled(&self, batch: B256, payer: Address, licence: B256) -> bool {
        self.settled.contains(&(batch, payer, licence))
    }

    /// Everything of `token` that has come in and not gone out.
    pub fn accounted(&self, token: Address) -> u128 {
        self.accounted.get(&token).copied().unwrap_or(0)
    }

    /// Fees not collected yet.
    pub fn fees_owed(&self, token: Address) -> u128 {
        self.fees.get(&token).copied().unwrap_or(0)
    }

    /// Takes out the fees so far.
    ///
    /// # Errors
    /// [`LedgerError::AmountZero`] when there are none.
    pub fn collect_fees(&mut self, token: Address) -> Result<u128, LedgerError> {
        let amount = self.fees_owed(token);
        if amount == 0 {
            return Err(LedgerError::AmountZero);
        }
        self.fees.insert(token, 0);
        self.pay_out(token, amount);
        Ok(amount)
    }

    /// Books money out. What goes out came in before, so this never falls below zero.
    fn pay_out(&mut self, token: Address, amount: u128) {
        let accounted = self.accounted.entry(token).or_default();
        *accounted = accounted.checked_sub(amount).expect("no more goes out than came in: see `books`");
    }
}

fn account_id(token: Address, key: &RouteKey) -> AccountId {
    (token, key.route(), key.generation)
}

/// `before + more`, at most `most`.
fn bounded(before: u128, more: u128, most: u128) -> Result<u128, AmountTooLarge> {
    let room = most.saturating_sub(before);
    if more > room {
        Err(AmountTooLarge { amount: more, most: room })
    } else {
        Ok(before.saturating_add(more))
    }
}
