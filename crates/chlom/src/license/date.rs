//! Days of the calendar, in UTC.

const DAY: u64 = 86_400;

/// The first second of a day `yyyy-mm-dd`, 1970 to 9999.
pub(crate) fn day_start(text: &str) -> Result<u64, String> {
    let malformed = || format!("{text:?} is no day; write yyyy-mm-dd");
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return Err(malformed()) };
    if (year.len(), month.len(), day.len()) != (4, 2, 2)
        || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    {
        return Err(malformed());
    }
    let number = |part: &str| part.parse::<u64>().map_err(|_| malformed());
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return Err(format!("{text} does not exist"));
    }
    let before: u64 = (1970..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum();
    let months: u64 = (1..month).map(|m| days_in(year, m)).sum();
    Ok((before + months + day - 1) * DAY)
}

/// The first second after a day: what a window that includes the day ends with. Upholds [GEN-8].
pub(crate) fn day_end(text: &str) -> Result<u64, String> {
    Ok(day_start(text)? + DAY)
}

/// `yyyy-mm-dd` of a second; the whole time when it is not a day's first.
pub(crate) fn shown(time: u64) -> String {
    let (mut days, second) = (time / DAY, time % DAY);
    let mut year = 1970;
    while days >= if is_leap(year) { 366 } else { 365 } {
        days -= if is_leap(year) { 366 } else { 365 };
        year += 1;
        if year > 9999 {
            return time.to_string();
        }
    }
    let mut month = 1;
    while days >= days_in(year, month) {
        days -= days_in(year, month);
        month += 1;
    }
    let date = format!("{year:04}-{month:02}-{:02}", days + 1);
    if second == 0 { date } else { format!("{date}T{}", clock(second)) }
}

/// `yyyy-mm-ddThh:mm:ssZ` of a second up to the year 9999.
pub(crate) fn shown_with_time(time: u64) -> String {
    format!("{}T{}", shown(time - time % DAY), clock(time % DAY))
}

fn clock(second: u64) -> String {
    format!("{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc_and_ends_before_the_next() {
        assert_eq!(day_start("1970-01-01"), Ok(0));
        assert_eq!(day_start("2025-09-01"), Ok(1_756_684_800));
        assert_eq!(day_end("2026-08-31"), day_start("2026-09-01"));
        assert_eq!(day_end("2024-02-29"), day_start("2024-03-01"));
        assert_eq!(day_end("2099-12-31"), day_start("2100-01-01"));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2025-9-1",
            "2025-09-31",
            "2025-02-29",
            "1969-12-31",
            "2025-00-01",
            "2025-13-01",
            "+025-09-01",
            "2025/09/01",
            "2025-09-01T00:00",
        ] {
            assert!(day_start(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_shown_as_the_day_it_was_read_from() {
        for text in ["1970-01-01", "2024-02-29", "2025-12-31", "9999-12-31"] {
            assert_eq!(day_start(text).map(shown), Ok(text.to_owned()));
        }
        assert_eq!(shown(86_399), "1970-01-01T23:59:59Z");
    }
}
