//! Pots: what a payer has on a lane, free or reserved for batches.

use alloy_primitives::{Address, B256};

use super::{Lane, Ledger, bounded};
use crate::{LedgerError, amount::MAX_U112};

/// A payer's money on a lane, in the token's minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pot {
    /// What the payer can take back or a batch reserve.
    pub free: u128,
    /// What batches have reserved.
    pub reserved: u128,
}

impl Ledger {
    /// Funds a pot.
    ///
    /// # Errors
    /// [`LedgerError`] for a token that is not enabled, an amount of zero, a ledger past 112 bits.
    pub fn deposit(
        &mut self,
        token: Address,
        lane: Lane,
        payer: Address,
        amount: u128,
    ) -> Result<(), LedgerError> {
        bounded(0, non_zero(amount)?, MAX_U112)?;
        self.check_enabled(token)?;
        let accounted = bounded(self.accounted(token), amount, MAX_U112)?;
        let pot = self.pots.entry((token, lane, payer)).or_default();
        // Bounded by `accounted`, as every part of it is.
        pot.free = pot.free.saturating_add(amount);
        self.accounted.insert(token, accounted);
        Ok(())
    }

    /// The payer takes back what is free.
    ///
    /// # Errors
    /// [`LedgerError::AmountZero`], [`LedgerError::Unfunded`].
    pub fn withdraw_pot(
        &mut self,
        token: Address,
        lane: Lane,
        payer: Address,
        amount: u128,
    ) -> Result<(), LedgerError> {
        let pot = self.with_free(token, lane, payer, non_zero(amount)?)?;
        self.pots.insert((token, lane, payer), pot);
        self.pay_out(token, amount);
        Ok(())
    }

    /// Reserves what a batch can owe; again for a batch adds to what it has.
    ///
    /// # Errors
    /// [`LedgerError::TokenNotEnabled`], [`LedgerError::Unfunded`].
    pub fn reserve(
        &mut self,
        batch: B256,
        token: Address,
        lane: Lane,
        payer: Address,
        amount: u128,
    ) -> Result<(), LedgerError> {
        self.check_enabled(token)?;
        let mut pot = self.with_free(token, lane, payer, amount)?;
        // Part of what is accounted, as the free money was.
        pot.reserved = pot.reserved.saturating_add(amount);
        self.pots.insert((token, lane, payer), pot);
        let reservation = self.reservations.entry((batch, token, lane, payer)).or_default();
        *reservation = reservation.saturating_add(amount);
        Ok(())
    }

    /// Returns what is left of a batch's reservation; gives how much.
    pub fn release(&mut self, batch: B256, token: Address, lane: Lane, payer: Address) -> u128 {
        let amount = self.reservations.remove(&(batch, token, lane, payer)).unwrap_or(0);
        self.unreserve(token, lane, payer, amount, amount);
        amount
    }

    /// What is left of a batch's reservation.
    pub fn reservation_of(&self, batch: B256, token: Address, lane: Lane, payer: Address) -> u128 {
        self.reservations.get(&(batch, token, lane, payer)).copied().unwrap_or(0)
    }

    /// Takes `amount` out of a pot's reserve and puts `back` of it where it is free.
    pub(super) fn unreserve(&mut self, token: Address, lane: Lane, payer: Address, amount: u128, back: u128) {
        if amount > 0 {
            let pot = self.pots.entry((token, lane, payer)).or_default();
            let rest = pot.reserved.checked_sub(amount);
            pot.reserved = rest.expect("a pot's reserve is the sum of its reservations");
            pot.free = pot.free.saturating_add(back);
        }
    }

    /// The pot with `amount` less free.
    fn with_free(
        &self,
        token: Address,
        lane: Lane,
        payer: Address,
        amount: u128,
    ) -> Result<Pot, LedgerError> {
        let pot = self.pot_of(token, lane, payer);
        match pot.free.checked_sub(amount) {
            Some(free) => Ok(Pot { free, ..pot }),
            None => Err(LedgerError::Unfunded { payer, missing: amount.saturating_sub(pot.free) }),
        }
    }
}

fn non_zero(amount: u128) -> Result<u128, LedgerError> {
    if amount == 0 { Err(LedgerError::AmountZero) } else { Ok(amount) }
}
