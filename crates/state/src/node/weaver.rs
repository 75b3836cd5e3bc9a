//! Writing branches.

use super::{
    branch::{Branch, HASH, implied_bytes},
    child::{Child, stored_node},
};

/// Writes a branch's children in order, those of an old branch and new ones.
pub(crate) struct Weaver<'w> {
    out: &'w mut Vec<u8>,
    depth: usize,
    /// Taken, leaves, marked.
    masks: [u16; 3],
}

impl<'w> Weaver<'w> {
    /// Replaces what was in `out`.
    pub(crate) fn new(out: &'w mut Vec<u8>, depth: usize) -> Self {
        out.clear();
        out.extend_from_slice(&[depth as u8, 0, 0, 0, 0, 0, 0]);
        Self { out, depth, masks: [0; 3] }
    }

    /// Takes over the children of another branch of this depth in the slots from `from` and before `to`.
    pub(crate) fn keep(&mut self, old: &Branch, from: u8, to: u8) {
        let range = (((1u32 << to) - 1) & !((1u32 << from) - 1)) as u16;
        if old.mask() & range == 0 {
            return;
        }
        for (mask, old) in self.masks.iter_mut().zip([old.mask(), old.leaves(), old.marked()]) {
            *mask |= old & range;
        }
        let end = if to == 16 { old.as_bytes().len() } else { old.offset(to) };
        self.out.extend_from_slice(&old.as_bytes()[old.offset(from)..end]);
    }

    /// Adds a child that hangs in `slot`.
    pub(crate) fn put(&mut self, slot: u8, child: &Child) {
        let node = stored_node(child.node());
        let (is_leaf, len) = (child.is_leaf(), child.path_len());
        let marked = node.len() < HASH || (!is_leaf && len > self.depth + 1);
        if marked && !is_leaf {
            self.out.push(len as u8);
        }
        if marked {
            self.out.push(node.len() as u8);
        }
        if marked || is_leaf {
            let range = implied_bytes(self.depth)..len.div_ceil(2);
            self.out.extend_from_slice(&child.packed_path().0[range]);
        }
        self.out.extend_from_slice(node);
        for (mask, is) in self.masks.iter_mut().zip([true, is_leaf, marked]) {
            *mask |= u16::from(is) << slot;
        }
    }

    /// The branch, unless it is `old`.
    pub(crate) fn finish(self, old: Option<&Branch>) -> Option<Branch> {
        for (at, mask) in self.masks.into_iter().enumerate() {
            self.out[1 + at * 2..3 + at * 2].copy_from_slice(&mask.to_be_bytes());
        }
        (old.is_none_or(|old| old.as_bytes() != self.out)).then(|| Branch::unchecked(self.out))
    }
}
