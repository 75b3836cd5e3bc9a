//! Root of an ordered list: the Merkle-Patricia trie of RLP(position) → item, as headers commit to transactions and
//! receipts (Yellow Paper, section 4.4).
//!
//! The keys are known beforehand, so that the trie needs no map: a node is made from a range of the positions in the order
//! of their keys. Large ranges are worked on in parallel; the root does not depend on it.

use std::ops::Range;

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header};
use rayon::prelude::*;

/// Root of a trie without leaves: keccak256 of the empty string's RLP.
const EMPTY_ROOT: B256 = alloy_consensus::constants::EMPTY_ROOT_HASH;

/// Fewer items than this are not worth handing over to another thread.
const SPLIT: usize = 128;

/// Root of the list whose item at each position below `count` is what `put` appends to a buffer.
///
/// Items are not empty: no encoding of a transaction or a receipt is.
pub(crate) fn list_root(count: usize, put: impl Fn(usize, &mut Vec<u8>) + Sync) -> B256 {
    if count == 0 {
        return EMPTY_ROOT;
    }
    let list = List { count, put };
    let mut writer = Writer::default();
    list.node(&mut writer, 0..count, 0);
    keccak256(&writer.node)
}

/// A list whose root is asked for.
struct List<P> {
    count: usize,
    put: P,
}

/// Buffers for an item and for a node.
#[derive(Default)]
struct Writer {
    item: Vec<u8>,
    node: Vec<u8>,
}

/// What a parent embeds of a node: its hash, or the node itself when it is shorter than 32 bytes; as RLP.
#[derive(Clone, Copy)]
struct Reference {
    bytes: [u8; 33],
    len: usize,
}

impl Reference {
    fn of(node: &[u8]) -> Self {
        let mut bytes = [0; 33];
        let len = if node.len() < 32 {
            bytes[..node.len()].copy_from_slice(node);
            node.len()
        } else {
            bytes[0] = EMPTY_STRING_CODE + 32;
            bytes[1..].copy_from_slice(keccak256(node).as_slice());
            33
        };
        Self { bytes, len }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// RLP of a position, left-aligned, with its number of nibbles. No key is the beginning of another.
#[derive(Clone, Copy)]
struct Key {
    bits: u64,
    nibbles: usize,
}

impl Key {
    fn of(position: usize) -> Self {
        let mut bytes = [0u8; 16];
        let mut out = &mut bytes[..];
        (position as u64).encode(&mut out);
        let length = 16 - out.len();
        // Positions below 2⁵⁶ take 8 bytes with their prefix; a list in memory is shorter.
        let bits = bytes.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first));
        Self { bits, nibbles: length * 2 }
    }

    fn nibble(self, at: usize) -> u8 {
        (self.bits >> (60 - 4 * at) & 0x0f) as u8
    }

    /// How many nibbles two different keys share.
    fn common(self, other: Self) -> usize {
        (self.bits ^ other.bits).leading_zeros() as usize / 4
    }

    /// The nibbles from `from` to `to` as an RLP string in hex-prefix encoding.
    fn put_path(self, from: usize, to: usize, flag: u8, out: &mut Vec<u8>) {
        let count = to - from;
        if count > 1 {
            out.push(EMPTY_STRING_CODE + path_bytes(count) as u8);
        }
        let (mut at, first) =
            if count.is_multiple_of(2) { (from, flag) } else { (from + 1, flag | 0x10 | self.nibble(from)) };
        out.push(first);
        while at < to {
            out.push(self.nibble(at) << 4 | self.nibble(at + 1));
            at += 2;
        }
    }
}

/// Bytes of `count` nibbles in hex-prefix encoding.
const fn path_bytes(count: usize) -> usize {
    count / 2 + 1
}

/// Length of the RLP of `count` nibbles in hex-prefix encoding: one byte is below 0x80, hence its own RLP.
const fn path_length(count: usize) -> usize {
    let bytes = path_bytes(count);
    if bytes == 1 { 1 } else { bytes + 1 }
}

impl<P: Fn(usize, &mut Vec<u8>) + Sync> List<P> {
    /// The position whose key comes at `rank`: RLP writes 1 to 127 as themselves, 0 as 0x80, and then the others.
    fn position(&self, rank: usize) -> usize {
        let zero = self.count.min(128) - 1;
        if rank < zero {
            rank + 1
        } else if rank == zero {
            0
        } else {
            rank
        }
    }

    fn key(&self, rank: usize) -> Key {
        Key::of(self.position(rank))
    }

