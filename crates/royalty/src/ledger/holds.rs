//! Placing and releasing holds, and what they captured.

use alloy_primitives::{Address, B256};

use super::Ledger;
use crate::{LedgerError, hold::Hold};

/// The most unreleased holds of a licence: a withdrawal looks at each.
pub const MAX_HOLDS: usize = 16;

impl Ledger {
    /// Keeps back up to `amount` of what `payee`, or every payee, withdraws of a licence's money; gives the hold's number.
    ///
    /// # Errors
    /// [`LedgerError::AmountZero`], [`LedgerError::TooManyHolds`].
    pub fn place_hold(
        &mut self,
        licence: B256,
        token: Address,
        payee: Option<Address>,
        amount: u128,
    ) -> Result<u64, LedgerError> {
        if amount == 0 {
            return Err(LedgerError::AmountZero);
        }
        let placed = self.holds.iter().filter(|hold| hold.licence == licence && !hold.released).count();
        if placed >= MAX_HOLDS {
            return Err(LedgerError::TooManyHolds { licence, most: MAX_HOLDS });
        }
        let id = self.holds.len();
        self.holds.push(Hold::new(licence, token, payee, amount));
        Ok(u64::try_from(id).unwrap_or(u64::MAX))
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

    /// Pays a payee what a released hold had captured.
    ///
    /// # Errors
    /// [`LedgerError::HoldUnknown`], [`LedgerError::NothingDue`] before the release or when nothing was captured.
    pub fn withdraw_released(&mut self, id: u64, payee: Address) -> Result<u128, LedgerError> {
        let hold = self.hold_mut(id)?;
        let (licence, token) = (hold.licence, hold.token);
        let amount = if hold.released { hold.take(payee) } else { 0 };
        if amount == 0 {
            return Err(LedgerError::NothingDue { licence, payee });
        }
        self.pay_out(token, amount);
        Ok(amount)
    }

    /// A hold by its number.
    pub fn hold_of(&self, id: u64) -> Option<&Hold> {
        self.holds.get(usize::try_from(id).ok()?)
    }

    fn hold_mut(&mut self, id: u64) -> Result<&mut Hold, LedgerError> {
        let place = usize::try_from(id).ok();
        place.and_then(|i| self.holds.get_mut(i)).ok_or(LedgerError::HoldUnknown(id))
    }
}
