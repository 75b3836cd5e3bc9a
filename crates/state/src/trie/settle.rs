//! Where a branch comes to rest once its children are known.

use std::mem;

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;

use super::{
    changes::LeafValue,
    gather::missing,
    grow::{Loose, Slots, Worker},
    rlp,
};
use crate::{
    error::StateError,
    node::{Branch, Child, Weaver},
    reader::NodeReader,
};

/// What is left of a branch when its children have changed.
pub(super) enum Rest<'c, V> {
    /// Two children at least.
    Stays,
    /// This one child, or nothing.
    Goes(Loose<'c, V>),
}

/// Whether a branch with changed children in `slots` stays one.
pub(super) fn rest<'c, V>(old: &Child, branch: &Branch, slots: &mut [(u8, Loose<'c, V>)]) -> Rest<'c, V> {
    let touched = slots.iter().fold(0u16, |mask, (slot, _)| mask | 1 << slot);
    let untouched = branch.mask() & !touched;
    let left = slots.iter().filter(|(_, loose)| !loose.is_gone()).count();
    if left + untouched.count_ones() as usize > 1 {
        return Rest::Stays;
    }
    Rest::Goes(match branch.child(old.packed_path(), untouched.trailing_zeros() as u8) {
        Some(child) => Loose::Kept(child, old.path_len() + 1),
        None => slots
            .iter_mut()
            .find(|(_, loose)| !loose.is_gone())
            .map_or(Loose::Gone, |(_, loose)| mem::replace(loose, Loose::Gone)),
    })
}

impl<R: NodeReader + ?Sized> Worker<'_, R> {
    /// A branch with changed children in `slots`. `old` is the branch, at which depth it hung, and its record.
    pub(super) fn settle<'c, V: LeafValue>(
        &mut self,
        fate: usize,
        (old, depth, branch): (&Child, usize, &Branch),
        slots: &mut Slots<Loose<'c, V>>,
    ) -> Result<Loose<'c, V>, StateError> {
        if let Rest::Goes(loose) = rest(old, branch, slots) {
            self.fates[fate].1 = Some(None);
            return Ok(loose);
        }
        Ok(match self.weave(Some(branch), slots, old.path_len())? {
            Some(new) => self.enter(fate, old.packed_path(), old.path_len(), new),
            None => Loose::Kept(old.clone(), depth),
        })
    }

    /// A branch where none was, over two subtrees at least.
    pub(super) fn settle_new<'c, V: LeafValue>(
        &mut self,
        fate: usize,
        path: B256,
        len: usize,
        slots: &mut Slots<Loose<'c, V>>,
    ) -> Result<Loose<'c, V>, StateError> {
        Ok(self.weave(None, slots, len)?.map_or(Loose::Gone, |new| self.enter(fate, &path, len, new)))
    }

    fn enter<'c, V>(&mut self, fate: usize, path: &B256, len: usize, new: Branch) -> Loose<'c, V> {
        let own = self.branch_node(&new);
        self.fates[fate].1 = Some(Some(new));
        Loose::Grown(*path, len, own)
    }

    /// The old children with those in `slots`, which are taken out, in their places; `None` when that is what the old branch was.
    pub(super) fn weave<V: LeafValue>(
        &mut self,
        old: Option<&Branch>,
        slots: &mut [(u8, Loose<'_, V>)],
        len: usize,
    ) -> Result<Option<Branch>, StateError> {
        let mut record = mem::take(&mut self.record);
        let mut weaver = Weaver::new(&mut record, len);
        let mut from = 0;
        for (slot, loose) in slots {
            if let Some(old) = old {
                weaver.keep(old, from, *slot);
            }
            if let Some(child) = self.hang(mem::replace(loose, Loose::Gone), len + 1)? {
                weaver.put(*slot, &child);
            }
            from = *slot + 1;
        }
        if let Some(old) = old {
            weaver.keep(old, from, 16);
        }
        let new = weaver.finish(old);
        self.record = record;
        Ok(new)
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
                let own = if child.path_len() == at { child.node().clone() } else { self.own_node(&child)? };
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

    /// The node of an unchanged branch whose parent embeds its extension: it comes from the branch's record.
    fn own_node(&mut self, child: &Child) -> Result<RlpNode, StateError> {
        let path = child.path();
        let branch = self.reader.branch(&self.trie, &path)?.ok_or_else(|| missing(&self.trie, &path))?;
        Ok(self.branch_node(&branch))
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
