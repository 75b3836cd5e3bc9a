//! How much of something anybody may do a second.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// Buckets beyond which those are dropped that are full again, since a full bucket says nothing.
const MANY: usize = 10_000;

/// Buckets of tokens: each fills at its rate up to what it holds.
pub(super) struct Rates<K> {
    buckets: HashMap<K, Bucket>,
}

struct Bucket {
    /// Thousandths of a token.
    level: u64,
    full: u64,
    rate: u64,
    at: Instant,
}

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Self { buckets: HashMap::new() }
    }
}

impl<K: Eq + Hash> Rates<K> {
    /// Takes `count` tokens of a bucket that gets `rate` a second and holds `full`, or says after how long they will be there.
    pub(super) fn take(
        &mut self,
        key: K,
        count: u64,
        rate: u64,
        full: u64,
        now: Instant,
    ) -> Result<(), Duration> {
        if self.buckets.len() >= MANY {
            self.buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.level < bucket.full
            });
        }
        let full = full.saturating_mul(1_000);
        let bucket = self.buckets.entry(key).or_insert(Bucket { level: full, full, rate, at: now });
        bucket.fill(now);
        let wanted = count.saturating_mul(1_000);
        match bucket.level.checked_sub(wanted) {
            Some(left) => {
                bucket.level = left;
                Ok(())
            }
            // Thousandths of a token at so many tokens a second are milliseconds.
            None => Err(Duration::from_millis((wanted - bucket.level).div_ceil(rate.max(1)))),
        }
    }
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        let more = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).saturating_mul(self.rate);
        if more > 0 {
            self.level = self.level.saturating_add(more).min(self.full);
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_it_holds_and_fills_at_its_rate() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        assert_eq!(rates.take(1, 10, 5, 10, start), Ok(()));
        assert_eq!(rates.take(1, 1, 5, 10, start), Err(Duration::from_millis(200)));
        assert_eq!(rates.take(2, 1, 5, 10, start), Ok(()), "each has its own");
        let later = start + Duration::from_millis(200);
        assert_eq!(rates.take(1, 1, 5, 10, later), Ok(()));
        assert!(rates.take(1, 1, 5, 10, later).is_err());
        assert_eq!(rates.take(1, 10, 5, 10, later + Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn many_callers_take_no_more_memory_than_those_who_lately_called() {
        let (mut rates, mut now) = (Rates::default(), Instant::now());
        for caller in 0..50_000u32 {
            now += Duration::from_millis(1);
            rates.take(caller, 1, 1_000, 10, now).unwrap();
        }
        assert!(rates.buckets.len() <= MANY);
    }
}
