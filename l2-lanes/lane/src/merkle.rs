//! The two Merkle trees of a batch: over its record pages and over its rows.
//!
//! Levels are paired from the left; an odd node at the end of a level is promoted as it is. That is the shape of RFC 6962.
//! Leaves and nodes are told apart by their first byte.

use alloy_primitives::{B256, keccak256};

/// First byte of what a leaf hashes.
pub const LEAF: u8 = 0x00;
/// First byte of what a node hashes.
pub const NODE: u8 = 0x01;

/// keccak256(0x01 ‖ left ‖ right). Upholds [LAN-21].
pub fn join(left: &B256, right: &B256) -> B256 {
    let mut bytes = [NODE; 65];
    bytes[1..33].copy_from_slice(left.as_slice());
    bytes[33..].copy_from_slice(right.as_slice());
    keccak256(bytes)
}

/// Nodes of each level, from the leaves to the root.
pub fn widths(leaves: usize) -> impl Iterator<Item = usize> {
    let next = |width: &usize| (*width > 1).then(|| width.div_ceil(2));
    std::iter::successors((leaves > 0).then_some(leaves), next)
}

/// Nodes of all levels.
pub fn node_count(leaves: usize) -> usize {
    widths(leaves).fold(0, usize::saturating_add)
}

/// A whole tree: every node of every level, promoted ones on each level that they are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(Vec<Vec<B256>>);

impl Tree {
    /// The tree over some leaves; `None` over none.
    pub fn new(leaves: Vec<B256>) -> Option<Self> {
        let mut level = leaves;
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level.chunks(2).filter_map(raise).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        if level.is_empty() {
            return None;
        }
        levels.push(level);
        Some(Self(levels))
    }

    /// The root.
    pub fn root(&self) -> B256 {
        self.0.last().and_then(|top| top.first()).copied().unwrap_or_default()
    }

    /// All nodes, the leaves first.
    pub fn nodes(&self) -> impl Iterator<Item = &B256> {
        self.0.iter().flatten()
    }

    /// Siblings from the leaf up; a level where the node is promoted has none. `None` past the last leaf.
    pub fn path(&self, index: usize) -> Option<Vec<B256>> {
        self.0.first()?.get(index)?;
        let mut place = index;
        let mut path = Vec::new();
        for level in &self.0 {
            path.extend(level.get(place ^ 1));
            place >>= 1;
        }
        Some(path)
    }
}

fn raise(pair: &[B256]) -> Option<B256> {
    match pair {
        [left, right] => Some(join(left, right)),
        promoted => promoted.first().copied(),
    }
}

/// Whether `leaf` is the one at `index` of `count` under `root`. Upholds [LAN-22].
pub fn verify(root: &B256, leaf: B256, index: usize, count: usize, path: &[B256]) -> bool {
    if index >= count {
        return false;
    }
    let (mut node, mut place, mut width) = (leaf, index, count);
    let mut path = path.iter();
    while width > 1 {
        if place ^ 1 < width {
            let Some(sibling) = path.next() else { return false };
            node = if place & 1 == 1 { join(sibling, &node) } else { join(&node, sibling) };
        }
        place >>= 1;
        width = width.div_ceil(2);
    }
    node == *root && path.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<B256> {
        (0..count).map(|i| keccak256(i.to_be_bytes())).collect()
    }

    /// RFC 6962, section 2.1, with the leaves already hashed.
    fn rfc_6962(leaves: &[B256]) -> B256 {
        match leaves {
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                join(&rfc_6962(left), &rfc_6962(right))
            }
        }
    }

    #[test]
    fn lan_21_the_tree_has_the_shape_of_rfc_6962() {
        for count in 1..70 {
            let tree = Tree::new(leaves(count)).unwrap();
            assert_eq!(tree.root(), rfc_6962(&leaves(count)), "{count}");
            assert_eq!(tree.nodes().count(), node_count(count));
        }
        assert_eq!(Tree::new(Vec::new()), None);
        assert_eq!(node_count(0), 0);
    }

    #[test]
    fn lan_22_a_leaf_verifies_at_its_place_only() {
        for count in 1..34 {
            let (leaves, tree) = (leaves(count), Tree::new(leaves(count)).unwrap());
            for (index, leaf) in leaves.iter().enumerate() {
                let path = tree.path(index).unwrap();
                let at = |index, count, path: &[B256]| verify(&tree.root(), *leaf, index, count, path);
                assert!(at(index, count, &path));
                assert!(!at(index + 1, count, &path));
                assert!(!at(count, count, &path));
                assert!(!at(index, count, &[path.as_slice(), &[B256::ZERO]].concat()));
                assert!(path.is_empty() || !at(index, count, &path[1..]));
            }
            assert_eq!(tree.path(count), None);
        }
    }
}
