//! Nodes of the state's tries by their hashes, and the way from a root to a value.

use std::{cell::RefCell, collections::BTreeMap, collections::BTreeSet};

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles,
    nodes::{RlpNode, TrieNode},
};

use crate::fault::{Fault, What};

/// Some nodes, of which each proof uses those that it needs: a node that many proofs share is there once.
#[derive(Debug, Default)]
pub struct Nodes {
    known: BTreeMap<B256, Bytes>,
    used: RefCell<BTreeSet<B256>>,
}

impl FromIterator<Bytes> for Nodes {
    fn from_iter<I: IntoIterator<Item = Bytes>>(nodes: I) -> Self {
        let known = nodes.into_iter().map(|node| (keccak256(&node), node)).collect();
        Self { known, used: RefCell::default() }
    }
}

impl Extend<Bytes> for Nodes {
    fn extend<I: IntoIterator<Item = Bytes>>(&mut self, nodes: I) {
        self.known.extend(nodes.into_iter().map(|node| (keccak256(&node), node)));
    }
}

impl Nodes {
    /// The value under a key, `None` when the trie has none. Only nodes that hash to what their parent names are looked at, so
    /// whoever trusts the root may believe the answer. Upholds [STM-10].
    ///
    /// # Errors
    /// A node that is not here, or is none.
    pub fn get(&self, root: B256, key: &[u8], what: What) -> Result<Option<Vec<u8>>, Fault> {
        if root == EMPTY_ROOT_HASH {
            return Ok(None);
        }
        let path = Nibbles::unpack(keccak256(key));
        let (mut at, mut hash) = (0usize, root);
        let mut rlp = self.node(root, what)?;
        loop {
            let malformed = || Fault::NodeMalformed { what, node: hash };
            let mut rest = rlp.as_ref();
            let node = TrieNode::decode(&mut rest).map_err(|_| malformed())?;
            let child = match node {
                _ if !rest.is_empty() => return Err(malformed()),
                TrieNode::EmptyRoot => return Ok(None),
                TrieNode::Leaf(leaf) => {
                    return Ok((path.slice(at..) == leaf.key).then_some(leaf.value));
                }
                TrieNode::Extension(extension) => {
                    let (key, left) = (extension.key, path.slice(at..));
                    if key.is_empty() {
                        return Err(malformed());
                    }
                    if !left.starts_with(&key) {
                        return Ok(None);
                    }
                    at = at.saturating_add(key.len());
                    extension.child
                }
                TrieNode::Branch(branch) => {
                    let nibble = path.get(at).ok_or_else(malformed)?;
                    let child =
                        branch.as_ref().children().nth(nibble.into()).and_then(|(_, child)| child.cloned());
                    at = at.saturating_add(1);
                    match child {
                        Some(child) => child,
                        None => return Ok(None),
                    }
                }
            };
            rlp = match child.as_hash() {
                Some(named) => {
                    hash = named;
                    self.node(named, what)?
                }
                // Shorter than a hash: it stands within its parent.
                None => inline(&child),
            };
        }
    }

    /// The nodes that were looked at, by their hashes' order.
    pub fn used(&self) -> Vec<Bytes> {
        self.used.borrow().iter().filter_map(|hash| self.known.get(hash).cloned()).collect()
    }

    /// As if none had been looked at.
    pub fn forget_used(&self) {
        self.used.borrow_mut().clear();
    }

    fn node(&self, hash: B256, what: What) -> Result<Bytes, Fault> {
        let node = self.known.get(&hash).cloned().ok_or(Fault::NodeMissing { what, node: hash })?;
        self.used.borrow_mut().insert(hash);
        Ok(node)
    }
}

fn inline(child: &RlpNode) -> Bytes {
    Bytes::copy_from_slice(child.as_slice())
}
