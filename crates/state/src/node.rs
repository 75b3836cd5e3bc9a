//! Branch records: the unit in which the trie is kept, by trie and path.
//!
//! Ethereum's trie has branches, extensions and leaves. Only branches get a record. A child of a branch is described in
//! the branch's own record: a leaf by its full key and its encoded node, a branch by the nibbles of the extension before
//! it (mostly none) and the encoded node of the branch itself. So a walk reads one record a level, an update rewrites
//! only the records on changed paths, and flat state is asked for a leaf's value only when the leaf moves.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;
use alloy_trie::{Nibbles, nodes::RlpNode};

/// Which trie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrieId {
    /// The accounts trie; its root is the state root.
    Accounts,
    /// The storage trie of the account with this hashed address.
    Storage(B256),
}

/// What hangs below a branch's nibble, or at the root of a trie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Child {
    /// A leaf.
    Leaf {
        /// The full key: keccak256 of the address or slot.
        key: B256,
        /// The leaf node for its present depth: its hash, or its RLP when shorter than 32 bytes.
        node: RlpNode,
    },
    /// A branch, at path = parent's path + nibble + `extension`.
    Branch {
        /// Nibbles of the extension node between parent and branch; empty when there is none.
        extension: Nibbles,
        /// The branch node itself (not the extension's).
        node: RlpNode,
    },
}

/// A branch of 16 slots, at least two of them taken. Values at branches do not occur: all keys have 64 nibbles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branch {
    /// Taken slots: nibble and child, sorted by nibble.
    pub children: Vec<(u8, Child)>,
}

/// What an update of the trie leaves to be stored. Nothing here has happened until the block commits: a block that is
/// executed and not decided leaves no trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrieUpdates {
    /// Root of the accounts trie after the update.
    pub state_root: B256,
    /// New roots (`None`: the trie is now empty), by trie.
    pub roots: BTreeMap<TrieId, Option<Child>>,
    /// New branch records (`None`: no branch at that path any more), by trie and path.
    pub branches: BTreeMap<TrieId, BTreeMap<Nibbles, Option<Arc<Branch>>>>,
    /// Storage tries all of whose old records go, before `branches` and `roots` apply.
    pub cleared: Vec<B256>,
}
