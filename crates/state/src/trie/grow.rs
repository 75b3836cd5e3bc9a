//! The update of one trie: down the old trie with the sorted changes, and new branches where none were.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_trie::{Nibbles, nodes::RlpNode};
use arrayvec::ArrayVec;
use rayon::prelude::*;

use super::path::{common, nibble};
use crate::{
    error::StateError,
    node::{Branch, Child, TrieId},
    reader::NodeReader,
};

/// From how many changes on a branch's children are worked on in parallel.
const SPLIT: usize = 128;

/// The new value of a leaf.
pub(super) trait LeafValue: Sync {
    /// Whether there is a value; otherwise the leaf goes.
    fn is_live(&self) -> bool;
    /// Appends the value's RLP.
    fn put(&self, out: &mut Vec<u8>);
}

/// Changed keys, sorted, each once.
pub(super) type Changes<'c, V> = &'c [(B256, V)];

/// A record's fate, by path: `None` leaves it as it is, `Some(None)` removes it.
pub(super) type Records = Vec<(Nibbles, Option<Option<Arc<Branch>>>)>;

/// A subtree whose parent, and with it its depth, is not settled yet.
pub(super) enum Loose<'c, V> {
    /// Nothing is left.
    Gone,
    /// A leaf with a new value.
    Leaf(&'c B256, &'c V),
    /// Unchanged since before, when it hung at this depth.
    Kept(Child, usize),
    /// A branch with a new record: its path, the number of its nibbles, and its own node without an extension.
    Grown(B256, usize, RlpNode),
}

impl<V> Loose<'_, V> {
    pub(super) const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }

    /// The leaf's key or the branch's path, padded with zeros.
    fn path(&self) -> Option<&B256> {
        match self {
            Self::Gone => None,
            Self::Leaf(key, _) => Some(key),
            Self::Kept(child, _) => Some(child.packed_path()),
            Self::Grown(path, ..) => Some(path),
        }
    }
}

/// Children of a branch that is being settled, by slot.
pub(super) type Slots<T> = ArrayVec<(u8, T), 16>;

/// One worker on one trie.
pub(super) struct Worker<'r, R: ?Sized> {
    pub(super) reader: &'r R,
    pub(super) trie: TrieId,
    /// Branches that were looked at, parents before children.
    pub(super) records: Records,
    /// Buffers for a node and a value.
    pub(super) node: Vec<u8>,
    pub(super) value: Vec<u8>,
}

impl<'r, R: NodeReader + ?Sized> Worker<'r, R> {
    pub(super) fn new(reader: &'r R, trie: TrieId) -> Self {
        Self { reader, trie, records: Vec::new(), node: Vec::new(), value: Vec::new() }
    }

