//! The royalty due: what revenue owes at a licence's rate (C44).

use crate::{
    RateTooHigh,
    amount::{BPS, mul_div, mul_div_up},
};

/// `⌊revenue·bps/10⁴⌋`, of cumulative revenue.
///
/// # Errors
/// [`RateTooHigh`] above 10,000 (C31).
pub fn royalty_due(revenue: u128, bps: u16) -> Result<u128, RateTooHigh> {
    checked_rate(bps)?;
    mul_div(revenue, u128::from(bps), BPS).ok_or(RateTooHigh { bps: bps.into() })
}

/// `⌈revenue·bps/10⁴⌉`: the most that one row of revenue can owe, whatever was settled before it. What a batch reserves.
///
/// # Errors
/// [`RateTooHigh`] above 10,000.
pub fn most_due(revenue: u128, bps: u16) -> Result<u128, RateTooHigh> {
    checked_rate(bps)?;
    mul_div_up(revenue, u128::from(bps), BPS).ok_or(RateTooHigh { bps: bps.into() })
}

/// # Errors
/// [`RateTooHigh`] above 10,000.
pub fn checked_rate(bps: u16) -> Result<u16, RateTooHigh> {
    if u128::from(bps) > BPS { Err(RateTooHigh { bps: bps.into() }) } else { Ok(bps) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_a_revenue_is_floored_and_reserved_rounded_up() {
        assert_eq!(royalty_due(7_965_200_001, 3_333), Ok(2_654_801_160));
        assert_eq!(most_due(7_965_200_001, 3_333), Ok(2_654_801_161));
        assert_eq!(royalty_due(u128::MAX, 10_000), Ok(u128::MAX));
        assert_eq!(most_due(u128::MAX, 10_000), Ok(u128::MAX));
    }

    #[test]
    fn a_rate_above_one_is_refused() {
        assert_eq!(royalty_due(1, 10_001), Err(RateTooHigh { bps: 10_001 }));
        assert_eq!(most_due(1, u16::MAX), Err(RateTooHigh { bps: 65_535 }));
    }
}
