//! The records that an update will need, read ahead of it.
//!
//! An update by itself reads a record, hashes for a while, and reads the next: each read waits for memory, or for the disk,
//! alone. Read level by level in one go they wait together. What is read here is exactly the branches on the paths of
//! changes, so reading ahead costs nothing that would not be read anyway.

use alloy_trie::Nibbles;

use super::changes::{Changes, slot_parts, split};
use crate::{
    error::StateError,
    node::{Branch, Child, TrieId},
    reader::NodeReader,
};

/// A branch on the path of changes.
pub(super) struct Step<'c, V> {
    /// The branch as its parent has it.
    pub(super) child: Child,
    /// At which depth it hangs.
    pub(super) depth: usize,
    /// What changes below it.
    pub(super) changes: Changes<'c, V>,
    /// Its record.
    pub(super) branch: Branch,
    /// Index of the first of its children that have a step; the others follow in order, and then those of the next step.
    pub(super) children: usize,
}

/// The branches from `top`, a branch at `depth` above all `changes`, down; parents before children, level by level.
pub(super) fn gather<'c, R: NodeReader + ?Sized, V>(
    reader: &R,
    trie: &TrieId,
    (top, depth): (&Child, usize),
    changes: Changes<'c, V>,
) -> Result<Vec<Step<'c, V>>, StateError> {
    // Room for two branches a change: there are fewer unless changes are few.
    let mut steps = Vec::with_capacity(changes.len() * 2);
    let mut wanted = Vec::with_capacity(changes.len());
    wanted.push((top.clone(), depth, changes));
    let mut done = 0;
    while !wanted.is_empty() {
        let paths: Vec<Nibbles> = wanted.iter().map(|(child, ..)| child.path()).collect();
        let found = reader.branches(trie, &paths)?;
        for (((child, depth, changes), branch), path) in wanted.drain(..).zip(found).zip(&paths) {
            let branch = branch.filter(|b| b.depth() == path.len()).ok_or_else(|| missing(trie, path))?;
            steps.push(Step { child, depth, changes, branch, children: 0 });
        }
        let next = steps.len();
        for step in &mut steps[done..] {
            step.children = next + wanted.len();
            let depth = step.branch.depth();
            for (slot, part) in slot_parts(step.changes, depth) {
                if !step.branch.has_branch(slot) {
                    continue;
                }
                let Some(child) = step.branch.child(step.child.packed_path(), slot) else { continue };
                let (_, inside, _) = split(part, &child, depth + 1);
                if !inside.is_empty() {
                    wanted.push((child, depth + 1, inside));
                }
            }
        }
        done = next;
    }
    Ok(steps)
}

/// A record that must be there and is not.
pub(super) fn missing(trie: &TrieId, path: &Nibbles) -> StateError {
    StateError::Corrupt(format!("no branch at {path:?} of {trie:?}"))
}