    /// The subtree after `changes`, where `old` hung at `depth`.
    pub(super) fn grow<'c, V: LeafValue>(
        &mut self,
        old: Option<&Child>,
        depth: usize,
        changes: Changes<'c, V>,
    ) -> Result<Loose<'c, V>, StateError> {
        let Some(old) = old else { return self.plant(depth, changes, Loose::Gone, &[]) };
        let path = old.packed_path();
        let (before, inside, after) = split(changes, path, old.path_len(), depth);
        let inner = if inside.is_empty() {
            Loose::Kept(old.clone(), depth)
        } else if old.is_leaf() {
            self.plant(depth, inside, Loose::Gone, &[])?
        } else {
            self.update(old, depth, inside)?
        };
        self.plant(depth, before, inner, after)
    }

    /// The branch `old` after changes that all are below it.
    fn update<'c, V: LeafValue>(
        &mut self,
        old: &Child,
        depth: usize,
        changes: Changes<'c, V>,
    ) -> Result<Loose<'c, V>, StateError> {
        let below = old.path_len() + 1;
        let branch = self.branch(&old.path())?;
        let record = self.reserve(old.path());
        let mut tasks = Slots::new();
        let mut rest = changes;
        while let Some((first, _)) = rest.first() {
            let slot = nibble(first, below - 1);
            let part = take_slot(&mut rest, slot, below - 1);
            tasks.push((slot, (branch.child(slot), part)));
        }
        let slots =
            self.each(tasks, changes.len(), |worker, (child, part)| worker.grow(child, below, part))?;
        self.settle(record, (old, depth, &branch), slots)
    }

    /// A subtree of new leaves and at most one old subtree, `middle`, which is between them in the order of keys and
    /// is no prefix of theirs.
    fn plant<'c, V: LeafValue>(
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
        let (path, len) = (*first, common(first, last));
        debug_assert!(len >= depth && len < 64, "subtrees share a path but differ");
        let record = self.reserve(super::path::nibbles(&path, len));
        let size = grove.before.len() + grove.after.len();
        let slots = self.each(grove.divide(len), size, |worker, part| match part.single() {
            Ok(single) => Ok(single),
            Err(part) => worker.build(len + 1, part),
        })?;
        self.settle_new(record, super::path::truncated(&path, len), len, slots)
    }

    /// Runs the tasks of a branch's slots, in parallel when they stand for many changes. The outcome, errors included,
    /// does not depend on which.
    fn each<'c, T: Send, V: LeafValue>(
        &mut self,
        tasks: Slots<T>,
        size: usize,
        run: impl Fn(&mut Self, T) -> Result<Loose<'c, V>, StateError> + Sync,
    ) -> Result<Slots<Loose<'c, V>>, StateError> {
        if size < SPLIT || tasks.len() < 2 {
            return tasks.into_iter().map(|(slot, task)| Ok((slot, run(self, task)?))).collect();
        }
        let (reader, trie) = (self.reader, self.trie);
        let done: Vec<_> = tasks
            .into_iter()
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(slot, task)| {
                let mut worker = Worker::new(reader, trie);
                let loose = run(&mut worker, task);
                (slot, loose, worker.records)
            })
            .collect();
        let mut slots = Slots::new();
        for (slot, loose, records) in done {
            slots.push((slot, loose?));
            self.records.extend(records);
        }
        Ok(slots)
    }

    /// The record of a branch that must be there.
    pub(super) fn branch(&self, path: &Nibbles) -> Result<Arc<Branch>, StateError> {
        self.reader
            .branch(&self.trie, path)?
            .ok_or_else(|| StateError::Corrupt(format!("no branch at {path:?} of {:?}", self.trie)))
    }

    /// A place in the records for a branch, so that parents come before children.
    fn reserve(&mut self, path: Nibbles) -> usize {
        self.records.push((path, None));
        self.records.len() - 1
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
        self.before
            .first()
            .map(|(key, _)| key)
            .or(self.middle.path())
            .or(self.after.first().map(|(key, _)| key))
    }

    fn last(&self) -> Option<&B256> {
        self.after
            .last()
            .map(|(key, _)| key)
            .or(self.middle.path())
            .or(self.before.last().map(|(key, _)| key))
    }

    /// Parts by the nibble at `at`.
    fn divide(self, at: usize) -> Slots<Self> {
        let Self { mut before, middle, mut after } = self;
        let middle_slot = middle.path().map(|path| nibble(path, at));
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

/// Takes the changes whose nibble `at` is `slot` from the front.
fn take_slot<'c, V>(rest: &mut Changes<'c, V>, slot: u8, at: usize) -> Changes<'c, V> {
    let here = |(key, _): &(B256, V)| nibble(key, at) == slot;
    let count = if rest.len() > 64 {
        rest.partition_point(here)
    } else {
        rest.iter().position(|change| !here(change)).unwrap_or(rest.len())
    };
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

/// Splits changes, which agree with `path` up to `depth`, into those before, below and after its first `len` nibbles.
fn split<'c, V>(
    changes: Changes<'c, V>,
    path: &B256,
    len: usize,
    depth: usize,
) -> (Changes<'c, V>, Changes<'c, V>, Changes<'c, V>) {
    if len == depth {
        return (&[], changes, &[]);
    }
    let start = changes.partition_point(|(key, _)| key < path);
    let (before, rest) = changes.split_at(start);
    let end = rest.partition_point(|(key, _)| common(key, path) >= len);
    let (inside, after) = rest.split_at(end);
    (before, inside, after)
}
