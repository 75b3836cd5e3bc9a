//! Chain time: the machine's clock plus what a developer added. Consensus never sees it, only the value in a header.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::ChainError;

/// Seconds since 1970 for the next block.
#[derive(Clone, Debug, Default)]
pub struct ChainClock {
    offset: u64,
    behind: u64,
    next: Option<u64>,
}

impl ChainClock {
    /// Chain time now, without effect of [`ChainClock::set_next`].
    pub fn now(&self) -> u64 {
        machine_seconds().saturating_add(self.offset).saturating_sub(self.behind)
    }

    /// Chain time less the machine's, seconds; with effect of [`ChainClock::set_next`].
    pub fn shift(&self) -> i64 {
        let chain = self.next.unwrap_or_else(|| self.now());
        let narrow = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        narrow(chain).saturating_sub(narrow(machine_seconds()))
    }

    /// The time for the block that is made now. A time fixed by [`ChainClock::set_next`] is used up, and chain time
    /// goes on from it.
    pub fn take(&mut self) -> u64 {
        match self.next.take() {
            Some(fixed) => {
                let machine = machine_seconds();
                self.offset = fixed.saturating_sub(machine);
                self.behind = machine.saturating_sub(fixed);
                fixed
            }
            None => self.now(),
        }
    }

    /// Moves chain time forward by `seconds` from wherever it is: the clock, or the latest block (`head`) where blocks in
    /// quick succession ran ahead of it. Returns the total offset, seconds.
    ///
    /// # Errors
    /// The sum leaves 64 bits.
    pub fn increase(&mut self, seconds: u64, head: u64) -> Result<u64, ChainError> {
        let seconds = seconds.saturating_add(head.saturating_sub(self.now()));
        let overflow = ChainError::TimeOverflow(seconds);
        // Half of the range stays free, so that no later block can run out of timestamps.
        let limit = u64::MAX / 2;
        let offset = self.offset.checked_add(seconds).filter(|sum| *sum < limit).ok_or(overflow)?;
        if let Some(next) = &mut self.next {
            *next = next.saturating_add(seconds);
        }
        self.offset = offset;
        Ok(self.offset.saturating_sub(self.behind))
    }

    /// Fixes the next block's time. `head` is the latest block's.
    ///
    /// # Errors
    /// Not later than `head`, or in the far half of the range.
    pub fn set_next(&mut self, timestamp: u64, head: u64) -> Result<(), ChainError> {
        if timestamp <= head {
            return Err(ChainError::Timestamp { asked: timestamp, head });
        }
        if timestamp >= u64::MAX / 2 {
            return Err(ChainError::TimeOverflow(timestamp));
        }
        self.next = Some(timestamp);
        Ok(())
    }
}

pub(crate) fn machine_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_timestamp_is_used_once_and_time_goes_on_from_it() {
        let mut clock = ChainClock::default();
        let later = clock.now() + 1_000_000;
        clock.set_next(later, 5).expect("later than the head");
        assert_eq!(clock.take(), later);
        let after = clock.take();
        assert!(after >= later && after < later + 60, "{after}");
    }

    #[test]
    fn time_may_be_set_behind_the_machine_but_not_behind_the_head() {
        let mut clock = ChainClock::default();
        clock.set_next(1_000, 999).expect("later than the head");
        assert_eq!(clock.take(), 1_000);
        assert!(clock.now() < 1_060);
        let now = machine_seconds().saturating_add_signed(clock.shift());
        assert!((1_000..1_060).contains(&now), "{now}");
        assert!(matches!(clock.set_next(1_000, 1_000), Err(ChainError::Timestamp { .. })));
    }

    #[test]
    fn increases_add_up_and_cannot_overflow() {
        let mut clock = ChainClock::default();
        assert_eq!(clock.increase(10, 0).expect("fits"), 10);
        assert_eq!(clock.increase(5, 0).expect("fits"), 15);
        assert!(matches!(clock.increase(u64::MAX, 0), Err(ChainError::TimeOverflow(_))));
        assert_eq!(clock.increase(0, 0).expect("unchanged"), 15);
    }

    #[test]
    fn an_increase_counts_from_a_head_that_ran_ahead_of_the_clock() {
        let mut clock = ChainClock::default();
        let head = clock.now() + 100;
        clock.increase(3_600, head).expect("fits");
        assert!(clock.take() >= head + 3_600);
    }
}
