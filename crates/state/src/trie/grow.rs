//! The update of one trie: down the old trie with the sorted changes.

use alloy_primitives::B256;
use alloy_trie::{Nibbles, nodes::RlpNode};
use arrayvec::ArrayVec;
use chlom_keccak::Batch;
use rayon::prelude::*;

use super::{
    changes::{Changes, LeafValue, slot_parts, split},
    gather::{gather, missing},
};
use crate::{
    error::StateError,
    node::{Branch, Child, TrieId},
    reader::NodeReader,
};

/// Fewer changes than this are not worth the handing over to another thread.
const SPLIT_MIN: usize = 64;
/// More changes than this are not worked on at once: what is read ahead for them should fit into a core's own cache.
const SPLIT_MAX: usize = 1024;
/// Into how many parts for each thread the changes of a trie are divided at least, so that all threads end together.
const PARTS: usize = 4;

/// What becomes of records, by path: `None` leaves one as it is, `Some(None)` removes it.
pub(super) type Fates = Vec<(Nibbles, Option<Option<Branch>>)>;

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
}

/// What belongs to the slots of a branch, in order.
pub(super) type Slots<T> = ArrayVec<(u8, T), 16>;

/// What became of the branches that were read ahead, and which of them is the next to be used.
type Below<'s, 'c, V> = Option<(&'s mut [Option<Loose<'c, V>>], &'s mut usize)>;

/// One worker on one trie.
pub(super) struct Worker<'r, R: ?Sized> {
    pub(super) reader: &'r R,
    pub(super) trie: TrieId,
    /// Branches that were looked at, parents before children.
    pub(super) fates: Fates,
    /// From how many changes on a branch's children are worked on each by itself. No result depends on it.
    split: usize,
    /// Buffers for a value, a node and a record.
    pub(super) value: Vec<u8>,
    pub(super) node: Vec<u8>,
    pub(super) record: Vec<u8>,
    /// Nodes to be hashed together.
    pub(super) batch: Batch,
}

impl<'r, R: NodeReader + ?Sized> Worker<'r, R> {
    /// A worker for this many changes.
    pub(super) fn new(reader: &'r R, trie: TrieId, changes: usize) -> Self {
        let split = changes / (PARTS * rayon::current_num_threads());
        Self::splitting(reader, trie, split.clamp(SPLIT_MIN, SPLIT_MAX))
    }

    fn splitting(reader: &'r R, trie: TrieId, split: usize) -> Self {
        let [value, node, record] = [(); 3].map(|()| Vec::new());
        Self { reader, trie, fates: Vec::new(), split, value, node, record, batch: Batch::default() }
    }

    /// The subtree after `changes`, where `old` hung at `depth`.
    pub(super) fn grow<'c, V: LeafValue>(
        &mut self,
        old: Option<&Child>,
        depth: usize,
        changes: Changes<'c, V>,
        below: Below<'_, 'c, V>,
    ) -> Result<Loose<'c, V>, StateError> {
        let Some(old) = old else { return self.plant(depth, changes, Loose::Gone, &[]) };
        let (before, inside, after) = split(changes, old, depth);
        let inner = if inside.is_empty() {
            Loose::Kept(old.clone(), depth)
        } else if old.is_leaf() {
            let (key, value) = &inside[0];
            if value.is_live() { Loose::Leaf(key, value) } else { Loose::Gone }
        } else if let Some((done, next)) = below {
            *next += 1;
            done[*next - 1].take().unwrap_or(Loose::Gone)
        } else if inside.len() < self.split {
            let steps = gather(self.reader, &self.trie, (old, depth), inside)?;
            self.climb(&steps)?
        } else {
            self.fan_out(old, depth, inside)?
        };
        if before.is_empty() && after.is_empty() {
            return Ok(inner);
        }
        self.plant(depth, before, inner, after)
    }

    /// The branch `old` after changes that all are below it, with its children worked on in parallel.
    fn fan_out<'c, V: LeafValue>(
        &mut self,
        old: &Child,
        depth: usize,
        changes: Changes<'c, V>,
    ) -> Result<Loose<'c, V>, StateError> {
        let path = old.path();
        let branch = self.reader.branch(&self.trie, &path)?.ok_or_else(|| missing(&self.trie, &path))?;
        let fate = self.reserve(path);
        let tasks = slot_parts(changes, old.path_len()).collect();
        let mut slots = self.each(tasks, |worker, slot, part| {
            let child = branch.child(old.packed_path(), slot);
            worker.grow(child.as_ref(), old.path_len() + 1, part, None)
        })?;
        self.settle(fate, (old, depth, &branch), &mut slots)
    }

    /// Runs the tasks of a branch's slots in parallel. The outcome, errors included, is that of one after the other.
    pub(super) fn each<'c, T: Send, V: LeafValue>(
        &mut self,
        tasks: Vec<(u8, T)>,
        run: impl Fn(&mut Self, u8, T) -> Result<Loose<'c, V>, StateError> + Sync,
    ) -> Result<Slots<Loose<'c, V>>, StateError> {
        let (reader, trie, split) = (self.reader, self.trie, self.split);
        let done: Vec<_> = tasks
            .into_par_iter()
            .map(|(slot, task)| {
                let mut worker = Worker::splitting(reader, trie, split);
                let loose = run(&mut worker, slot, task);
                (slot, loose, worker.fates)
            })
            .collect();
        self.fates.reserve(done.iter().map(|(_, _, fates)| fates.len()).sum());
        let mut slots = Slots::new();
        for (slot, loose, fates) in done {
            slots.push((slot, loose?));
            self.fates.extend(fates);
        }
        Ok(slots)
    }

    /// Whether this many changes are worked on in parallel.
    pub(super) const fn is_split(&self, changes: usize) -> bool {
        changes >= self.split
    }

    /// A place in the fates for a branch, so that parents come before children.
    pub(super) fn reserve(&mut self, path: Nibbles) -> usize {
        self.fates.push((path, None));
        self.fates.len() - 1
    }
}
