//! Periods: the weeks that revenue is counted by (C16).
//!
//! `yyyy·10⁴ + mm·10² + w`, `w` = ⌈day of month / 7⌉ in UTC: 20250901 is 1 to 7 September 2025, and week 5 is what a
//! month has past its 28th day.

use crate::PeriodMalformed;

const DAY: u64 = 86_400;
/// The longest period, in seconds.
pub const WEEK: u64 = 7 * DAY;
/// Batches of a period may come until so many seconds after its end (ARCHITECTURE §6).
pub const SUBMISSION_WINDOW: u64 = 60 * DAY;
const FIRST_YEAR: u32 = 1970;
const LAST_YEAR: u32 = 9999;

/// A week of a month, checked. Ordered as time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u32);

impl Period {
    /// # Errors
    /// [`PeriodMalformed`] for years before 1970 or past 9999, months and weeks that do not exist, and week 5 of a February
    /// with 28 days.
    pub fn new(code: u32) -> Result<Self, PeriodMalformed> {
        let (year, month, week) = parts(code);
        let known = (FIRST_YEAR..=LAST_YEAR).contains(&year) && (1..=12).contains(&month);
        if !known || !(1..=5).contains(&week) || first_day(week) > days_in_month(year, month) {
            return Err(PeriodMalformed(code));
        }
        Ok(Self(code))
    }

    /// The period that holds `time`, in seconds since 1970; `None` past the year 9999.
    pub fn containing(time: u64) -> Option<Self> {
        let (year, month, day) = civil(time.checked_div(DAY)?)?;
        let week = day.checked_add(6)?.checked_div(7)?;
        let code = year.checked_mul(10_000)?.checked_add(month.checked_mul(100)?)?.checked_add(week)?;
        Self::new(code).ok()
    }

    /// `yyyymm0w`.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The first second.
    pub fn start(self) -> u64 {
        let (year, month, week) = parts(self.0);
        seconds(days_before(year, month), first_day(week).saturating_sub(1))
    }

    /// The first second after it.
    pub fn end(self) -> u64 {
        let (year, month, week) = parts(self.0);
        seconds(days_before(year, month), week.saturating_mul(7).min(days_in_month(year, month)))
    }
}

const fn parts(code: u32) -> (u32, u32, u32) {
    (code.wrapping_div(10_000), code.wrapping_div(100).wrapping_rem(100), code.wrapping_rem(100))
}

/// Seconds of `days` and `more` days; both are far below what 64 bits hold.
fn seconds(days: u64, more: u32) -> u64 {
    days.saturating_add(u64::from(more)).saturating_mul(DAY)
}

const fn first_day(week: u32) -> u32 {
    week.saturating_mul(7).saturating_sub(6)
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January 1970 to the first of `month`.
fn days_before(year: u32, month: u32) -> u64 {
    let months = (1..month).map(|m| u64::from(days_in_month(year, m))).fold(0, u64::saturating_add);
    year_start(year).saturating_add(months)
}

/// Days from 1 January 1970 to 1 January of `year`: 365 a year and one for every leap year between.
fn year_start(year: u32) -> u64 {
    /// Leap years before 1970.
    const BEFORE: u64 = 477;
    let past = u64::from(year.saturating_sub(1));
    let leaps = (past / 4).saturating_sub(past / 100).saturating_add(past / 400).saturating_sub(BEFORE);
    u64::from(year.saturating_sub(FIRST_YEAR)).saturating_mul(365).saturating_add(leaps)
}

/// Year, month and day of the month of a day since 1970.
fn civil(day: u64) -> Option<(u32, u32, u32)> {
    // A year has at most 366 days, so this is never late, and no more than six years early.
    let mut year = FIRST_YEAR.checked_add(u32::try_from(day / 366).ok()?)?;
    while year <= LAST_YEAR && year_start(year.checked_add(1)?) <= day {
        year = year.checked_add(1)?;
    }
    if year > LAST_YEAR {
        return None;
    }
    let mut rest = u32::try_from(day.checked_sub(year_start(year))?).ok()?;
    let mut month = 1;
    while rest >= days_in_month(year, month) {
        rest = rest.checked_sub(days_in_month(year, month))?;
        month = month.saturating_add(1);
    }
    Some((year, month, rest.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_week_of_september_2025_is_its_first_seven_days() {
        let period = Period::new(20_250_901).unwrap();
        assert_eq!(period.start(), 1_756_684_800);
        assert_eq!(period.end(), 1_757_289_600);
    }

    #[test]
    fn week_five_is_what_is_left_of_the_month() {
        let week = |code| Period::new(code).map(|p| (p.end() - p.start()) / DAY);
        assert_eq!(week(20_250_105), Ok(3));
        assert_eq!(week(20_250_405), Ok(2));
        assert_eq!(week(20_240_205), Ok(1));
        assert_eq!(week(20_250_205), Err(PeriodMalformed(20_250_205)));
        assert_eq!(week(21_000_205), Err(PeriodMalformed(21_000_205)));
        assert_eq!(week(20_000_205), Ok(1));
    }

    #[test]
    fn numbers_that_name_no_week_are_refused() {
        for code in [0, 19_691_201, 20_250_001, 20_251_301, 20_250_900, 20_250_906, 100_000_101, u32::MAX] {
            assert_eq!(Period::new(code), Err(PeriodMalformed(code)));
        }
    }

    /// Every period from 1970 to 9999 begins where the one before ends, and holds its first and last seconds.
    #[test]
    fn periods_tile_time_without_gap_or_overlap() {
        let mut time = 0;
        let mut last = 0;
        while let Some(period) = Period::containing(time) {
            assert_eq!(period.start(), time);
            assert!(period.end() > time && period.end() - time <= 7 * DAY);
            assert_eq!(Period::containing(period.end() - 1), Some(period));
            assert!(period.code() > last, "codes are ordered as time is");
            last = period.code();
            time = period.end();
        }
        assert_eq!(last, 99_991_205);
        assert_eq!(time, 253_402_300_800);
        assert_eq!(Period::containing(u64::MAX), None);
    }
}
