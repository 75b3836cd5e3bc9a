//! The price of a row: EIP-4844's market, in rows of data instead of gas.

use alloy_primitives::U256;

use super::state_key::{Market, Price, Terms};

/// The market as it stands at `height`, before anything is published there: heights gone by count with what they used.
/// Upholds [DAM-4].
pub fn at_height(market: Market, terms: &Terms, height: u64) -> Market {
    if market.height >= height {
        return market;
    }
    let quiet = height.saturating_sub(market.height).saturating_sub(1);
    let after = market.excess.saturating_add(market.used).saturating_sub(terms.target_rows);
    let excess = after.saturating_sub(quiet.saturating_mul(terms.target_rows));
    Market { height, excess, used: 0 }
}

/// Wei a row at this excess: minimum · e^(excess / fraction), by EIP-4844's integer series.
pub fn per_row(price: &Price, excess: u64) -> U256 {
    fake_exponential(price.min_fee_per_row, excess, price.update_fraction.max(1))
}

/// The series i = 0, 1, … of factor·excessⁱ/(fractionⁱ·i!), summed before the last division, as EIP-4844 has it. Saturates:
/// no excess that a chain can reach comes near 2²⁵⁶.
fn fake_exponential(factor: u128, excess: u64, fraction: u64) -> U256 {
    let (excess, fraction) = (U256::from(excess), U256::from(fraction));
    let mut sum = U256::ZERO;
    let mut term = U256::from(factor).saturating_mul(fraction);
    let mut step = U256::from(1);
    while !term.is_zero() && sum != U256::MAX {
        sum = sum.saturating_add(term);
        term = term.saturating_mul(excess) / fraction.saturating_mul(step);
        step = step.saturating_add(U256::from(1));
    }
    sum / fraction
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMS: Terms =
        Terms { retention_seconds: 1, target_rows: 16, max_rows_per_block: 64, max_rows: 32 };
    const PRICE: Price = Price { min_fee_per_row: 1_000_000_000_000_000, update_fraction: 408 };

    #[test]
    fn dam_4_a_full_height_raises_the_price_by_about_an_eighth_and_quiet_ones_lower_it_to_the_floor() {
        let full = Market { height: 10, excess: 0, used: 64 };
        let next = at_height(full, &TERMS, 11);
        assert_eq!(next, Market { height: 11, excess: 48, used: 0 });
        let price = per_row(&PRICE, next.excess);
        let floor = U256::from(PRICE.min_fee_per_row);
        assert!(price > floor * U256::from(1124) / U256::from(1000));
        assert!(price < floor * U256::from(1126) / U256::from(1000));
        assert_eq!(at_height(full, &TERMS, 14).excess, 0);
        assert_eq!(per_row(&PRICE, 0), floor);
    }

    #[test]
    fn the_series_is_eip_4844s() {
        // Vectors of EIP-4844's reference implementation.
        for (factor, excess, fraction, want) in [
            (1, 0, 1, 1),
            (38_493, 0, 1_000, 38_493),
            (0, 1_234, 2_345, 0),
            (1, 2, 1, 6),
            (1, 4, 2, 6),
            (1, 3, 1, 16),
            (1, 6, 2, 18),
            (1, 4, 1, 49),
            (1, 8, 2, 50),
            (10, 8, 2, 542),
            (11, 8, 2, 596),
            (1, 5, 1, 136),
            (1, 5, 2, 11),
            (2, 5, 2, 23),
            (1, 50_000_000, 2_225_652, 5_709_098_764_u64),
        ] {
            assert_eq!(
                fake_exponential(factor, excess, fraction),
                U256::from(want),
                "{factor} {excess} {fraction}"
            );
        }
        assert_eq!(fake_exponential(u128::MAX, u64::MAX, 1), U256::MAX);
    }

    proptest! {
        #[test]
        fn skipping_quiet_heights_gives_what_going_through_them_gives(
            excess in 0_u64..1_000, used in 0_u64..=64, heights in 1_u64..80,
        ) {
            let start = Market { height: 5, excess, used };
            let mut walked = start;
            for height in 6..=5 + heights {
                walked = at_height(walked, &TERMS, height);
            }
            prop_assert_eq!(at_height(start, &TERMS, 5 + heights), walked);
        }
    }
}
