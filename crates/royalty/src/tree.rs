//! Sum trees: splits of up to 100,000 payees by one hash.
//!
//! A leaf holds the weights `[start, start + weight)` of `[0, denom)`. Every node commits to the sums below it, left and
//! right, so the path from a leaf fixes where its interval begins: two leaves that verify never overlap (I7).

use alloy_primitives::{Address, B256, U256, keccak256};

use crate::{
    AmountTooLarge, TreeError,
    amount::{MAX_U96, node_hash, packed_u96},
};

/// The most leaves of a tree.
pub const MAX_LEAVES: usize = 100_000;
/// The longest path that can verify: a bit of `path` for every level.
pub const MAX_PATH: usize = 17;

/// A payee and its interval of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Who is paid.
    pub payee: Address,
    /// First weight.
    pub start: u128,
    /// How many.
    pub weight: u128,
}

impl Leaf {
    /// keccak256(0x00 ‖ payee ‖ start ‖ weight), numbers as uint96.
    pub fn hash(&self) -> B256 {
        let mut bytes = [0; 45];
        bytes[1..21].copy_from_slice(self.payee.as_slice());
        bytes[21..33].copy_from_slice(&packed_u96(self.start));
        bytes[33..].copy_from_slice(&packed_u96(self.weight));
        keccak256(bytes)
    }
}

/// The way from a leaf to the root.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LeafProof {
    /// Bit i set: the node at step i is the right child.
    pub path: U256,
    /// Sibling hashes, from the leaf up.
    pub siblings: Vec<B256>,
    /// Their sums.
    pub sums: Vec<u128>,
}

/// A node: its hash and the sum of the weights below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    hash: B256,
    sum: u128,
}

impl Node {
    /// keccak256(0x01 ‖ left ‖ sum of left ‖ right ‖ sum of right); `None` when the sums have more than 96 bits.
    fn join(left: Self, right: Self) -> Option<Self> {
        let sum = left.sum.checked_add(right.sum).filter(|sum| *sum <= MAX_U96)?;
        let (of_left, of_right) = (packed_u96(left.sum), packed_u96(right.sum));
        let hash = node_hash([left.hash.as_slice(), &of_left, right.hash.as_slice(), &of_right]);
        Some(Self { hash, sum })
    }
}

/// A whole tree, by levels from the leaves up. An odd node is promoted.
#[derive(Clone, Debug)]
pub struct SplitTree {
    leaves: Vec<Leaf>,
    levels: Vec<Vec<Node>>,
}

impl SplitTree {
    /// Lays the shares end to end, in the order given.
    ///
    /// # Errors
    /// [`TreeError`] for none or too many, a zero payee or weight, or weights that sum to more than 96 bits hold.
    pub fn new(shares: impl IntoIterator<Item = (Address, u128)>) -> Result<Self, TreeError> {
        let mut leaves = Vec::new();
        let mut start = 0u128;
        for (index, (payee, weight)) in shares.into_iter().enumerate() {
            if payee.is_zero() {
                return Err(TreeError::SplitPayeeZero { index });
            }
            let end = start.saturating_add(weight);
            if end > MAX_U96 {
                return Err(AmountTooLarge { amount: end, most: MAX_U96 }.into());
            }
            if weight == 0 {
                return Err(TreeError::LeafRange { start, weight, denom: end });
            }
            leaves.push(Leaf { payee, start, weight });
            start = end;
        }
        if leaves.is_empty() || leaves.len() > MAX_LEAVES {
            return Err(TreeError::SplitTooLarge { leaves: leaves.len(), most: MAX_LEAVES });
        }
        let levels = raise(leaves.iter().map(|leaf| Node { hash: leaf.hash(), sum: leaf.weight }).collect());
        Ok(Self { leaves, levels })
    }

    /// The root's hash.
    pub fn root(&self) -> B256 {
        self.top().hash
    }

