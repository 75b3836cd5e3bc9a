//! The update of the branches that were read ahead, from the deepest up.
//!
//! Nodes of one level do not depend on each other: first all their leaves are hashed together, then all their own nodes.

use std::ops::Range;

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;
use chlom_keccak::Batch;

use super::{
    changes::{LeafValue, slot_parts},
    gather::Step,
    grow::{Loose, Worker},
    rlp,
    settle::{Rest, rest},
};
use crate::{
    error::StateError,
    node::{Branch, Child},
    reader::NodeReader,
};

/// Branches that are worked on together: enough to fill the lanes that hash, few enough for a core's own cache.
const TOGETHER: usize = 48;

/// The shortest node that its parent embeds by hash.
const HASHED: usize = 32;

/// A node on its way into its parent.
enum Node {
    /// Embedded as it is.
    Short(RlpNode),
    /// Embedded by its hash, which has this place in the batch.
    Hashed(usize),
}

impl Node {
    fn of(node: &[u8], batch: &mut Batch) -> Self {
        if node.len() < HASHED {
            return Self::Short(RlpNode::from_rlp(node));
        }
        batch.push(node);
        Self::Hashed(batch.len() - 1)
    }

    /// What the parent embeds, once the batch is hashed.
    fn embedded(self, hashes: &[B256]) -> RlpNode {
        match self {
            Self::Short(node) => node,
            Self::Hashed(at) => RlpNode::word_rlp(&hashes[at]),
        }
    }
}

/// What becomes of a step's record: `None` leaves it as it is, `Some(None)` removes it.
type Fate = Option<Option<Branch>>;

/// The changed slots of several steps, those of a step together. Its memory is used again.
struct Level<'c, V> {
    slots: Vec<(u8, Loose<'c, V>)>,
    /// Of each step that keeps two children at least: its index and its part of the slots.
    stay: Vec<(usize, Range<usize>)>,
    /// Leaves with new nodes: where they are in the slots, and at which depth.
    leaves: Vec<(usize, usize, Node)>,
    /// Branches with new nodes, by the index of their step.
    grown: Vec<(usize, Node)>,
}

impl<V> Default for Level<'_, V> {
    fn default() -> Self {
        Self { slots: Vec::new(), stay: Vec::new(), leaves: Vec::new(), grown: Vec::new() }
    }
}

impl<R: NodeReader + ?Sized> Worker<'_, R> {
    /// The topmost of `steps` after their changes.
    pub(super) fn climb<'c, V: LeafValue>(
        &mut self,
        steps: &[Step<'c, V>],
    ) -> Result<Loose<'c, V>, StateError> {
        let mut done: Vec<Option<Loose<'c, V>>> = Vec::new();
        done.resize_with(steps.len(), || None);
        let mut fates: Vec<Fate> = vec![None; steps.len()];
        let mut level = Level::default();
        let mut end = steps.len();
        while end > 0 {
            // Steps whose children are all done.
            let ready = steps[..end].partition_point(|step| step.children < end);
            let part = ready.max(end.saturating_sub(TOGETHER))..end;
            end = part.start;
            for at in part {
                self.change(steps, at, &mut level, &mut done, &mut fates)?;
            }
            self.hang_leaves(steps, &mut level);
            self.weave_all(steps, &mut level, &mut done, &mut fates)?;
        }
        self.fates.reserve(steps.len());
        self.enter_fates(steps, 0, &mut fates);
        Ok(done.first_mut().and_then(Option::take).unwrap_or(Loose::Gone))
    }

    /// Finds what belongs to the slots of a step that change, and whether it stays a branch.
    fn change<'c, V: LeafValue>(
        &mut self,
        steps: &[Step<'c, V>],
        at: usize,
        level: &mut Level<'c, V>,
        done: &mut [Option<Loose<'c, V>>],
        fates: &mut [Fate],
    ) -> Result<(), StateError> {
        let Step { child: old, branch, changes, children, .. } = &steps[at];
        let (start, mut next) = (level.slots.len(), *children);
        for (slot, part) in slot_parts(changes, old.path_len()) {
            // What most changes are: a new value for a leaf that stays where it is.
            if let [(key, value)] = part
                && value.is_live()
                && branch.has_leaf(slot, key)
            {
                level.slots.push((slot, Loose::Leaf(key, value)));
                continue;
            }
            let child = branch.child(old.packed_path(), slot);
            let below = Some((&mut *done, &mut next));
            level.slots.push((slot, self.grow(child.as_ref(), old.path_len() + 1, part, below)?));
        }
        match rest(old, branch, &mut level.slots[start..]) {
            Rest::Stays => level.stay.push((at, start..level.slots.len())),
            Rest::Goes(loose) => (done[at], fates[at]) = (Some(loose), Some(None)),
        }
        Ok(())
    }

    /// Fixes the leaves of branches that stay.
    fn hang_leaves<V: LeafValue>(&mut self, steps: &[Step<'_, V>], level: &mut Level<'_, V>) {
        for (at, range) in &level.stay {
            let depth = steps[*at].child.path_len() + 1;
            for slot in range.clone() {
                let Loose::Leaf(key, value) = level.slots[slot].1 else { continue };
                self.value.clear();
                value.put(&mut self.value);
                rlp::leaf(&mut self.node, key, depth, &self.value);
                level.leaves.push((slot, depth, Node::of(&self.node, &mut self.batch)));
            }
        }
        let hashes = self.batch.hash();
        for (slot, depth, node) in level.leaves.drain(..) {
            let loose = &mut level.slots[slot].1;
            if let Loose::Leaf(key, _) = *loose {
                *loose = Loose::Kept(Child::leaf(*key, node.embedded(hashes)), depth);
            }
        }
    }

    /// Makes the new records of branches that stay, and then their nodes.
    fn weave_all<'c, V: LeafValue>(
        &mut self,
        steps: &[Step<'c, V>],
        level: &mut Level<'c, V>,
        done: &mut [Option<Loose<'c, V>>],
        fates: &mut [Fate],
    ) -> Result<(), StateError> {
        for (at, range) in level.stay.drain(..) {
            let step = &steps[at];
            match self.weave(Some(&step.branch), &mut level.slots[range], step.child.path_len())? {
                Some(new) => {
                    let node = Node::of(rlp::branch(&mut self.node, &new), &mut self.batch);
                    level.grown.push((at, node));
                    fates[at] = Some(Some(new));
                }
                None => done[at] = Some(Loose::Kept(step.child.clone(), step.depth)),
            }
        }
        level.slots.clear();
        let hashes = self.batch.hash();
        for (at, node) in level.grown.drain(..) {
            let child = &steps[at].child;
            let own = node.embedded(hashes);
            done[at] = Some(Loose::Grown(*child.packed_path(), child.path_len(), own));
        }
        Ok(())
    }

    /// Notes what became of a step and of those below it, parents before children.
    fn enter_fates<V>(&mut self, steps: &[Step<'_, V>], at: usize, fates: &mut [Fate]) {
        self.fates.push((steps[at].child.path(), fates[at].take()));
        let end = steps.get(at + 1).map_or(steps.len(), |next| next.children);
        (steps[at].children..end).for_each(|child| self.enter_fates(steps, child, fates));
    }
}
