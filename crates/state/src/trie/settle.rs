//! Where a branch comes to rest once its children are known.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;

use super::{
    grow::{LeafValue, Loose, Slots, Worker},
    rlp,
};
use crate::{
    error::StateError,
    node::{Branch, Child},
    reader::NodeReader,
};

impl<R: NodeReader + ?Sized> Worker<'_, R> {
    /// A branch with changed children in `slots`. `old` is the branch, at which depth it hung, and its record.
    pub(super) fn settle<'c, V: LeafValue>(
        &mut self,
        record: usize,
        (old, depth, branch): (&Child, usize, &Branch),
        slots: Slots<Loose<'c, V>>,
    ) -> Result<Loose<'c, V>, StateError> {
        let (path, len) = (*old.packed_path(), old.path_len());
        let touched = slots.iter().fold(0u16, |mask, (slot, _)| mask | 1 << slot);
        let untouched = branch.mask() & !touched;
        let left = slots.iter().filter(|(_, loose)| !loose.is_gone()).count();
        match left + untouched.count_ones() as usize {
            0 => {
                self.records[record].1 = Some(None);
                Ok(Loose::Gone)
            }
            1 => {
                self.records[record].1 = Some(None);
                Ok(match branch.child(untouched.trailing_zeros() as u8) {
                    Some(child) => Loose::Kept(child.clone(), len + 1),
                    None => {
                        let mut left = slots.into_iter().map(|(_, loose)| loose);
                        left.find(|loose| !loose.is_gone()).unwrap_or(Loose::Gone)
                    }
                })
            }
            count => {
                let new = self.weave(branch, slots, len + 1, count)?;
                if new == *branch {
                    return Ok(Loose::Kept(old.clone(), depth));
                }
                Ok(self.enter(record, path, len, new))
            }
        }
    }

    /// A branch where none was.
    pub(super) fn settle_new<'c, V: LeafValue>(
        &mut self,
        record: usize,
        path: B256,
        len: usize,
        slots: Slots<Loose<'c, V>>,
    ) -> Result<Loose<'c, V>, StateError> {
        let count = slots.len();
        let new = self.weave(&Branch::default(), slots, len + 1, count)?;
        Ok(self.enter(record, path, len, new))
    }

    fn enter<'c, V>(&mut self, record: usize, path: B256, len: usize, new: Branch) -> Loose<'c, V> {
        let own = self.branch_node(&new);
        self.records[record].1 = Some(Some(Arc::new(new)));
        Loose::Grown(path, len, own)
    }

    /// The old children with those in `slots` in their places.
    fn weave<V: LeafValue>(
        &mut self,
        old: &Branch,
        slots: Slots<Loose<'_, V>>,
        depth: usize,
        count: usize,
    ) -> Result<Branch, StateError> {
        let mut children = Vec::with_capacity(count);
        let mut mask = old.mask();
        let mut rest = old.iter().peekable();
        for (slot, loose) in slots {
            while let Some((_, child)) = rest.next_if(|(at, _)| *at < slot) {
                children.push(child.clone());
            }
            rest.next_if(|(at, _)| *at == slot);
            match self.hang(loose, depth)? {
                Some(child) => {
                    mask |= 1 << slot;
                    children.push(child);
                }
                None => mask &= !(1 << slot),
            }
        }
        children.extend(rest.map(|(_, child)| child.clone()));
        Ok(Branch::new(mask, children))
    }

    /// Fixes a subtree at a depth: only now are its leaf or its extension encoded.
    pub(super) fn hang<V: LeafValue>(
        &mut self,
        loose: Loose<'_, V>,
        depth: usize,
    ) -> Result<Option<Child>, StateError> {
        Ok(Some(match loose {
            Loose::Gone => return Ok(None),
            Loose::Leaf(key, value) => {
                self.value.clear();
                value.put(&mut self.value);
                rlp::leaf(&mut self.node, key, depth, &self.value);
                Child::leaf(*key, RlpNode::from_rlp(&self.node))
            }
            Loose::Kept(child, at) if at == depth => child,
            Loose::Kept(child, _) if child.is_leaf() => self.move_leaf(*child.packed_path(), depth)?,
            Loose::Kept(child, at) => {
                let own = match child.path_len() == at {
                    true => child.node().clone(),
                    // The child's node is its old extension's: the branch's own comes from its record.
                    false => self.branch(&child.path()).map(|branch| self.branch_node(&branch))?,
                };
                self.extend(*child.packed_path(), child.path_len(), own, depth)
            }
            Loose::Grown(path, len, own) => self.extend(path, len, own, depth),
        }))
    }

    /// An unchanged leaf at another depth: its value comes from flat state.
    fn move_leaf(&mut self, key: B256, depth: usize) -> Result<Child, StateError> {
        let value = self
            .reader
            .leaf(&self.trie, &key)?
            .ok_or_else(|| StateError::Corrupt(format!("no value for leaf {key} of {:?}", self.trie)))?;
        rlp::leaf(&mut self.node, &key, depth, &value);
        Ok(Child::leaf(key, RlpNode::from_rlp(&self.node)))
    }

    /// A branch at a depth, with an extension before it when its path is longer.
    fn extend(&mut self, path: B256, len: usize, own: RlpNode, depth: usize) -> Child {
        if len == depth {
            return Child::branch(path, len as u8, own);
        }
        rlp::extension(&mut self.node, &path, depth, len, &own);
        Child::branch(path, len as u8, RlpNode::from_rlp(&self.node))
    }

    fn branch_node(&mut self, branch: &Branch) -> RlpNode {
        RlpNode::from_rlp(rlp::branch(&mut self.node, branch))
    }
}
