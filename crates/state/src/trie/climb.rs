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
    grow::{Loose, Slots, Worker},
    rlp,
    settle::Rest,
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

impl<R: NodeReader + ?Sized> Worker<'_, R> {
    /// The topmost of `steps` after their changes.
    pub(super) fn climb<'c, V: LeafValue>(
        &mut self,
        steps: &[Step<'c, V>],
    ) -> Result<Loose<'c, V>, StateError> {
        let mut done: Vec<Option<Loose<'c, V>>> = Vec::new();
        done.resize_with(steps.len(), || None);
        let mut fates: Vec<Fate> = vec![None; steps.len()];
        let mut end = steps.len();
        while end > 0 {
            // Steps whose children are all done.
            let ready = steps[..end].partition_point(|step| step.children < end);
            let part = ready.max(end.saturating_sub(TOGETHER))..end;
            end = part.start;
            self.rise(steps, part, &mut done, &mut fates)?;
        }
        self.fates.reserve(steps.len());
        self.enter_fates(steps, 0, &mut fates);
        Ok(done.first_mut().and_then(Option::take).unwrap_or(Loose::Gone))
    }

    /// Works on steps that do not depend on each other.
    fn rise<'c, V: LeafValue>(
        &mut self,
        steps: &[Step<'c, V>],
        part: Range<usize>,
        done: &mut [Option<Loose<'c, V>>],
        fates: &mut [Fate],
    ) -> Result<(), StateError> {
        let mut all = Vec::with_capacity(part.len());
        for step in &steps[part.clone()] {
            let mut slots = self.slots(step, done)?;
            match Self::rest(&step.child, &step.branch, &mut slots) {
                Rest::Stays => all.push((slots, None)),
                Rest::Goes(loose) => all.push((slots, Some(loose))),
            }
        }
        self.hang_leaves(&steps[part.clone()], &mut all);
        let mut grown = Vec::with_capacity(part.len());
        for (at, (mut slots, gone)) in part.zip(all) {
            let step = &steps[at];
            if let Some(loose) = gone {
                (done[at], fates[at]) = (Some(loose), Some(None));
                continue;
            }
            match self.weave(Some(&step.branch), &mut slots, step.child.path_len())? {
                Some(new) => {
                    grown.push((at, Node::of(rlp::branch(&mut self.node, &new), &mut self.batch)));
                    fates[at] = Some(Some(new));
                }
                None => done[at] = Some(Loose::Kept(step.child.clone(), step.depth)),
            }
        }
        let hashes = self.batch.hash();
        for (at, node) in grown {
            let child = &steps[at].child;
            done[at] = Some(Loose::Grown(*child.packed_path(), child.path_len(), node.embedded(hashes)));
        }
        Ok(())
    }

    /// What belongs to the slots of a step that change.
    fn slots<'c, V: LeafValue>(
        &mut self,
        step: &Step<'c, V>,
        done: &mut [Option<Loose<'c, V>>],
    ) -> Result<Slots<Loose<'c, V>>, StateError> {
        let (old, branch, mut next) = (&step.child, &step.branch, step.children);
        let mut slots = Slots::new();
        for (slot, part) in slot_parts(step.changes, old.path_len()) {
            // What most changes are: a new value for a leaf that stays where it is.
            if let [(key, value)] = part
                && value.is_live()
                && branch.has_leaf(slot, key)
            {
                slots.push((slot, Loose::Leaf(key, value)));
                continue;
            }
            let child = branch.child(old.packed_path(), slot);
            let below = Some((&mut *done, &mut next));
            slots.push((slot, self.grow(child.as_ref(), old.path_len() + 1, part, below)?));
        }
        Ok(slots)
    }

    /// Fixes the leaves of branches that stay.
    fn hang_leaves<'c, V: LeafValue>(
        &mut self,
        steps: &[Step<'c, V>],
        all: &mut [(Slots<Loose<'c, V>>, Option<Loose<'c, V>>)],
    ) {
        let mut leaves = Vec::new();
        for (step, (slots, gone)) in steps.iter().zip(&mut *all) {
            let depth = step.child.path_len() + 1;
            for (_, loose) in slots.iter_mut().filter(|_| gone.is_none()) {
                if let Loose::Leaf(key, value) = *loose {
                    self.value.clear();
                    value.put(&mut self.value);
                    rlp::leaf(&mut self.node, key, depth, &self.value);
                    leaves.push((Node::of(&self.node, &mut self.batch), key, depth, loose));
                }
            }
        }
        let hashes = self.batch.hash();
        for (node, key, depth, loose) in leaves {
            *loose = Loose::Kept(Child::leaf(*key, node.embedded(hashes)), depth);
        }
    }

    /// Notes what became of a step and of those below it, parents before children.
    fn enter_fates<V>(&mut self, steps: &[Step<'_, V>], at: usize, fates: &mut [Fate]) {
        self.fates.push((steps[at].child.path(), fates[at].take()));
        let end = steps.get(at + 1).map_or(steps.len(), |next| next.children);
        (steps[at].children..end).for_each(|child| self.enter_fates(steps, child, fates));
    }
}
