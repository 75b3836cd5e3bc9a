//! What hangs in a trie.

use alloy_primitives::{B256, keccak256};
use alloy_trie::{Nibbles, nodes::RlpNode};

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

/// A node without what is known of it: a hash loses its RLP prefix.
pub(crate) fn stored_node(node: &RlpNode) -> &[u8] {
    if node.is_hash() { &node.as_slice()[1..] } else { node.as_slice() }
}

/// The node from its stored bytes: a hash, or a list shorter than 32 bytes.
pub(crate) fn node_from_stored(bytes: &[u8]) -> Option<RlpNode> {
    if let Ok(hash) = B256::try_from(bytes) {
        return Some(RlpNode::word_rlp(&hash));
    }
    let is_list =
        bytes.len() < 32 && bytes.first().is_some_and(|head| usize::from(*head) + 1 == 0xc0 + bytes.len());
    if is_list { RlpNode::from_raw(bytes) } else { None }
}
