//! Hashes of new pending transactions, for the filters that poll them.

use std::collections::VecDeque;

use alloy_primitives::B256;
use parking_lot::Mutex;

/// Hashes kept: 4 MiB, some seconds of the busiest chain.
const KEPT: usize = 131_072;

/// The last hashes, each with its position since the start.
#[derive(Debug, Default)]
pub(crate) struct PendingRing(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    hashes: VecDeque<B256>,
    /// Position of the first hash kept.
    first: u64,
}

impl PendingRing {
    /// Adds a hash; the oldest leaves when there are too many.
    pub(crate) fn push(&self, hash: B256) {
        let mut ring = self.0.lock();
        if ring.hashes.len() == KEPT {
            ring.hashes.pop_front();
            ring.first += 1;
        }
        ring.hashes.push_back(hash);
    }

    /// Notes that `missed` hashes were never seen: readers that wait for them are told.
    pub(crate) fn lose(&self, missed: u64) {
        let mut ring = self.0.lock();
        ring.first += ring.hashes.len() as u64 + missed;
        ring.hashes.clear();
    }

    /// The position that the next hash will have.
    pub(crate) fn next(&self) -> u64 {
        let ring = self.0.lock();
        ring.first + ring.hashes.len() as u64
    }

    /// Hashes from position `from` on, the position after them, and how many were lost in between.
    pub(crate) fn since(&self, from: u64) -> (Vec<B256>, u64, u64) {
        let ring = self.0.lock();
        let lost = ring.first.saturating_sub(from);
        let skip = usize::try_from(from.saturating_sub(ring.first)).unwrap_or(usize::MAX);
        let hashes = ring.hashes.iter().skip(skip).copied().collect();
        (hashes, ring.first + ring.hashes.len() as u64, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: usize) -> B256 {
        B256::left_padding_from(&n.to_be_bytes())
    }

    #[test]
    fn each_reader_gets_every_hash_once() {
        let ring = PendingRing::default();
        ring.push(hash(1));
        let start = ring.next();
        ring.push(hash(2));
        ring.push(hash(3));
        let (got, next, lost) = ring.since(start);
        assert_eq!((got, lost), (vec![hash(2), hash(3)], 0));
        assert_eq!(ring.since(next), (Vec::new(), next, 0));
    }

    #[test]
    fn hashes_that_were_never_seen_count_as_lost() {
        let ring = PendingRing::default();
        ring.push(hash(1));
        ring.lose(5);
        ring.push(hash(2));
        assert_eq!(ring.since(0), (vec![hash(2)], 7, 6));
    }

    #[test]
    fn a_reader_that_falls_behind_is_told_how_much_it_lost() {
        let ring = PendingRing::default();
        for n in 0..KEPT + 10 {
            ring.push(hash(n));
        }
        let (got, next, lost) = ring.since(3);
        assert_eq!((got.len(), next, lost), (KEPT, (KEPT + 10) as u64, 7));
        assert_eq!(got[0], hash(10));
    }
}
