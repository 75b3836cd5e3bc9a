//! What is due of one (token, licence, lane, period) so far.

use crate::{
    AmountTooLarge, Fee, RateTooHigh,
    base::{checked_rate, royalty_due},
};

/// Cumulative, at the rates that the first settlement fixed: later ones pay the difference to the floor of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrual {
    revenue: u128,
    base: u128,
    fee: u128,
    royalty_bps: u16,
    terms: Fee,
}

/// What one settlement adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Royalty due.
    pub base: u128,
    /// Taken of that.
    pub fee: u128,
}

impl Due {
    /// What flows into the licence's route.
    pub fn inflow(&self) -> u128 {
        // The fee's rate is below 1 and floors of sums differ by at most what was added, so it never exceeds the base.
        self.base.saturating_sub(self.fee)
    }
}

impl Accrual {
    /// Nothing yet, at these rates.
    ///
    /// # Errors
    /// [`RateTooHigh`] for a royalty above 10,000 basis points.
    pub fn new(royalty_bps: u16, terms: Fee) -> Result<Self, RateTooHigh> {
        Ok(Self { revenue: 0, base: 0, fee: 0, royalty_bps: checked_rate(royalty_bps)?, terms })
    }

    /// Adds revenue; gives what it adds to base and fee. At a rate of zero the sum stops at 128 bits: revenue that nobody
    /// paid for must not stop others.
    ///
    /// # Errors
    /// [`AmountTooLarge`] when the sum of revenue has more than 128 bits; nothing is added then.
    pub fn add(&mut self, revenue: u128) -> Result<Due, AmountTooLarge> {
        let too_large = AmountTooLarge { amount: revenue, most: u128::MAX.saturating_sub(self.revenue) };
        let revenue = match self.revenue.checked_add(revenue) {
            Some(sum) => sum,
            None if self.royalty_bps == 0 => u128::MAX,
            None => return Err(too_large),
        };
        let base = royalty_due(revenue, self.royalty_bps).map_err(|_| too_large)?;
        let fee = self.terms.due(base);
        let due = Due { base: base.saturating_sub(self.base), fee: fee.saturating_sub(self.fee) };
        *self = Self { revenue, base, fee, ..*self };
        Ok(due)
    }

    /// Revenue so far, in the token's minor unit.
    pub const fn revenue(&self) -> u128 {
        self.revenue
    }

    /// Royalty due so far.
    pub const fn base(&self) -> u128 {
        self.base
    }

    /// Fee so far.
    pub const fn fee(&self) -> u128 {
        self.fee
    }

    /// The licence's rate, in basis points.
    pub const fn royalty_bps(&self) -> u16 {
        self.royalty_bps
    }

    /// The fee's terms.
    pub const fn terms(&self) -> Fee {
        self.terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_batches_owe_what_one_owes() {
        let fee = Fee::new(50, 1_000).unwrap();
        let mut one = Accrual::new(3_333, fee).unwrap();
        let whole = one.add(1_000).unwrap();
        let mut three = Accrual::new(3_333, fee).unwrap();
        let parts = [333, 1, 666].map(|r| three.add(r).unwrap());
        assert_eq!(parts.iter().map(|d| d.base).sum::<u128>(), whole.base);
        assert_eq!(parts.iter().map(|d| d.fee).sum::<u128>(), whole.fee);
        assert_eq!(one, three);
    }

    #[test]
    fn revenue_past_128_bits_is_refused_and_changes_nothing() {
        let mut accrual = Accrual::new(10_000, Fee::new(50, 0).unwrap()).unwrap();
        accrual.add(u128::MAX).unwrap();
        let before = accrual;
        assert_eq!(accrual.add(1), Err(AmountTooLarge { amount: 1, most: 0 }));
        assert_eq!(accrual, before);
        let mut free = Accrual::new(0, Fee::new(50, 0).unwrap()).unwrap();
        free.add(u128::MAX).unwrap();
        assert_eq!(free.add(1), Ok(Due { base: 0, fee: 0 }));
    }
}
