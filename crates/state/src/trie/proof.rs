//! Proofs: the nodes from a root towards a key, as EIP-1186 lists them.

use alloy_primitives::{B256, Bytes};
use alloy_trie::nodes::RlpNode;

use super::{
    path::{common, nibble},
    rlp,
};
use crate::{
    error::StateError,
    node::{Child, TrieId},
    reader::NodeReader,
};

/// The RLP nodes from the root to the leaf with this key, or to the point that shows its absence. Nodes shorter than 32
/// bytes are part of their parent's RLP and not listed again. An empty trie has no nodes.
///
/// # Errors
/// Faults of the store, and [`StateError::Corrupt`] when its records do not have the hashes that they should.
pub fn prove<R: NodeReader + ?Sized>(
    reader: &R,
    trie: &TrieId,
    key: &B256,
) -> Result<Vec<Bytes>, StateError> {
    let Some(mut child) = reader.root(trie)? else { return Ok(Vec::new()) };
    let (mut proof, mut out, mut depth) = (Proof::default(), Vec::new(), 0);
    loop {
        if child.is_leaf() {
            let leaf = child.packed_path();
            let value = reader
                .leaf(trie, leaf)?
                .ok_or_else(|| StateError::Corrupt(format!("no value for leaf {leaf} of {trie:?}")))?;
            rlp::leaf(&mut out, leaf, depth, &value);
            proof.list(child.node(), &out, &child)?;
            return Ok(proof.0);
        }
        let (path, len) = (child.packed_path(), child.path_len());
        let branch = reader
            .branch(trie, &child.path())?
            .ok_or_else(|| StateError::Corrupt(format!("no branch at {:?} of {trie:?}", child.path())))?;
        let own = rlp::branch(&mut out, &branch).to_vec();
        let mut node = child.node().clone();
        if len > depth {
            node = RlpNode::from_rlp(&own);
            rlp::extension(&mut out, path, depth, len, &node);
            proof.list(child.node(), &out, &child)?;
            if common(key, path) < len {
                return Ok(proof.0);
            }
        }
        proof.list(&node, &own, &child)?;
        match branch.child(path, nibble(key, len)) {
            Some(next) => child = next,
            None => return Ok(proof.0),
        }
        depth = len + 1;
    }
}

#[derive(Default)]
struct Proof(Vec<Bytes>);

impl Proof {
    /// Adds a node that its parent embeds as `expected`.
    fn list(&mut self, expected: &RlpNode, rlp: &[u8], child: &Child) -> Result<(), StateError> {
        if RlpNode::from_rlp(rlp) != *expected {
            return Err(StateError::Corrupt(format!("the node at {:?} is not {expected:?}", child.path())));
        }
        if self.0.is_empty() || rlp.len() >= 32 {
            self.0.push(Bytes::copy_from_slice(rlp));
        }
        Ok(())
    }
}