    /// Leaves the node over these ranks, whose keys share `depth` nibbles, in `writer.node`.
    fn node(&self, writer: &mut Writer, ranks: Range<usize>, depth: usize) {
        let first = self.key(ranks.start);
        if ranks.len() == 1 {
            return self.leaf(writer, ranks.start, depth);
        }
        let fork = first.common(self.key(ranks.end - 1));
        self.branch(writer, ranks, fork);
        if fork > depth {
            let below = Reference::of(&writer.node);
            writer.node.clear();
            let payload_length = path_length(fork - depth) + below.len;
            Header { list: true, payload_length }.encode(&mut writer.node);
            first.put_path(depth, fork, 0, &mut writer.node);
            writer.node.extend_from_slice(below.as_slice());
        }
    }

    fn leaf(&self, writer: &mut Writer, rank: usize, depth: usize) {
        let (position, key) = (self.position(rank), self.key(rank));
        writer.item.clear();
        (self.put)(position, &mut writer.item);
        let item = writer.item.as_slice();
        writer.node.clear();
        let payload_length = path_length(key.nibbles - depth) + item.length();
        Header { list: true, payload_length }.encode(&mut writer.node);
        key.put_path(depth, key.nibbles, 0x20, &mut writer.node);
        item.encode(&mut writer.node);
    }

    fn branch(&self, writer: &mut Writer, ranks: Range<usize>, fork: usize) {
        let parts = self.parts(ranks.clone(), fork);
        let children: Vec<(u8, Reference)> = if ranks.len() >= SPLIT {
            let run = |(slot, part): (u8, Range<usize>)| {
                let mut writer = Writer::default();
                self.node(&mut writer, part, fork + 1);
                (slot, Reference::of(&writer.node))
            };
            parts.into_par_iter().map(run).collect()
        } else {
            let run = |(slot, part)| {
                self.node(writer, part, fork + 1);
                (slot, Reference::of(&writer.node))
            };
            parts.into_iter().map(run).collect()
        };
        let payload_length = 17 - children.len() + children.iter().map(|(_, child)| child.len).sum::<usize>();
        writer.node.clear();
        Header { list: true, payload_length }.encode(&mut writer.node);
        let mut next = 0;
        for (slot, child) in &children {
            writer.node.resize(writer.node.len() + usize::from(slot - next), EMPTY_STRING_CODE);
            writer.node.extend_from_slice(child.as_slice());
            next = slot + 1;
        }
        // Empty slots, and no value: no key ends at a branch.
        writer.node.resize(writer.node.len() + usize::from(17 - next), EMPTY_STRING_CODE);
    }

    /// Ranks by the nibble `fork` of their keys.
    fn parts(&self, ranks: Range<usize>, fork: usize) -> Vec<(u8, Range<usize>)> {
        let mut parts = Vec::with_capacity(16);
        let mut start = ranks.start;
        while start < ranks.end {
            let slot = self.key(start).nibble(fork);
            let (mut end, mut beyond) = (start + 1, ranks.end);
            while end < beyond {
                let middle = end + (beyond - end) / 2;
                if self.key(middle).nibble(fork) == slot {
                    end = middle + 1;
                } else {
                    beyond = middle;
                }
            }
            parts.push((slot, start..end));
            start = end;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::root::ordered_trie_root_with_encoder;
    use proptest::prelude::*;

    fn assert_same(items: &[Vec<u8>]) {
        let root = list_root(items.len(), |at, out| out.extend_from_slice(&items[at]));
        let naive = ordered_trie_root_with_encoder(items, |item, out| out.extend_from_slice(item));
        assert_eq!(root, naive, "{} items", items.len());
    }

    /// Positions change the length of their RLP at 128, 256 and 65,536; the parallel part begins at 128 items.
    #[test]
    fn the_root_is_that_of_the_ordered_trie_around_every_change_of_the_keys_length() {
        let item = |at: usize| vec![1 + (at % 250) as u8; 1 + at * 7 % 90];
        for count in (0..300).chain([511, 512, 513, 4_096, 5_000, 65_535, 65_536, 65_537, 66_000]) {
            assert_same(&(0..count).map(item).collect::<Vec<_>>());
        }
    }

    #[test]
    fn items_of_a_byte_and_of_two_nodes_length_are_embedded_as_ethereum_does() {
        for byte in [0x01, 0x7f, 0x80, 0xff] {
            for count in [1, 2, 3, 17, 130, 300] {
                assert_same(&vec![vec![byte]; count]);
            }
        }
        for length in [27, 28, 29, 30, 31, 32, 33, 55, 56, 57, 255, 256, 70_000] {
            assert_same(&vec![vec![0xaa; length]; 3]);
        }
    }

    proptest! {
        #[test]
        fn the_root_of_any_items_is_that_of_the_ordered_trie(
            items in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..120), 0..700),
        ) {
            assert_same(&items);
        }
    }
}
