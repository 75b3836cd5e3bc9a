//! Holds: what enforcement keeps back when it would be withdrawn (REF §7 EscrowHold; C27).

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};

use crate::amount::mul_div_up;

/// Quota of a hold on everything.
pub const EVERYTHING: u128 = u128::MAX;

/// Whose money a withdrawal would pay: `weight` of `denom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The payee.
    pub payee: Address,
    /// Its weight: of the entry that is withdrawn, or of all its leaves of a tree that were met while held.
    pub weight: u128,
    /// What the split's weights sum to.
    pub denom: u128,
}

/// What a hold has captured of a payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Capture {
    /// Still in the ledger.
    pub owed: u128,
    /// Ever: what counts against the quota.
    pub captured: u128,
    /// The payee's largest share so far, by which other holds measure what this one lets go.
    pub weight: u128,
    /// Of how much.
    pub denom: u128,
}

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
    /// It captures no more, and what it captured can be withdrawn.
    pub released: bool,
    captures: BTreeMap<Address, Capture>,
}

impl Hold {
    /// A hold that has captured nothing.
    pub fn new(licence: B256, token: Address, payee: Option<Address>, amount: u128) -> Self {
        Self { licence, token, payee, amount, released: false, captures: BTreeMap::new() }
    }

    /// What it has of a payee.
    pub fn capture_of(&self, payee: Address) -> Capture {
        self.captures.get(&payee).copied().unwrap_or_default()
    }

    /// Captured of everybody and not withdrawn since.
    pub fn owed_in_all(&self) -> u128 {
        self.captures.values().fold(0, |sum, capture| sum.saturating_add(capture.owed))
    }

    /// Whether it keeps back money of this licence and token now.
    pub fn is_live(&self, licence: B256, token: Address) -> bool {
        !self.released && self.licence == licence && self.token == token
    }

    /// What it would capture of `due`.
    pub fn would_capture(&self, part: &Part, due: u128) -> u128 {
        self.room(part).map_or(0, |(room, _)| room.min(due))
    }

    /// What it may still take of a payee, and the payee's share (weight, denominator) as this hold knows it; `None` when it does
    /// not cover the payee.
    fn room(&self, part: &Part) -> Option<(u128, (u128, u128))> {
        if self.payee.is_some_and(|whom| whom != part.payee) {
            return None;
        }
        let known = self.capture_of(part.payee);
        let share = larger((known.weight, known.denom), (part.weight, part.denom));
        let quota = match self.payee {
            _ if self.amount == EVERYTHING => return Some((EVERYTHING, share)),
            Some(_) => self.amount,
            None => mul_div_up(self.amount, share.0, share.1).unwrap_or(EVERYTHING),
        };
        Some((quota.saturating_sub(known.captured), share))
    }

    /// Captures; gives how much.
    pub(crate) fn capture(&mut self, part: &Part, due: u128) -> u128 {
        let Some((room, (weight, denom))) = self.room(part) else { return 0 };
        let amount = room.min(due);
        if amount > 0 {
            let before = self.capture_of(part.payee);
            let capture = Capture {
                owed: before.owed.saturating_add(amount),
                captured: before.captured.saturating_add(amount),
                weight,
                denom,
            };
            self.captures.insert(part.payee, capture);
        }
        amount
    }

    /// Takes out what it has of a payee, with the weight by which other holds measure it.
    pub(crate) fn let_go(&mut self, payee: Address) -> (u128, Part) {
        let capture = self.capture_of(payee);
        if let Some(known) = self.captures.get_mut(&payee) {
            known.owed = 0;
        }
        (capture.owed, Part { payee, weight: capture.weight, denom: capture.denom })
    }
}

/// The larger of two shares, weight of denominator, so that no later split makes a quota less; of equal ones the second.
fn larger(known: (u128, u128), new: (u128, u128)) -> (u128, u128) {
    // Weights have 96 bits: products have 192.
    let product = |a: u128, b: u128| U256::from(a).saturating_mul(U256::from(b));
    if product(known.0, new.1) <= product(new.0, known.1) { new } else { known }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYEE: Address = Address::with_last_byte(1);

    fn hold(payee: Option<Address>, amount: u128) -> Hold {
        Hold::new(B256::ZERO, Address::ZERO, payee, amount)
    }

    fn part(payee: Address, weight: u128, denom: u128) -> Part {
        Part { payee, weight, denom }
    }

    #[test]
    fn a_hold_captures_up_to_its_quota_over_several_withdrawals_and_never_again() {
        let mut hold = hold(Some(PAYEE), 100);
        let mine = part(PAYEE, 1, 2);
        assert_eq!(hold.capture(&mine, 70), 70);
        assert_eq!(hold.capture(&mine, 70), 30);
        assert_eq!(hold.capture(&part(Address::with_last_byte(2), 1, 2), 70), 0);
        assert_eq!(hold.let_go(PAYEE).0, 100);
        assert_eq!(hold.capture(&mine, 70), 0, "what it lets go still counts");
        assert_eq!(hold.owed_in_all(), 0);
    }

    #[test]
    fn a_hold_on_all_payees_covers_each_in_proportion_rounded_up() {
        let third = hold(None, 100);
        assert_eq!(third.would_capture(&part(PAYEE, 1, 3), 1_000), 34);
        assert_eq!(third.would_capture(&part(PAYEE, 2, 3), 1_000), 67);
        assert_eq!(hold(None, EVERYTHING).would_capture(&part(PAYEE, 1, 3), u128::MAX), u128::MAX);
    }

    #[test]
    fn a_payees_quota_follows_its_largest_share() {
        let mut hold = hold(None, 1_000);
        assert_eq!(hold.capture(&part(PAYEE, 1, 2), 400), 400);
        assert_eq!(hold.would_capture(&part(PAYEE, 1, 1_000), 1_000), 100, "of another denominator");
        assert_eq!(hold.capture(&part(PAYEE, 3, 4), 1_000), 350);
        let known = hold.capture_of(PAYEE);
        assert_eq!((known.weight, known.denom), (3, 4));
        assert_eq!(hold.would_capture(&part(PAYEE, 3, 5), 1_000), 0);
    }
}
