//! Sum trees whose maker lies: whatever verifies is disjoint (I7).

use alloy_primitives::{Address, B256, U256, keccak256};
use chlom_royalty::{Leaf, LeafProof, TreeError, tree::verify_leaf};

use crate::{replay::seeds, seed::Seed};

/// A node of a tree in which any start, weight and sum may be a lie. Hashed here anew, by the formula of the interface.
struct Node {
    hash: B256,
    sum: u128,
    leaves: Vec<(Leaf, LeafProof)>,
}

fn packed(value: u128) -> [u8; 12] {
    value.to_be_bytes()[4..].try_into().unwrap()
}

fn join(seed: &mut Seed, left: Node, right: Node) -> Node {
    let sums = [&left, &right].map(|node| if seed.one_in(8) { 1 + seed.wide(4) } else { node.sum });
    let bytes = [&[1u8][..], left.hash.as_slice(), &packed(sums[0]), right.hash.as_slice(), &packed(sums[1])];
    let hash = keccak256(bytes.concat());
    let mut leaves = Vec::new();
    for (side, node, hash, sum) in
        [(false, left.leaves, right.hash, sums[1]), (true, right.leaves, left.hash, sums[0])]
    {
        for (leaf, mut proof) in node {
            proof.path.set_bit(proof.siblings.len(), side);
            proof.siblings.push(hash);
            proof.sums.push(sum);
            leaves.push((leaf, proof));
        }
    }
    Node { hash, sum: sums[0] + sums[1], leaves }
}

fn grow(seed: &mut Seed) -> Node {
    let mut start = 0;
    let mut nodes: Vec<_> = (0..1 + seed.below(8))
        .map(|_| {
            let weight = 1 + seed.wide(4);
            let leaf = Leaf {
                payee: Address::with_last_byte(1 + seed.below(3) as u8),
                start: if seed.one_in(6) { seed.wide(6) } else { start },
                weight,
            };
            start += weight;
            let bytes = [&[0u8][..], leaf.payee.as_slice(), &packed(leaf.start), &packed(weight)].concat();
            Node { hash: keccak256(bytes), sum: weight, leaves: vec![(leaf, LeafProof::default())] }
        })
        .collect();
    while nodes.len() > 1 {
        let at = seed.below(nodes.len() - 1);
        let right = nodes.remove(at + 1);
        let left = nodes.remove(at);
        let joined = join(seed, left, right);
        nodes.insert(at, joined);
    }
    nodes.remove(0)
}

/// Checks every pair of leaves that verify; gives how many did, and how many were refused.
fn verified_leaves_are_disjoint(seed: &mut Seed) -> (usize, usize) {
    let tree = grow(seed);
    let denom = if seed.one_in(6) { 1 + seed.wide(6) } else { tree.sum };
    let verify = |(leaf, proof): &(Leaf, LeafProof)| verify_leaf(tree.hash, denom, leaf, proof).is_ok();
    let good: Vec<_> = tree.leaves.iter().filter(|leaf| verify(leaf)).map(|(leaf, _)| leaf).collect();
    for (i, a) in good.iter().enumerate() {
        assert!(a.start + a.weight <= denom);
        for b in &good[..i] {
            assert!(a.start + a.weight <= b.start || b.start + b.weight <= a.start, "{a:?} overlaps {b:?}");
        }
    }
    (good.len(), tree.leaves.len() - good.len())
}

#[test]
fn invariant_7_leaves_of_a_sum_tree_that_verify_never_overlap_whoever_made_it() {
    let (mut verified, mut refused) = (0, 0);
    seeds(8_000_000_000, 4_000, |seed| {
        let (good, bad) = verified_leaves_are_disjoint(seed);
        (verified, refused) = (verified + good, refused + bad);
    });
    assert!(verified > 1_000 && refused > 1_000, "{verified} verified, {refused} refused");
}

#[test]
fn leaves_of_a_million_lying_sum_trees_never_overlap_slow() {
    seeds(9_000_000_000, 1_000_000, |seed| {
        verified_leaves_are_disjoint(seed);
    });
}

#[test]
fn a_leaf_that_overruns_the_whole_never_verifies() {
    let leaf = Leaf { payee: Address::with_last_byte(1), start: 0, weight: 11 };
    let bytes = [&[0u8][..], leaf.payee.as_slice(), &packed(0), &packed(11)].concat();
    let got = verify_leaf(keccak256(bytes), 10, &leaf, &LeafProof::default());
    assert_eq!(got, Err(TreeError::LeafRange { start: 0, weight: 11, denom: 10 }));
}

#[test]
fn a_leaf_has_one_proof_because_spare_bits_of_the_path_are_refused() {
    let leaf = Leaf { payee: Address::with_last_byte(1), start: 0, weight: 10 };
    let root = leaf.hash();
    assert_eq!(verify_leaf(root, 10, &leaf, &LeafProof::default()), Ok(()));
    let spare = LeafProof { path: U256::from(4), ..LeafProof::default() };
    assert_eq!(verify_leaf(root, 10, &leaf, &spare), Err(TreeError::LeafNotInTree));
}
