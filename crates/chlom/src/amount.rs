//! Amounts as people write them: whole units with a point, `2500.00`.

use alloy_primitives::U256;

/// The same in a token's smallest unit.
///
/// # Errors
/// What is no amount, or has more places than the token.
pub(crate) fn parse(text: &str, decimals: u8) -> Result<U256, String> {
    let wrong = || format!("{text:?} is no amount such as 2500 or 2500.00");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return Err(wrong());
    }
    let part = part.trim_end_matches('0');
    let places = usize::from(decimals);
    if part.len() > places {
        return Err(format!("{text:?} has more places than the token, which has {decimals}"));
    }
    let all = format!("{whole}{part:0<places$}");
    let amount = U256::from_str_radix(&all, 10).map_err(|_| wrong())?;
    // Nothing that money is kept in holds more.
    if amount > U256::from(u128::MAX) {
        Err(format!("{text:?} is more than there can be"))
    } else {
        Ok(amount)
    }
}

/// An amount in whole units.
pub(crate) fn shown(amount: U256, decimals: u8) -> String {
    let places = usize::from(decimals);
    let digits = format!("{:0>width$}", amount.to_string(), width = places.saturating_add(1));
    let (whole, part) = digits.split_at(digits.len().saturating_sub(places));
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_last_unit_and_written_the_same() {
        for (text, decimals, units) in [
            ("2500", 2, 250_000u128),
            ("2500.5", 2, 250_050),
            ("0.01", 2, 1),
            ("1.000", 2, 100),
            ("7", 0, 7),
            ("0.000000000000000001", 18, 1),
        ] {
            assert_eq!(parse(text, decimals), Ok(U256::from(units)), "{text}");
        }
        assert_eq!(shown(U256::from(250_050), 2), "2500.5");
        assert_eq!(shown(U256::from(1), 18), "0.000000000000000001");
        assert_eq!(shown(U256::from(70), 0), "70");
        assert_eq!(shown(U256::ZERO, 6), "0");
    }

    #[test]
    fn what_is_no_amount_is_refused_with_what_is_wrong() {
        for wrong in ["", ".", "1.", ".5", "-1", "+1", "1,5", "1e3", " 1", "0x1", "١"] {
            assert!(parse(wrong, 6).is_err_and(|error| error.contains("is no amount")), "{wrong}");
        }
        assert!(parse("1.0000001", 6).is_err_and(|error| error.contains("more places")));
        let most = "9".repeat(60);
        assert!(parse(&most, 6).is_err_and(|error| error.contains("more than there can be")));
        assert!(parse(&"9".repeat(90), 6).is_err());
    }
}
