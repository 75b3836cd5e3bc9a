//! Payout receipts (REF §8.1): who is owed what of a route in all, with a Merkle path for each.

use alloy_primitives::{Address, B256, U256, keccak256};

use crate::{SplitVector, amount::node_hash};

/// What one payee is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Who.
    pub to: Address,
    /// In the token's minor unit.
    pub amount: u128,
}

/// A receipt: allocations in the order of the split, and what flooring leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// One a payee.
    pub allocations: Vec<Allocation>,
    /// What was divided.
    pub kept: u128,
    /// `kept` less the allocations.
    pub residual: u128,
}

impl Receipt {
    /// Divides what a route kept.
    pub fn new(split: &SplitVector, kept: u128) -> Self {
        let to = split.shares().iter().map(|share| share.payee);
        let allocations =
            to.zip(split.entitlements(kept)).map(|(to, amount)| Allocation { to, amount }).collect();
        Self { allocations, kept, residual: split.residual(kept) }
    }

    /// Root over the allocations in index order.
    pub fn root(&self) -> B256 {
        let mut level = self.hashes();
        while level.len() > 1 {
            level = raise(&level);
        }
        level.first().copied().unwrap_or_default()
    }

    /// Siblings from the leaf up; a level where the node is promoted has none. `None` past the last.
    pub fn path(&self, index: usize) -> Option<Vec<B256>> {
        if index >= self.allocations.len() {
            return None;
        }
        let (mut level, mut place, mut path) = (self.hashes(), index, Vec::new());
        while level.len() > 1 {
            path.extend(level.get(place ^ 1));
            level = raise(&level);
            place >>= 1;
        }
        Some(path)
    }

    fn hashes(&self) -> Vec<B256> {
        self.allocations.iter().enumerate().map(|(index, allocation)| leaf_hash(index, allocation)).collect()
    }
}

/// keccak256(0x00 ‖ abi.encode(index, to, amount)).
pub fn leaf_hash(index: usize, allocation: &Allocation) -> B256 {
    let mut bytes = [0; 97];
    bytes[1..33].copy_from_slice(&U256::from(index).to_be_bytes::<32>());
    bytes[45..65].copy_from_slice(allocation.to.as_slice());
    bytes[65..].copy_from_slice(&U256::from(allocation.amount).to_be_bytes::<32>());
    keccak256(bytes)
}

/// Whether the allocation at `index` of `count` is in the receipt of `root`.
pub fn verify_allocation(
    root: B256,
    index: usize,
    count: usize,
    allocation: &Allocation,
    path: &[B256],
) -> bool {
    if index >= count {
        return false;
    }
    let (mut node, mut place, mut width) = (leaf_hash(index, allocation), index, count);
    let mut path = path.iter();
    while width > 1 {
        if place ^ 1 < width {
            let Some(sibling) = path.next() else { return false };
            let (left, right) = if place & 1 == 1 { (*sibling, node) } else { (node, *sibling) };
            node = join(left, right);
        }
        place >>= 1;
        width = width.div_ceil(2);
    }
    node == root && path.next().is_none()
}

/// keccak256(0x01 ‖ left ‖ right).
fn join(left: B256, right: B256) -> B256 {
    node_hash([left.as_slice(), right.as_slice(), &[], &[]])
}

/// The level above; an odd node is promoted.
fn raise(level: &[B256]) -> Vec<B256> {
    let up = |pair: &[B256]| match pair {
        [left, right] => join(*left, *right),
        promoted => promoted.first().copied().unwrap_or_default(),
    };
    level.chunks(2).map(up).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Share;

    fn receipt(payees: u8) -> Receipt {
        let shares = (1..=payees).map(|i| Share { payee: Address::with_last_byte(i), weight: 1 }).collect();
        Receipt::new(&SplitVector::new(shares, payees.into()).unwrap(), 1_000)
    }

    #[test]
    fn every_allocation_has_a_path_to_the_root_and_no_other_amount_has() {
        for payees in 1..=33 {
            let receipt = receipt(payees);
            for (index, allocation) in receipt.allocations.iter().enumerate() {
                let path = receipt.path(index).unwrap();
                let verify = |allocation: &Allocation, path: &[B256]| {
                    verify_allocation(receipt.root(), index, payees.into(), allocation, path)
                };
                assert!(verify(allocation, &path));
                assert!(!verify(&Allocation { amount: allocation.amount + 1, ..*allocation }, &path));
                assert!(!verify(allocation, &[path.as_slice(), &[B256::ZERO]].concat()));
            }
            assert_eq!(receipt.path(payees.into()), None);
        }
    }

    #[test]
    fn allocations_and_residual_are_what_was_kept() {
        for payees in 1..=33 {
            let receipt = receipt(payees);
            let paid: u128 = receipt.allocations.iter().map(|a| a.amount).sum();
            assert_eq!(paid + receipt.residual, 1_000);
            assert!(receipt.residual < payees.into());
        }
    }
}