    /// What the weights sum to.
    pub fn denom(&self) -> u128 {
        self.top().sum
    }

    /// The leaves, in order.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The hash it is registered by.
    pub fn split_hash(&self) -> B256 {
        tree_split_hash(self.root(), self.denom(), u32::try_from(self.leaves.len()).unwrap_or(u32::MAX))
    }

    /// The path of a leaf; `None` past the last.
    pub fn prove(&self, index: usize) -> Option<LeafProof> {
        if index >= self.leaves.len() {
            return None;
        }
        let mut proof = LeafProof::default();
        let mut place = index;
        for level in &self.levels {
            if let Some(sibling) = level.get(place ^ 1) {
                if place & 1 == 1 {
                    proof.path.set_bit(proof.siblings.len(), true);
                }
                proof.siblings.push(sibling.hash);
                proof.sums.push(sibling.sum);
            }
            place >>= 1;
        }
        Some(proof)
    }

    fn top(&self) -> Node {
        let top = self.levels.last().and_then(|level| level.first());
        *top.expect("a tree has a leaf, so its last level has one node")
    }
}

/// Levels from the leaves to the root. Sums never overflow: they were bounded as the leaves were laid.
fn raise(leaves: Vec<Node>) -> Vec<Vec<Node>> {
    let mut levels = vec![leaves];
    while let Some(below) = levels.last().filter(|level| level.len() > 1) {
        let join = |pair: &[Node]| match pair {
            [left, right] => Node::join(*left, *right),
            promoted => promoted.first().copied(),
        };
        let above = below.chunks(2).filter_map(join).collect();
        levels.push(above);
    }
    levels
}

/// keccak256 of `"CHLOM_SPLIT_TREE_V1" ‖ root ‖ denom ‖ leaves`: bytes32, uint96, uint32.
pub fn tree_split_hash(root: B256, denom: u128, leaves: u32) -> B256 {
    let mut bytes = b"CHLOM_SPLIT_TREE_V1".to_vec();
    bytes.extend(root);
    bytes.extend(packed_u96(denom));
    bytes.extend(leaves.to_be_bytes());
    keccak256(bytes)
}

