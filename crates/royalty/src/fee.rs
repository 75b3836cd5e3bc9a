//! The network's fee on what is due (C5).

use crate::{
    AmountTooLarge,
    amount::{BPS, MAX_U96, mul_div},
};

/// Least and most of the fee rate, in basis points.
pub const FEE_BPS: (u16, u16) = (50, 100);

/// The fee's terms, fixed per (token, licence, lane, period) by its first settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    bps: u16,
    cap: u128,
}

impl Fee {
    /// `dynamic_bps` is clamped to 50–100; `cap` is in the token's minor unit.
    ///
    /// # Errors
    /// [`AmountTooLarge`] when the cap has more than 96 bits.
    pub fn new(dynamic_bps: u128, cap: u128) -> Result<Self, AmountTooLarge> {
        if cap > MAX_U96 {
            return Err(AmountTooLarge { amount: cap, most: MAX_U96 });
        }
        let (least, most) = FEE_BPS;
        let bps = u16::try_from(dynamic_bps).unwrap_or(most).clamp(least, most);
        Ok(Self { bps, cap })
    }

    /// Basis points.
    pub const fn bps(&self) -> u16 {
        self.bps
    }

    /// The most that a licence, lane and period pays, in the token's minor unit.
    pub const fn cap(&self) -> u128 {
        self.cap
    }

    /// `min(cap, ⌊base·bps/10⁴⌋)`, of the cumulative base.
    pub fn due(&self, base: u128) -> u128 {
        // A rate below 1 gives no more than the base, so the quotient always fits.
        mul_div(base, u128::from(self.bps), BPS).unwrap_or(u128::MAX).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_clamped_between_50_and_100() {
        for (given, bps) in [(0, 50), (49, 50), (50, 50), (75, 75), (100, 100), (101, 100), (u128::MAX, 100)]
        {
            assert_eq!(Fee::new(given, 1).unwrap().bps(), bps);
        }
    }

    #[test]
    fn the_fee_stops_at_its_cap() {
        let fee = Fee::new(50, 1_000_000_000).unwrap();
        assert_eq!(fee.due(1_793_254_000), 8_966_270);
        assert_eq!(fee.due(199_999_999_999), 999_999_999);
        assert_eq!(fee.due(200_000_000_000), 1_000_000_000);
        assert_eq!(fee.due(u128::MAX), 1_000_000_000);
        assert_eq!(Fee::new(50, 1 << 96), Err(AmountTooLarge { amount: 1 << 96, most: MAX_U96 }));
    }
}
