//! How what a licence keeps is divided: by a vector, or by a sum tree of which the chain has the root alone.

use std::{fs::File, io::Read, path::Path};

use alloy_primitives::{Address, B256};
use anyhow::{Context, Result};
use chlom_client::{
    Chain,
    contracts::split_registry::ISplitRegistry::{kindOfCall, treeOfCall, vectorOfCall},
};
use chlom_primitives::address::SPLIT_REGISTRY;
use chlom_royalty::{Share, SplitTree, SplitVector, split::entitlement};

use crate::exit::Usage;

/// `ISplitRegistry.Kind.Tree`.
const TREE: u8 = 2;
/// A file of leaves: 100,000 lines of at most some 80 bytes.
const MOST_BYTES: u64 = 16 << 20;

/// What a split is.
pub(super) enum Division<'a> {
    /// Every payee is on chain.
    Vector(SplitVector),
    /// Every payee is in a file whose tree has the root that is on chain.
    Tree(&'a SplitTree),
    /// Nobody said who the payees are: so many leaves under a root.
    Root { root: B256, leaves: u32 },
}

impl<'a> Division<'a> {
    pub(super) fn of(chain: &Chain, hash: B256, trees: &'a [SplitTree]) -> Result<Self> {
        if chain.view(SPLIT_REGISTRY, &kindOfCall { splitHash: hash })? == TREE {
            if let Some(tree) = trees.iter().find(|tree| tree.split_hash() == hash) {
                return Ok(Self::Tree(tree));
            }
            let tree = chain.view(SPLIT_REGISTRY, &treeOfCall { splitHash: hash })?;
            return Ok(Self::Root { root: tree.root, leaves: tree.leaves });
        }
        let split = chain
            .view(SPLIT_REGISTRY, &vectorOfCall { splitHash: hash })
            .with_context(|| format!("split {hash}"))?;
        let shares = split.payees.iter().zip(&split.weights);
        let shares = shares.map(|(payee, weight)| Share { payee: *payee, weight: weight.to() }).collect();
        Ok(Self::Vector(SplitVector::new(shares, split.denom.to())?))
    }

    /// What each payee has in all of `kept`; `None` where nobody said who they are.
    pub(super) fn amounts(&self, kept: u128) -> Option<Vec<(Address, u128)>> {
        match self {
            Self::Vector(vector) => {
                let payees = vector.shares().iter().map(|share| share.payee);
                Some(payees.zip(vector.entitlements(kept)).collect())
            }
            Self::Tree(tree) => {
                let amount = |weight| entitlement(weight, tree.denom(), kept);
                Some(tree.leaves().iter().map(|leaf| (leaf.payee, amount(leaf.weight))).collect())
            }
            Self::Root { .. } => None,
        }
    }
}

/// A file of lines `payee,weight`, in the order of the leaves.
pub(crate) fn read_tree(path: &Path) -> Result<SplitTree> {
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    tree_of(file.take(MOST_BYTES)).map_err(|what| Usage(format!("{}: {what}", path.display())).into())
}

fn tree_of(input: impl Read) -> Result<SplitTree, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(input);
    let mut shares = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let [payee, weight] = record.iter().collect::<Vec<_>>()[..] else {
            return Err(format!("line {line}: a leaf is payee,weight"));
        };
        if line == 1 && payee.eq_ignore_ascii_case("payee") {
            continue;
        }
        let payee = payee.parse().map_err(|_| format!("line {line}: {payee:?} is no address"))?;
        let number = weight.parse::<u128>().ok().filter(|weight| *weight > 0);
        let weight = number.ok_or_else(|| format!("line {line}: {weight:?} is no whole number above 0"))?;
        shares.push((payee, weight));
    }
    SplitTree::new(shares).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_lines_of_payee_and_weight() {
        let (a, b) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let text = format!("payee,weight\n{a},3\n{b}, 1\n");
        let tree = tree_of(text.as_bytes()).unwrap();
        assert_eq!((tree.denom(), tree.leaves().len()), (4, 2));
        assert_eq!(tree.split_hash(), SplitTree::new([(a, 3), (b, 1)]).unwrap().split_hash());
        assert_eq!(Division::Tree(&tree).amounts(10), Some(vec![(a, 7), (b, 2)]));
        assert_eq!(Division::Root { root: tree.root(), leaves: 2 }.amounts(10), None);
    }

    #[test]
    fn what_is_no_leaf_is_refused_with_its_line() {
        let payee = Address::repeat_byte(1);
        for (text, what) in [
            (format!("{payee}\n"), "line 1: a leaf"),
            (format!("{payee},1\nnobody,1\n"), "line 2: \"nobody\" is no address"),
            (format!("{payee},-1\n"), "line 1: \"-1\" is no whole number"),
            (format!("{payee},1\n{payee},0\n"), "line 2: \"0\" is no whole number above 0"),
            (String::new(), "leaves"),
        ] {
            let refused = tree_of(text.as_bytes()).unwrap_err();
            assert!(refused.contains(what), "{text:?}: {refused}");
        }
    }
}
