//! A branch with its children, as bytes.
//!
//! Records are what an update reads and writes most, what fills the caches and what the store keeps: so a branch is one
//! allocation that holds the very bytes of its record. Nibbles that the branch's own path implies are not in them, nor the
//! first byte of a hash's RLP. They are `depth u8 | taken u16 | leaves u16 | marked u16`, with bit n for slot n, and then
//! the children in order:
//!
//! | child | bytes |
//! |---|---|
//! | leaf | key from the byte that holds its first nibble below the slot, hash |
//! | leaf, marked: its node is shorter than 32 bytes | length of the node, key as above, node |
//! | branch | hash |
//! | branch, marked: behind an extension, or shorter than 32 bytes | nibbles of its path, length of the node, path as above, node |
//!
//! Every branch has one encoding only.

use std::sync::Arc;

use alloy_primitives::B256;

use super::child::{Child, KEY_NIBBLES, node_from_stored};

/// Bytes before the children.
pub(super) const HEADER: usize = 7;
/// Bytes of a hash.
pub(super) const HASH: usize = 32;

/// A branch of 16 slots, at least two of them taken, at `depth` nibbles below the root. Values at branches do not occur:
/// all keys have 64 nibbles. A clone is another handle to the same bytes.
///
/// # Invariants
/// The bytes are as the module's documentation says: they come from a `Weaver` or were checked by `Branch::decode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch(Arc<[u8]>);

impl Branch {
    /// Bytes that nobody checked.
    pub(super) fn unchecked(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes of the branch's record.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The branch's own number of nibbles.
    pub(crate) fn depth(&self) -> usize {
        usize::from(self.0[0])
    }

    /// Bit n is set when slot n is taken.
    pub fn mask(&self) -> u16 {
        self.word(1)
    }

    /// Whether there is a branch in slot `nibble`.
    pub(crate) fn has_branch(&self, nibble: u8) -> bool {
        (self.mask() & !self.leaves()) >> nibble & 1 == 1
    }

    /// Whether the leaf of a key that this branch is above is in slot `nibble`.
    pub(crate) fn has_leaf(&self, nibble: u8, key: &B256) -> bool {
        self.leaves() >> nibble & 1 == 1
            && self
                .entry(nibble, self.offset(nibble))
                .is_some_and(|entry| entry.path == &key.0[implied_bytes(self.depth())..])
    }

    pub(super) fn leaves(&self) -> u16 {
        self.word(3)
    }

    pub(super) fn marked(&self) -> u16 {
        self.word(5)
    }

    fn word(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.0[at], self.0[at + 1]])
    }

    /// The child in slot `nibble` of the branch, whose path is `path`: packed, zero after the branch's depth.
    pub fn child(&self, path: &B256, nibble: u8) -> Option<Child> {
        let bit = 1u16.checked_shl(u32::from(nibble))?;
        if self.mask() & bit == 0 {
            return None;
        }
        self.entry(nibble, self.offset(nibble)).and_then(|entry| entry.child(path, self.depth()))
    }

    /// Taken slots with their children, in order, of the branch at `path`.
    pub fn children(&self, path: &B256) -> impl Iterator<Item = (u8, Child)> {
        self.entries().filter_map(|entry| Some((entry.slot, entry.child(path, self.depth())?)))
    }

    /// Children as they are stored, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut at = HEADER;
        slots(self.mask()).map_while(move |slot| {
            let entry = self.entry(slot, at)?;
            at = entry.end;
            Some(entry)
        })
    }

    fn entry(&self, slot: u8, at: usize) -> Option<Entry<'_>> {
        let is = |mask: u16| mask >> slot & 1 == 1;
        Entry::read(&self.0, at, slot, self.depth(), (is(self.leaves()), is(self.marked())))
    }

    /// Where the child in this slot begins, or would.
    pub(super) fn offset(&self, slot: u8) -> usize {
        let below = ((1u32 << slot) - 1) as u16;
        if self.marked() & below != 0 {
            return self
                .entries()
                .take_while(|entry| entry.slot < slot)
                .last()
                .map_or(HEADER, |entry| entry.end);
        }
        let count = |mask: u16| (mask & below).count_ones() as usize;
        HEADER + count(self.mask()) * HASH + count(self.leaves()) * (HASH - implied_bytes(self.depth()))
    }
}

/// Whole bytes of a path that a branch at `depth` and the child's slot imply.
pub(super) const fn implied_bytes(depth: usize) -> usize {
    depth.div_ceil(2)
}

/// The slots that a mask names, in order.
pub(crate) fn slots(mut mask: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros() as u8;
        mask &= mask.wrapping_sub(1);
        (slot < 16).then_some(slot)
    })
}

/// A child as it is stored.
pub(crate) struct Entry<'b> {
    /// Its slot.
    pub(crate) slot: u8,
    /// Nibbles of its path.
    pub(super) len: usize,
    /// Its path, from the byte that holds the first nibble below the slot.
    pub(super) path: &'b [u8],
    /// A hash, or a node shorter than that.
    pub(crate) node: &'b [u8],
    /// Where it ends in the record.
    pub(super) end: usize,
}

impl<'b> Entry<'b> {
    /// The child at `at`; `kind` is whether it is a leaf and whether it is marked. `None` when the bytes end before.
    pub(super) fn read(
        bytes: &'b [u8],
        at: usize,
        slot: u8,
        depth: usize,
        kind: (bool, bool),
    ) -> Option<Self> {
        let (len, node_len, start) = match kind {
            (true, false) => (KEY_NIBBLES, HASH, at),
            (true, true) => (KEY_NIBBLES, usize::from(*bytes.get(at)?), at + 1),
            (false, false) => (depth + 1, HASH, at),
            (false, true) => (usize::from(*bytes.get(at)?), usize::from(*bytes.get(at + 1)?), at + 2),
        };
        let plain = kind == (false, false);
        let path_len = if plain { 0 } else { len.div_ceil(2).checked_sub(implied_bytes(depth))? };
        let path = bytes.get(start..start + path_len)?;
        let end = start + path_len + node_len;
        let node = bytes.get(start + path_len..end)?;
        Some(Self { slot, len, path, node, end })
    }

    /// The child below the branch at `path` and `depth`.
    pub(super) fn child(&self, path: &B256, depth: usize) -> Option<Child> {
        let mut own = *path;
        own.0[depth / 2] |= if depth.is_multiple_of(2) { self.slot << 4 } else { self.slot };
        let implied = implied_bytes(depth);
        own.0.get_mut(implied..implied + self.path.len())?.copy_from_slice(self.path);
        Some(Child::branch(own, self.len as u8, node_from_stored(self.node)?))
    }
}
