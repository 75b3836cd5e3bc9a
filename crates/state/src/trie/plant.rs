//! New branches where none were: over new leaves, and beside an old subtree that they part from.

use alloy_primitives::B256;

use super::{
    changes::{Changes, LeafValue, take_slot},
    grow::{Loose, Slots, Worker},
    path::{common, nibble, nibbles, truncated},
};
use crate::{error::StateError, reader::NodeReader};

impl<R: NodeReader + ?Sized> Worker<'_, R> {
    /// A subtree of new leaves and at most one old subtree, `middle`, which is between them in the order of keys and
    /// whose path is no prefix of theirs.
    pub(super) fn plant<'c, V: LeafValue>(
        &mut self,
        depth: usize,
        before: Changes<'c, V>,
        middle: Loose<'c, V>,
        after: Changes<'c, V>,
    ) -> Result<Loose<'c, V>, StateError> {
        let mut live = before.iter().chain(after).filter(|(_, value)| value.is_live());
        let Some((key, value)) = live.next() else { return Ok(middle) };
        let rest = live.count();
        if rest == 0 && middle.is_gone() {
            return Ok(Loose::Leaf(key, value));
        }
        if rest + 1 == before.len() + after.len() {
            return self.build(depth, Grove { before, middle, after });
        }
        // Keys go that were not there: nothing in a block does that, but changes from elsewhere may.
        let [mut before, after] = [before, after].map(|part| {
            part.iter().filter(|(_, v)| v.is_live()).map(|(k, v)| (*k, v)).collect::<Vec<(B256, &V)>>()
        });
        let middle: Loose<'_, &V> = match middle {
            Loose::Gone => Loose::Gone,
            Loose::Leaf(key, value) => {
                before.push((*key, value));
                Loose::Gone
            }
            Loose::Kept(child, at) => Loose::Kept(child, at),
            Loose::Grown(path, len, node) => Loose::Grown(path, len, node),
        };
        match self.build(depth, Grove { before: &before, middle, after: &after })? {
            Loose::Grown(path, len, node) => Ok(Loose::Grown(path, len, node)),
            _ => unreachable!("two subtrees give a branch"),
        }
    }

    /// A new branch over at least two subtrees.
    fn build<'c, V: LeafValue>(
        &mut self,
        depth: usize,
        grove: Grove<'c, V>,
    ) -> Result<Loose<'c, V>, StateError> {
        let (Some(first), Some(last)) = (grove.first(), grove.last()) else { return Ok(Loose::Gone) };
        let len = common(first, last);
        debug_assert!(len >= depth && len < 64, "subtrees share a path but differ");
        let (path, fate) = (truncated(first, len), self.reserve(nibbles(first, len)));
        let run = |worker: &mut Self, _, part: Grove<'c, V>| match part.single() {
            Ok(single) => Ok(single),
            Err(part) => worker.build(len + 1, part),
        };
        let is_split = self.is_split(grove.before.len() + grove.after.len());
        let parts = grove.divide(len);
        let mut slots = Slots::new();
        if is_split {
            slots = self.each(parts.into_iter().collect(), run)?;
        } else {
            for (slot, part) in parts {
                slots.push((slot, run(self, slot, part)?));
            }
        }
        self.settle_new(fate, path, len, &mut slots)
    }
}

/// What a new branch is built over: leaves, sorted, with at most one old subtree between them.
struct Grove<'c, V> {
    before: Changes<'c, V>,
    middle: Loose<'c, V>,
    after: Changes<'c, V>,
}

impl<'c, V> Grove<'c, V> {
    fn first(&self) -> Option<&B256> {
        self.before.first().map(|(key, _)| key).or(self.middle()).or(self.after.first().map(|(key, _)| key))
    }

    fn last(&self) -> Option<&B256> {
        self.after.last().map(|(key, _)| key).or(self.middle()).or(self.before.last().map(|(key, _)| key))
    }

    /// The leaf's key or the branch's path in the middle, padded with zeros.
    fn middle(&self) -> Option<&B256> {
        match &self.middle {
            Loose::Gone => None,
            Loose::Leaf(key, _) => Some(key),
            Loose::Kept(child, _) => Some(child.packed_path()),
            Loose::Grown(path, ..) => Some(path),
        }
    }

    /// Parts by the nibble `at`.
    fn divide(self, at: usize) -> Slots<Self> {
        let middle_slot = self.middle().map(|path| nibble(path, at));
        let Self { mut before, middle, mut after } = self;
        let mut middle = Some(middle);
        let mut parts = Slots::new();
        for slot in 0..16 {
            let part = Self {
                before: take_slot(&mut before, slot, at),
                middle: middle.take_if(|_| middle_slot == Some(slot)).unwrap_or(Loose::Gone),
                after: take_slot(&mut after, slot, at),
            };
            if part.first().is_some() {
                parts.push((slot, part));
            }
        }
        parts
    }

    /// The one subtree, if it is only one.
    fn single(self) -> Result<Loose<'c, V>, Self> {
        match (self.before, &self.middle, self.after) {
            ([], Loose::Gone, [(key, value)]) | ([(key, value)], Loose::Gone, []) => {
                Ok(Loose::Leaf(key, value))
            }
            ([], _, []) => Ok(self.middle),
            _ => Err(self),
        }
    }
}
