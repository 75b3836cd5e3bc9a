//! What passes up an edge and what stays (C12).

use alloy_primitives::B256;

use crate::{
    AmountTooLarge, ForestError,
    amount::{MAX_U112, mul_div},
};

/// What passes up from a licence to the one above: `numer/denom` of its gross, at most all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    parent: B256,
    numer: u64,
    denom: u64,
}

impl Edge {
    /// # Errors
    /// [`ForestError::EdgeRate`] for a share above 1 or of a zero denominator.
    pub fn new(parent: B256, numer: u64, denom: u64) -> Result<Self, ForestError> {
        if denom == 0 || numer > denom {
            return Err(ForestError::EdgeRate { numer, denom });
        }
        Ok(Self { parent, numer, denom })
    }

    /// The licence above.
    pub const fn parent(&self) -> B256 {
        self.parent
    }

    /// Numerator and denominator.
    pub const fn rate(&self) -> (u64, u64) {
        (self.numer, self.denom)
    }
}

/// Money that a route has seen: cumulative inflow, and what of it passed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Account {
    inflow: u128,
    passed_up: u128,
    last_period: u32,
}

impl Account {
    /// What a route has seen already.
    pub const fn of(inflow: u128, passed_up: u128, last_period: u32) -> Self {
        Self { inflow, passed_up, last_period }
    }

    /// Adds an inflow at an edge's rate, `(0, 1)` where nothing passes up; gives what passes up of it.
    ///
    /// # Errors
    /// [`AmountTooLarge`] when the sum has more than 112 bits; nothing is added then.
    pub fn add(&mut self, inflow: u128, rate: (u64, u64), period: u32) -> Result<u128, AmountTooLarge> {
        let room = MAX_U112.saturating_sub(self.inflow);
        if inflow > room {
            return Err(AmountTooLarge { amount: inflow, most: room });
        }
        let sum = self.inflow.saturating_add(inflow);
        let (numer, denom) = rate;
        // An edge's rate is at most 1 and its denominator not zero; a rate that breaks this passes nothing up.
        let passed = mul_div(sum, numer.into(), denom.into()).unwrap_or(0).min(sum);
        let more = passed.saturating_sub(self.passed_up);
        *self = Self { inflow: sum, passed_up: passed, last_period: self.last_period.max(period) };
        Ok(more)
    }

    /// Cumulative inflow.
    pub const fn inflow(&self) -> u128 {
        self.inflow
    }

    /// What of it passed up.
    pub const fn passed_up(&self) -> u128 {
        self.passed_up
    }

    /// What stays for the split's payees and the residual.
    pub fn kept(&self) -> u128 {
        self.inflow.saturating_sub(self.passed_up)
    }

    /// The last period that paid, `yyyymm0w`.
    pub const fn last_period(&self) -> u32 {
        self.last_period
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_up_is_the_floor_of_the_sum_and_the_rest_stays() {
        let mut account = Account::default();
        assert_eq!(account.add(1, (480, 999), 20_250_901), Ok(0));
        assert_eq!(account.add(1, (480, 999), 20_250_801), Ok(0));
        assert_eq!(account.add(1, (480, 999), 20_250_901), Ok(1));
        assert_eq!((account.inflow(), account.passed_up(), account.kept()), (3, 1, 2));
        assert_eq!(account.last_period(), 20_250_901);
    }

    #[test]
    fn inflow_past_112_bits_is_refused_and_changes_nothing() {
        let mut account = Account::default();
        assert_eq!(account.add(MAX_U112, (1, 1), 20_250_901), Ok(MAX_U112));
        let before = account;
        let refused = Err(AmountTooLarge { amount: 1, most: 0 });
        assert_eq!(account.add(1, (1, 1), 20_250_902), refused);
        assert_eq!(account, before);
    }

    #[test]
    fn a_share_above_one_is_no_edge() {
        for (numer, denom) in [(1, 0), (0, 0), (2, 1), (u64::MAX, u64::MAX - 1)] {
            assert_eq!(Edge::new(B256::ZERO, numer, denom), Err(ForestError::EdgeRate { numer, denom }));
        }
        assert!(Edge::new(B256::ZERO, u64::MAX, u64::MAX).is_ok());
    }
}
