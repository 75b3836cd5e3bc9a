//! Percentages, exactly.

/// Basis points of a decimal percentage from 0 to 100 with at most two decimals: `12.5` is 1,250. Upholds [GEN-9].
pub(crate) fn basis_points(percent: &str) -> Result<u16, String> {
    let malformed = || format!("{percent:?} is no percentage; write a decimal number such as 12.5");
    let (whole, part) = percent.split_once('.').unwrap_or((percent, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.len() > 3 {
        return Err(malformed());
    }
    if part.len() > 2 {
        return Err(format!("{percent} has more than two decimals; a basis point is 0.01 %"));
    }
    let number = |text: &str| text.parse::<u16>().map_err(|_| malformed());
    let bps = u32::from(number(whole)?) * 100 + u32::from(number(&format!("{part:0<2}"))?);
    u16::try_from(bps).ok().filter(|bps| *bps <= 10_000).ok_or_else(|| format!("{percent} is more than 100"))
}

/// `12.5` of 1,250.
pub(crate) fn shown(bps: u16) -> String {
    let (whole, part) = (bps / 100, bps % 100);
    match (part, part % 10) {
        (0, _) => format!("{whole}"),
        (_, 0) => format!("{whole}.{}", part / 10),
        _ => format!("{whole}.{part:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_becomes_basis_points_exactly() {
        let cases = [
            ("20", 2_000),
            ("12.5", 1_250),
            ("33.33", 3_333),
            ("0", 0),
            ("0.01", 1),
            ("100", 10_000),
            ("5.0", 500),
        ];
        for (text, bps) in cases {
            assert_eq!(basis_points(text), Ok(bps));
        }
        for bps in 0..=10_000 {
            assert_eq!(basis_points(&shown(bps)), Ok(bps));
        }
    }

    #[test]
    fn what_is_no_exact_rate_is_refused() {
        for text in
            ["", "-1", "100.01", "101", "12.345", "12.500", "1e1", "12,5", ".5", "5.", "20%", "65536", "1000"]
        {
            assert!(basis_points(text).is_err(), "{text}");
        }
    }
}
