//! What the ledger asks of whoever knows the licences: the contracts' state, a file, or a [`crate::Forest`].

use alloy_primitives::B256;

use crate::{Fee, RouteNode, SplitVector};

/// A split, in full or by its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// Up to 512 payees.
    Vector(SplitVector),
    /// Up to 100,000.
    Tree {
        /// The root's hash.
        root: B256,
        /// What the weights sum to.
        denom: u128,
        /// How many leaves.
        leaves: u32,
    },
}

impl Split {
    /// The hash it is registered by.
    pub fn hash(&self) -> B256 {
        match self {
            Self::Vector(vector) => vector.hash(),
            Self::Tree { root, denom, leaves } => crate::tree::tree_split_hash(*root, *denom, *leaves),
        }
    }

    /// What the weights sum to.
    pub const fn denom(&self) -> u128 {
        match self {
            Self::Vector(vector) => vector.denom(),
            Self::Tree { denom, .. } => *denom,
        }
    }
}

/// Questions about licences at a time, in seconds. Answers about times gone by never change.
pub trait Registry {
    /// Basis points at `time` or, failing that, by the licence's first terms; `None` for a licence nobody minted.
    fn royalty_bps_at(&self, licence: B256, time: u64) -> Option<u16>;
    /// From the licence to its root, by the terms at `time` or, failing that, each licence's first.
    fn route_at(&self, licence: B256, time: u64) -> Option<Vec<RouteNode>>;
    /// Whether rows of a licence that was not active at `start` settle all the same: neither it nor its subtree was revoked
    /// then, and it was active at some time before `end`.
    fn woke_within(&self, licence: B256, start: u64, end: u64) -> bool;
    /// A version of a licence's split.
    fn split_of(&self, licence: B256, split_version: u32) -> Option<&Split>;
    /// The network's fee at `time` for a token of so many decimals.
    fn fee_at(&self, time: u64, decimals: u8) -> Fee;
}
