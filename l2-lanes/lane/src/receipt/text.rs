//! Amounts and times as text.

use super::{MAX_AMOUNT, MAX_TIME};

/// A decimal such as `84.00` in units of 10^-`decimals`. Digits, and at most one point with digits on both sides; no sign, no
/// exponent, no needless zero in front, no more places than the currency has. Upholds [LAN-32].
pub fn minor_units(text: &str, decimals: u8) -> Option<u128> {
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) if !part.is_empty() => (whole, part),
        Some(_) => return None,
        None => (text, ""),
    };
    let places = usize::from(decimals);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let plain = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
    if !plain || !digits(whole) || !digits(part) || part.len() > places || whole.len() > 40 {
        return None;
    }
    let zeros = std::iter::repeat_n(b'0', places.checked_sub(part.len())?);
    let mut value = 0u128;
    for digit in whole.bytes().chain(part.bytes()).chain(zeros) {
        value = value.checked_mul(10)?.checked_add(digit.checked_sub(b'0')?.into())?;
    }
    (value <= MAX_AMOUNT).then_some(value)
}

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ` (ISO 8601, UTC, whole seconds). Upholds [LAN-33].
pub fn seconds(text: &str) -> Option<u64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'Z'] = *bytes
    else {
        return None;
    };
    let year = number(&[y1, y2, y3, y4])?;
    let [month, day, hour, minute, second] =
        [[m1, m2], [d1, d2], [h1, h2], [i1, i2], [s1, s2]].map(|pair| number(&pair));
    let (month, day, hour, minute, second) = (month?, day?, hour?, minute?, second?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    let exists = year >= 1970 && (1..=length).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !exists {
        return None;
    }
    let time = days_before(year, month)?.checked_add(day.checked_sub(1)?)?.checked_mul(86_400)?;
    let clock = hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    time.checked_add(clock).filter(|time| *time <= MAX_TIME)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.checked_sub(b'0')).flatten()?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Days from 1970-01-01 to the first of a month, by years that begin in March, so that the leap day is the last one.
fn days_before(year: u64, month: u64) -> Option<u64> {
    let (year, month) =
        if month > 2 { (year, month.checked_sub(3)?) } else { (year.checked_sub(1)?, month.checked_add(9)?) };
    // 153 days in any five months from March on; 719,468 days from 0000-03-01 to 1970-01-01.
    let within = month.checked_mul(153)?.checked_add(2)? / 5;
    let leaps = (year / 4).checked_sub(year / 100)?.checked_add(year / 400)?;
    year.checked_mul(365)?.checked_add(leaps)?.checked_add(within)?.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lan_32_amounts_are_read_to_the_unit_or_not_at_all() {
        assert_eq!(minor_units("84.00", 2), Some(8_400));
        assert_eq!(minor_units("84", 2), Some(8_400));
        assert_eq!(minor_units("0.05", 6), Some(50_000));
        assert_eq!(minor_units("79228162514264337593543950335", 0), Some(MAX_AMOUNT));
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "01",
            "00",
            "1.234",
            "1,5",
            " 1",
            "1 ",
            "0x1",
            "١",
            "79228162514264337593543950336",
            "99999999999999999999999999999999999999999999",
        ] {
            assert_eq!(minor_units(text, if text.len() > 9 { 0 } else { 2 }), None, "{text}");
        }
    }

    #[test]
    fn lan_33_times_are_whole_seconds_in_utc() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2025-09-01T00:00:00Z"), Some(1_756_684_800));
        assert_eq!(seconds("2024-02-29T23:59:59Z"), Some(1_709_251_199));
        assert_eq!(seconds("2000-03-01T00:00:00Z"), Some(951_868_800));
        for text in [
            "2025-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-09-00T00:00:00Z",
            "2025-09-31T00:00:00Z",
            "2025-09-01T24:00:00Z",
            "2025-09-01T00:60:00Z",
            "2025-09-01T00:00:60Z",
            "2025-09-01T00:00:00",
            "2025-09-01T00:00:00+00:00",
            "2025-09-01 00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2025-9-1T00:00:00Z",
            "+025-09-01T00:00:00Z",
            "2025-09-01T00:00:00z",
            "",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn lan_33_every_period_starts_when_its_text_says() {
        for code in [19_700_101u32, 20_240_205, 20_250_901, 20_251_205, 99_991_205] {
            let period = chlom_royalty::Period::new(code).unwrap();
            let day = (code % 100 - 1) * 7 + 1;
            let text = format!("{:04}-{:02}-{day:02}T00:00:00Z", code / 10_000, code / 100 % 100);
            assert_eq!(seconds(&text), Some(period.start()), "{text}");
        }
    }
}
