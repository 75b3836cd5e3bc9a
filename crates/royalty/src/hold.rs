//! Holds: what enforcement keeps back when it would be withdrawn (REF §7 EscrowHold; C27).

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};

use crate::amount::mul_div_up;

/// Quota of a hold on everything.
pub const EVERYTHING: u128 = u128::MAX;

/// What a hold covers, and what it has captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The licence whose money it keeps back.
    pub licence: B256,
    /// In which token.
    pub token: Address,
    /// Whose; `None`: each payee's, in proportion to its weight, rounded up.
    pub payee: Option<Address>,
    /// How much; [`EVERYTHING`]: all.
    pub amount: u128,
    /// Released: it captures no more, and what it captured can be withdrawn.
    pub released: bool,
    captured: BTreeMap<Address, u128>,
}

impl Hold {
    /// A hold that has captured nothing.
    pub const fn new(licence: B256, token: Address, payee: Option<Address>, amount: u128) -> Self {
        Self { licence, token, payee, amount, released: false, captured: BTreeMap::new() }
    }

    /// Captured of `payee` and not withdrawn since.
    pub fn captured(&self, payee: Address) -> u128 {
        self.captured.get(&payee).copied().unwrap_or(0)
    }

    /// Captured of everybody and not withdrawn since.
    pub fn captured_in_all(&self) -> u128 {
        self.captured.values().fold(0, |sum, amount| sum.saturating_add(*amount))
    }

    /// What it would capture of `due` to a payee of `weight` in `denom`.
    pub fn would_capture(&self, payee: Address, weight: u128, denom: u128, due: u128) -> u128 {
        let covers = !self.released && self.payee.is_none_or(|whom| whom == payee);
        if !covers {
            return 0;
        }
        let quota = match self.payee {
            _ if self.amount == EVERYTHING => EVERYTHING,
            Some(_) => self.amount,
            None => mul_div_up(self.amount, weight, denom).unwrap_or(EVERYTHING),
        };
        quota.saturating_sub(self.captured(payee)).min(due)
    }

    /// Captures; gives how much.
    pub(crate) fn capture(&mut self, payee: Address, weight: u128, denom: u128, due: u128) -> u128 {
        let amount = self.would_capture(payee, weight, denom, due);
        if amount > 0 {
            let captured = self.captured.entry(payee).or_default();
            *captured = captured.saturating_add(amount);
        }
        amount
    }

    /// Takes out what it captured of `payee`.
    pub(crate) fn take(&mut self, payee: Address) -> u128 {
        self.captured.remove(&payee).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYEE: Address = Address::with_last_byte(1);

    #[test]
    fn a_hold_captures_up_to_its_quota_over_several_withdrawals() {
        let mut hold = Hold::new(B256::ZERO, Address::ZERO, Some(PAYEE), 100);
        assert_eq!(hold.capture(PAYEE, 1, 2, 70), 70);
        assert_eq!(hold.capture(PAYEE, 1, 2, 70), 30);
        assert_eq!(hold.capture(PAYEE, 1, 2, 70), 0);
        assert_eq!(hold.capture(Address::with_last_byte(2), 1, 2, 70), 0);
        assert_eq!(hold.captured(PAYEE), 100);
    }

    #[test]
    fn a_hold_on_all_payees_covers_each_in_proportion_rounded_up() {
        let hold = Hold::new(B256::ZERO, Address::ZERO, None, 100);
        assert_eq!(hold.would_capture(PAYEE, 1, 3, 1_000), 34);
        assert_eq!(hold.would_capture(PAYEE, 2, 3, 1_000), 67);
        let hold = Hold::new(B256::ZERO, Address::ZERO, None, EVERYTHING);
        assert_eq!(hold.would_capture(PAYEE, 1, 3, u128::MAX), u128::MAX);
    }

    #[test]
    fn a_released_hold_captures_nothing() {
        let mut hold = Hold::new(B256::ZERO, Address::ZERO, Some(PAYEE), 100);
        hold.released = true;
        assert_eq!(hold.capture(PAYEE, 1, 1, 70), 0);
    }
}
