//! How much of something anybody may do a second.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// Most buckets. When there are so many, those are dropped that are full again, since a full bucket says nothing.
const MOST: usize = 10_000;
/// How often that is done at most: it takes a look at every bucket.
const SWEEP: Duration = Duration::from_secs(1);

/// Buckets of tokens: each fills at its rate up to what it holds.
pub(super) struct Rates<K> {
    buckets: HashMap<K, Bucket>,
    swept: Option<Instant>,
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
        Self { buckets: HashMap::new(), swept: None }
    }
}

impl<K: Eq + Hash> Rates<K> {
    /// Takes `count` tokens of a bucket that gets `rate` a second and holds `full`, or says after how long they will be there. While
    /// there are as many buckets as may be, whoever has none waits.
    pub(super) fn take(
        &mut self,
        key: K,
        count: u64,
        rate: u64,
        full: u64,
        now: Instant,
    ) -> Result<(), Duration> {
        if self.buckets.len() >= MOST && !self.buckets.contains_key(&key) {
            self.sweep(now);
            if self.buckets.len() >= MOST {
                return Err(SWEEP);
            }
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

impl<K: Eq + Hash> Rates<K> {
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < SWEEP) {
            return;
        }
        self.swept = Some(now);
        self.buckets.retain(|_, bucket| {
            bucket.fill(now);
            bucket.level < bucket.full
        });
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
    fn callers_without_number_take_bounded_memory_and_keep_nobody_out_for_long() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        let taken = (0..50_000u32).filter(|caller| rates.take(*caller, 1, 1, 1, start).is_ok()).count();
        assert_eq!((taken, rates.buckets.len()), (MOST, MOST));
        assert!(rates.take(1, 0, 1, 1, start).is_ok(), "who has a bucket keeps it");
        let later = start + Duration::from_secs(2);
        assert_eq!(rates.take(60_000, 1, 1, 1, later), Ok(()));
        assert_eq!(rates.buckets.len(), 1);
    }
}
