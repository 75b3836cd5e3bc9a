//! Placing and releasing holds, and what they captured.

use alloy_primitives::{Address, B256};

use super::Ledger;
use crate::{
    Leaf, LedgerError,
    hold::{Hold, Part},
};

/// The most holds in force on a licence and token: a withdrawal looks at each.
pub const MAX_HOLDS: usize = 8;

/// What a hold captured of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Which hold.
    pub hold: u64,
    /// How much.
    pub amount: u128,
}

impl Ledger {
    /// Keeps back up to `amount` of what `payee`, or every payee, withdraws of a licence's money; gives the hold's number,
    /// from 1 on.
    ///
    /// # Errors
    /// [`LedgerError::TokenNotEnabled`], [`LedgerError::AmountZero`], [`LedgerError::TooManyHolds`].
    pub fn place_hold(
        &mut self,
        licence: B256,
        token: Address,
        payee: Option<Address>,
        amount: u128,
    ) -> Result<u64, LedgerError> {
        if !self.tokens.contains_key(&token) {
            return Err(LedgerError::TokenNotEnabled(token));
        }
        if amount == 0 {
            return Err(LedgerError::AmountZero);
        }
        if self.holds.iter().filter(|hold| hold.is_live(licence, token)).count() >= MAX_HOLDS {
            return Err(LedgerError::TooManyHolds { licence, most: MAX_HOLDS });
        }
        self.holds.push(Hold::new(licence, token, payee, amount));
        Ok(number(self.holds.len().saturating_sub(1)))
    }

    /// Ends a hold: it captures no more, and its captures can be withdrawn.
    ///
    /// # Errors
    /// [`LedgerError::HoldUnknown`], [`LedgerError::HoldReleasedAlready`].
    pub fn release_hold(&mut self, id: u64) -> Result<(), LedgerError> {
        let hold = self.hold_mut(id)?;
        if hold.released {
            return Err(LedgerError::HoldReleasedAlready(id));
        }
        hold.released = true;
        Ok(())
    }

    /// Pays a payee what a released hold had captured, less what holds in force capture of it.
    ///
    /// # Errors
    /// [`LedgerError::HoldUnknown`], [`LedgerError::HoldInForce`], [`LedgerError::NothingDue`].
    pub fn withdraw_released(
        &mut self,
        id: u64,
        payee: Address,
    ) -> Result<(u128, Vec<Captured>), LedgerError> {
        let hold = self.hold_mut(id)?;
        if !hold.released {
            return Err(LedgerError::HoldInForce(id));
        }
        let (licence, token) = (hold.licence, hold.token);
        let (owed, part) = hold.let_go(payee);
        if owed == 0 {
            return Err(LedgerError::NothingDue { licence, payee });
        }
        Ok(self.pay(token, licence, &part, owed))
    }

    /// A hold by its number.
    pub fn hold_of(&self, id: u64) -> Option<&Hold> {
        self.holds.get(usize::try_from(id).ok()?.checked_sub(1)?)
    }

    /// Pays `due`, written as taken before, less what holds in force capture of it: the newest first.
    pub(super) fn pay(
        &mut self,
        token: Address,
        licence: B256,
        part: &Part,
        due: u128,
    ) -> (u128, Vec<Captured>) {
        let (mut left, mut captured) = (due, Vec::new());
        for (place, hold) in self.holds.iter_mut().enumerate().rev() {
            if hold.is_live(licence, token) {
                let amount = hold.capture(part, left);
                if amount > 0 {
                    left = left.saturating_sub(amount);
                    captured.push(Captured { hold: number(place), amount });
                }
            }
        }
        self.pay_out(token, left);
        (left, captured)
    }

    /// What [`Self::pay`] would pay.
    pub(super) fn would_pay(&self, token: Address, licence: B256, part: &Part, due: u128) -> u128 {
        let live = self.holds.iter().rev().filter(|hold| hold.is_live(licence, token));
        live.fold(due, |left, hold| left.saturating_sub(hold.would_capture(part, left)))
    }

    /// The payee's weight in a tree by the leaves that were met so far, this one among them. Whose a leaf is follows from the
    /// tree: so it is known per tree, not per hold.
    pub(super) fn weight_met(&mut self, tree: B256, leaf: &Leaf) -> u128 {
        let weight = self.weights_met.entry((tree, leaf.payee)).or_default();
        if self.leaves_met.insert((tree, leaf.start)) {
            *weight = weight.saturating_add(leaf.weight);
        }
        *weight
    }

    /// Whether a hold keeps back money of this licence and token.
    pub(super) fn is_held(&self, licence: B256, token: Address) -> bool {
        self.holds.iter().any(|hold| hold.is_live(licence, token))
    }

    fn hold_mut(&mut self, id: u64) -> Result<&mut Hold, LedgerError> {
        let place = usize::try_from(id).ok().and_then(|i| i.checked_sub(1));
        place.and_then(|i| self.holds.get_mut(i)).ok_or(LedgerError::HoldUnknown(id))
    }
}

/// Holds are numbered from 1 on.
fn number(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1)
}
