//! The books of a token: every unit that is in the ledger, by who has a claim on it.

use alloy_primitives::Address;

use super::Ledger;

/// Parts of what the ledger holds of a token; they sum to [`Ledger::accounted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Books {
    /// In pots, for the payers.
    pub free: u128,
    /// In pots, for batches.
    pub reserved: u128,
    /// Kept by routes and not taken: owed to payees, and the residual.
    pub kept: u128,
    /// Captured by holds and not withdrawn since.
    pub held: u128,
    /// Fees to be collected.
    pub fees: u128,
}

impl Books {
    /// All of it.
    pub fn total(&self) -> u128 {
        [self.free, self.reserved, self.kept, self.held, self.fees]
            .iter()
            .fold(0, |a, b| a.saturating_add(*b))
    }
}

impl Ledger {
    /// Adds up a token's books from every pot, account and hold: the check of conservation, in time linear in their number.
    pub fn books(&self, token: Address) -> Books {
        let pots = self.pots.iter().filter(|((of, ..), _)| *of == token).map(|(_, pot)| *pot);
        let (free, reserved) = pots
            .fold((0u128, 0u128), |(f, r), pot| (f.saturating_add(pot.free), r.saturating_add(pot.reserved)));
        let total = |amounts: &mut dyn Iterator<Item = u128>| amounts.fold(0u128, u128::saturating_add);
        let seen = total(&mut self.accounts.iter().filter(|(id, _)| id.0 == token).map(|(_, a)| a.kept()));
        let taken = total(&mut self.taken.iter().filter(|((id, _), _)| id.0 == token).map(|(_, t)| *t));
        let swept = total(&mut self.swept.iter().filter(|(id, _)| id.0 == token).map(|(_, s)| *s));
        let held = total(&mut self.holds.iter().filter(|h| h.token == token).map(|h| h.owed_in_all()));
        let kept =
            seen.checked_sub(taken.saturating_add(swept)).expect("payees and sweeps take what was kept");
        Books { free, reserved, kept, held, fees: self.fees_owed(token) }
    }
}
