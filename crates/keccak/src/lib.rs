//! keccak256 of many messages at once.
//!
//! A trie's update hashes thousands of nodes, and those of one level do not depend on each other. Four messages of equally
//! many blocks fill the four lanes of a vector register, so that one permutation serves them all: some two fifths of the
//! time of one after the other (spec/decisions/0024-hashes-side-by-side.md). Where a processor has no such registers they are hashed one
//! after the other. The hashes are the same everywhere, whatever the messages beside them.

#[cfg(target_arch = "x86_64")]
mod lanes;

use alloy_primitives::{B256, keccak256};
use arrayvec::ArrayVec;

/// Bytes of a block: the sponge's rate.
const RATE: usize = 136;

/// Longest message, in blocks, that waits for others of its size; a trie's largest node takes four.
const BLOCKS: usize = 4;

/// Messages that are hashed side by side.
const LANES: usize = 4;

/// Messages to be hashed together. Its memory is used again.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    hashes: Vec<B256>,
}

impl Batch {
    /// Adds a message.
    pub fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The messages' hashes in the order in which they came. The batch is empty then.
    pub fn hash(&mut self) -> &[B256] {
        self.hashes.clear();
        self.hashes.resize(self.ends.len(), B256::ZERO);
        let mut waiting: [ArrayVec<usize, LANES>; BLOCKS] = Default::default();
        for at in 0..self.ends.len() {
            let message = self.message(at);
            match waiting.get_mut(message.len() / RATE) {
                Some(same) => {
                    same.push(at);
                    if same.is_full() {
                        let together = same.take();
                        self.together(&together);
                    }
                }
                None => self.hashes[at] = keccak256(message),
            }
        }
        waiting.iter().for_each(|same| self.together(same));
        self.bytes.clear();
        self.ends.clear();
        &self.hashes
    }

    fn message(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[at]]
    }

    /// Hashes up to four messages of as many blocks.
    fn together(&mut self, messages: &[usize]) {
        #[cfg(target_arch = "x86_64")]
        if let ([first, _, ..], Some(unit)) = (messages, lanes::unit()) {
            // A lane that has none of its own repeats the first.
            let at = |lane: usize| messages.get(lane).unwrap_or(first);
            let hashes = lanes::hash(unit, std::array::from_fn(|lane| self.message(*at(lane))));
            for (at, hash) in messages.iter().zip(hashes) {
                self.hashes[*at] = hash;
            }
            return;
        }
        for at in messages {
            self.hashes[*at] = keccak256(self.message(*at));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(messages: &[Vec<u8>]) {
        let mut batch = Batch::default();
        for _ in 0..2 {
            messages.iter().for_each(|message| batch.push(message));
            assert_eq!(batch.len(), messages.len());
            let expected: Vec<B256> = messages.iter().map(keccak256).collect();
            assert_eq!(batch.hash(), expected);
            assert!(batch.is_empty());
        }
    }

    #[test]
    fn every_length_around_the_blocks_edges_has_its_hash_in_every_lane() {
        for length in (0..700).filter(|length| length % RATE < 9 || length % RATE > 126) {
            for count in 1..=9u8 {
                let message = |n: u8| (0..length).map(|i| (i as u8).wrapping_mul(n + 3) ^ n).collect();
                check(&(0..count).map(message).collect::<Vec<Vec<u8>>>());
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn lanes_give_the_vectors_of_keccak() {
        let Some(unit) = lanes::unit() else { return };
        let hashes = lanes::hash(unit, [b"", b"abc", b"chlom", b""]);
        let empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        let abc = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";
        assert_eq!(format!("{:x}", hashes[0]), empty);
        assert_eq!(format!("{:x}", hashes[1]), abc);
        assert_eq!(hashes[2], keccak256("chlom"));
        assert_eq!(hashes[3], hashes[0]);
    }

    proptest! {
        #[test]
        fn a_batch_of_anything_is_hashed_as_one_by_one(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..900), 0..40)
        ) {
            check(&messages);
        }
    }
}
