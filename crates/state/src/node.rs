//! Branch records: the unit in which the trie is kept, by trie and path.
//!
//! Ethereum's trie has branches, extensions and leaves. Only branches get a record. A child of a branch is described in
//! the branch's own record: by the path of what hangs there (a leaf's full key, or the path of the next branch, with any
//! extension between the two) and by the encoded node that the parent embeds. So a walk reads one record a level, an
//! update rewrites only the records on changed paths, and flat state is asked for a leaf's value only when the leaf
//! moves.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{B256, keccak256};
use alloy_trie::{Nibbles, nodes::RlpNode};

use crate::account::EMPTY_ROOT;

/// Nibbles of a key; the length of a leaf's path.
pub(crate) const KEY_NIBBLES: usize = 64;

/// Which trie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrieId {
    /// The accounts trie; its root is the state root.
    Accounts,
    /// The storage trie of the account with this hashed address.
    Storage(B256),
}

/// What hangs below a branch's nibble, or at the root of a trie: a leaf or a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Nibbles from the root of the trie, packed, zero after `len`.
    path: B256,
    /// How many nibbles: 64 is a leaf, fewer a branch. Those beyond the parent's slot are the extension's (or leaf's).
    len: u8,
    /// What the parent embeds: the hash of the leaf, extension or branch, or its RLP when shorter than 32 bytes.
    node: RlpNode,
}

impl Child {
    /// A leaf with its full key (keccak256 of the address or slot) and the leaf node for its depth.
    pub(crate) const fn leaf(key: B256, node: RlpNode) -> Self {
        Self { path: key, len: KEY_NIBBLES as u8, node }
    }

    /// A branch at `path`, whose nibbles after `len` are zero. `node` is the extension before it, if there is one.
    pub(crate) const fn branch(path: B256, len: u8, node: RlpNode) -> Self {
        Self { path, len, node }
    }

    /// Whether this is a leaf; otherwise it is a branch.
    pub const fn is_leaf(&self) -> bool {
        self.len as usize == KEY_NIBBLES
    }

    /// The leaf's key, or the branch's path padded with zeros.
    pub const fn packed_path(&self) -> &B256 {
        &self.path
    }

    /// Nibbles of the path: 64 for a leaf.
    pub const fn path_len(&self) -> usize {
        self.len as usize
    }

    /// The path from the root: a leaf's key, or where the branch's record is.
    pub fn path(&self) -> Nibbles {
        let mut path = Nibbles::unpack_array(&self.path.0);
        path.truncate(self.path_len());
        path
    }

    /// What the parent embeds: a hash as RLP, or the RLP of a node shorter than 32 bytes.
    pub const fn node(&self) -> &RlpNode {
        &self.node
    }

    /// The trie's root hash, when this child is its root.
    pub fn root_hash(&self) -> B256 {
        self.node.as_hash().unwrap_or_else(|| keccak256(self.node.as_slice()))
    }
}

/// A branch of 16 slots, at least two of them taken. Values at branches do not occur: all keys have 64 nibbles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branch {
    /// Bit n: slot n is taken.
    mask: u16,
    /// Children in the taken slots, in order.
    children: Vec<Child>,
}

impl Branch {
    /// A branch with these children in the slots that `mask` names.
    pub(crate) fn new(mask: u16, children: Vec<Child>) -> Self {
        debug_assert_eq!(mask.count_ones() as usize, children.len(), "one child for each taken slot");
        Self { mask, children }
    }

    /// Bit n is set when slot n is taken.
    pub const fn mask(&self) -> u16 {
        self.mask
    }

    /// The child in slot `nibble`.
    pub fn child(&self, nibble: u8) -> Option<&Child> {
        let bit = 1u16.checked_shl(u32::from(nibble))?;
        if self.mask & bit == 0 {
            return None;
        }
        self.children.get((self.mask & (bit - 1)).count_ones() as usize)
    }

    /// The children in the order of their slots.
    pub fn children(&self) -> &[Child] {
        &self.children
    }

    /// Taken slots with their children, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Child)> {
        (0u8..16).filter(|nibble| self.mask >> nibble & 1 == 1).zip(&self.children)
    }
}

/// What an update of the trie leaves to be stored. Nothing here has happened until the block commits: a block that is
/// executed and not decided leaves no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrieUpdates {
    /// Root of the accounts trie after the update.
    pub state_root: B256,
    /// New roots (`None`: the trie is now empty), by trie.
    pub roots: BTreeMap<TrieId, Option<Child>>,
    /// New branch records (`None`: no branch at that path any more), by trie and path.
    pub branches: BTreeMap<TrieId, BTreeMap<Nibbles, Option<Arc<Branch>>>>,
    /// Storage tries all of whose old records go, before `branches` and `roots` apply; sorted.
    pub cleared: Vec<B256>,
}

impl Default for TrieUpdates {
    fn default() -> Self {
        Self {
            state_root: EMPTY_ROOT,
            roots: BTreeMap::new(),
            branches: BTreeMap::new(),
            cleared: Vec::new(),
        }
    }
}

impl TrieUpdates {
    /// Whether all records from before this update are gone.
    pub fn is_cleared(&self, trie: &TrieId) -> bool {
        matches!(trie, TrieId::Storage(hashed) if self.cleared.binary_search(hashed).is_ok())
    }

    /// What this update says of a root: `None` when it leaves the root as it was.
    pub fn root(&self, trie: &TrieId) -> Option<Option<&Child>> {
        match self.roots.get(trie) {
            Some(root) => Some(root.as_ref()),
            None => self.is_cleared(trie).then_some(None),
        }
    }

    /// What this update says of a branch record: `None` when it leaves the record as it was.
    pub fn branch(&self, trie: &TrieId, path: &Nibbles) -> Option<Option<&Arc<Branch>>> {
        match self.branches.get(trie).and_then(|table| table.get(path)) {
            Some(branch) => Some(branch.as_ref()),
            None => self.is_cleared(trie).then_some(None),
        }
    }
}
