//! Lanes and periods as people write them (C16).

use alloy_primitives::{Address, keccak256};

/// A lane by its id, 20 bytes in hex, or by its name: the first 20 bytes of keccak256 of it.
pub(crate) fn lane(text: &str) -> Result<Address, String> {
    if text.is_empty() {
        return Err("a lane has a name, or an id of 20 bytes in hex".into());
    }
    match text.strip_prefix("0x") {
        Some(_) => text.parse().map_err(|_| format!("{text:?} is no lane id: 0x and 40 hexadecimal digits")),
        None => Ok(Address::from_slice(&keccak256(text)[..20])),
    }
}

/// A period as its number, or as `2025-09-W01`: yyyy·10⁴ + mm·10² + w, w from 1 to 5.
pub(crate) fn period(text: &str) -> Result<u32, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let wrong = || format!("{text:?} is no period: a number below 2^32 such as 20250901, or 2025-09-W01");
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, week] = parts.as_slice() else { return Err(wrong()) };
    let digits = |text: &str, length: usize| {
        let good = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| text.parse::<u32>().ok()).flatten()
    };
    let week = week.strip_prefix('W').and_then(|week| digits(week, 2)).filter(|week| (1..=5).contains(week));
    let month = digits(month, 2).filter(|month| (1..=12).contains(month));
    match (digits(year, 4), month, week) {
        (Some(year), Some(month), Some(week)) => Ok(year * 10_000 + month * 100 + week),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_an_id_or_a_name() {
        let id = Address::repeat_byte(0xab);
        assert_eq!(lane(&id.to_string()), Ok(id));
        assert_eq!(lane("adluxe").unwrap().as_slice(), &keccak256("adluxe")[..20]);
        for wrong in ["", "0x", "0xab", "0xzz00000000000000000000000000000000000000"] {
            assert!(lane(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_period_is_a_number_or_a_week_of_a_month() {
        assert_eq!(period("20250901"), Ok(20_250_901));
        assert_eq!(period("2025-09-W01"), Ok(20_250_901));
        assert_eq!(period("2025-12-W05"), Ok(20_251_205));
        for wrong in
            ["", "-1", "4294967296", "2025-13-W01", "2025-09-W06", "2025-09-W1", "2025-9-W01", "2025-09-01"]
        {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