/// Checks that `leaf` is in the tree of `root` and `denom`.
///
/// # Errors
/// [`TreeError`]: a path too long or torn, an interval outside of the whole or not where the path puts it, or a path that
/// does not lead to the root with `denom` in all. Bits of the path above the leaf's level are clear: a leaf has one proof.
pub fn verify_leaf(root: B256, denom: u128, leaf: &Leaf, proof: &LeafProof) -> Result<(), TreeError> {
    let Leaf { start, weight, .. } = *leaf;
    let steps = proof.siblings.len();
    if steps > MAX_PATH {
        return Err(TreeError::ProofTooLong { given: steps, most: MAX_PATH });
    }
    if steps != proof.sums.len() {
        return Err(TreeError::SplitLengths { siblings: steps, sums: proof.sums.len() });
    }
    let range = TreeError::LeafRange { start, weight, denom };
    let end = start.checked_add(weight).filter(|end| *end <= denom && denom <= MAX_U96);
    if weight == 0 || end.is_none() {
        return Err(range);
    }
    if proof.path.bit_len() > steps {
        return Err(TreeError::LeafNotInTree);
    }
    let mut node = Node { hash: leaf.hash(), sum: weight };
    let mut left = 0u128;
    for (step, (hash, sum)) in proof.siblings.iter().zip(&proof.sums).enumerate() {
        let sibling = Node { hash: *hash, sum: *sum };
        let is_right = proof.path.bit(step);
        let joined = if is_right { Node::join(sibling, node) } else { Node::join(node, sibling) };
        node = joined.ok_or(TreeError::LeafNotInTree)?;
        if is_right {
            // Part of the sum that `join` has just bounded.
            left = left.saturating_add(*sum);
        }
    }
    if node.hash != root || node.sum != denom {
        return Err(TreeError::LeafNotInTree);
    }
    if left != start { Err(range) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(n: u128) -> SplitTree {
        let payee = |i: u128| Address::from_word(B256::left_padding_from(&i.to_be_bytes()));
        SplitTree::new((1..=n).map(|i| (payee(i), i))).unwrap()
    }

    #[test]
    fn every_leaf_of_a_tree_of_any_shape_verifies_and_the_leaves_tile_the_whole() {
        for n in (1..=40).chain([511, 512, 513]) {
            let tree = tree(n);
            let mut next = 0;
            for (index, leaf) in tree.leaves().iter().enumerate() {
                assert_eq!(leaf.start, next);
                next += leaf.weight;
                verify_leaf(tree.root(), tree.denom(), leaf, &tree.prove(index).unwrap()).unwrap();
            }
            assert_eq!(next, tree.denom());
            assert_eq!(tree.prove(tree.leaves().len()), None);
        }
    }

    #[test]
    fn a_tree_of_100_000_leaves_is_built_and_one_more_is_refused() {
        let whole = tree(MAX_LEAVES as u128);
        let proof = whole.prove(99_999).unwrap();
        assert!(proof.siblings.len() <= MAX_PATH);
        verify_leaf(whole.root(), whole.denom(), &whole.leaves()[99_999], &proof).unwrap();
        let payee = Address::with_last_byte(1);
        let more = SplitTree::new(std::iter::repeat_n((payee, 1), MAX_LEAVES + 1));
        assert_eq!(more.err(), Some(TreeError::SplitTooLarge { leaves: MAX_LEAVES + 1, most: MAX_LEAVES }));
    }

    #[test]
    fn a_leaf_that_is_moved_grown_or_given_to_another_does_not_verify() {
        let tree = tree(7);
        let (leaf, proof) = (tree.leaves()[3], tree.prove(3).unwrap());
        let verify = |leaf: Leaf| verify_leaf(tree.root(), tree.denom(), &leaf, &proof);
        assert_eq!(verify(leaf), Ok(()));
        for changed in [
            Leaf { start: leaf.start + 1, ..leaf },
            Leaf { weight: leaf.weight + 1, ..leaf },
            Leaf { weight: leaf.weight - 1, ..leaf },
            Leaf { payee: Address::with_last_byte(0xee), ..leaf },
        ] {
            assert_eq!(verify(changed), Err(TreeError::LeafNotInTree));
        }
        let denom = tree.denom();
        for (start, weight) in [(denom, 1), (denom - 1, 2), (0, 0), (u128::MAX, 1)] {
            assert_eq!(
                verify(Leaf { start, weight, ..leaf }),
                Err(TreeError::LeafRange { start, weight, denom })
            );
        }
    }

    #[test]
    fn paths_that_are_too_long_or_torn_are_refused_as_such() {
        let tree = tree(2);
        let leaf = tree.leaves()[0];
        let with = |siblings, sums| LeafProof {
            path: U256::ZERO,
            siblings: vec![B256::ZERO; siblings],
            sums: vec![0; sums],
        };
        let verify = |proof| verify_leaf(tree.root(), tree.denom(), &leaf, &proof);
        assert_eq!(verify(with(18, 18)), Err(TreeError::ProofTooLong { given: 18, most: MAX_PATH }));
        assert_eq!(verify(with(2, 1)), Err(TreeError::SplitLengths { siblings: 2, sums: 1 }));
        assert_eq!(verify(with(1, 1)), Err(TreeError::LeafNotInTree));
    }

    #[test]
    fn sums_past_96_bits_do_not_verify() {
        let tree = tree(2);
        let mut proof = tree.prove(0).unwrap();
        proof.sums[0] = MAX_U96;
        let got = verify_leaf(tree.root(), tree.denom(), &tree.leaves()[0], &proof);
        assert_eq!(got, Err(TreeError::LeafNotInTree));
    }
}
