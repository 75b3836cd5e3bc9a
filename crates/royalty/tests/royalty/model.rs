//! A naive twin of the ledger: one pass over sums, in exact integers of 512 bits, without batches, routes by hash or
//! cumulative accounts.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U512};

/// A licence as the model knows it in one period.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: Option<usize>,
    pub(crate) rate: (u64, u64),
    pub(crate) active: bool,
    pub(crate) royalty_bps: u16,
    pub(crate) weights: Vec<u128>,
    pub(crate) denom: u128,
}

/// What a licence has in the end.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) base: u128,
    pub(crate) fee: u128,
    pub(crate) inflow: u128,
    pub(crate) kept: u128,
    pub(crate) payees: Vec<u128>,
}

fn floor(a: u128, n: u128, d: u128) -> u128 {
    u128::try_from(U512::from(a) * U512::from(n) / U512::from(d)).unwrap()
}

/// Divides `revenue` by (licence, lane). Parents have smaller indices than their children.
pub(crate) fn divide(
    nodes: &[Node],
    revenue: &BTreeMap<(usize, u8), u128>,
    (fee_bps, cap): (u128, u128),
) -> Vec<Totals> {
    let mut totals = vec![Totals::default(); nodes.len()];
    for ((licence, _lane), revenue) in revenue {
        let base = floor(*revenue, nodes[*licence].royalty_bps.into(), 10_000);
        let fee = floor(base, fee_bps, 10_000).min(cap);
        totals[*licence].base += base;
        totals[*licence].fee += fee;
        totals[*licence].inflow += base - fee;
    }
    for i in (0..nodes.len()).rev() {
        let mut above = nodes[i].parent;
        while let Some(parent) = above.filter(|p| !nodes[*p].active) {
            above = nodes[parent].parent;
        }
        let (n, d) = nodes[i].rate;
        let up = above.map_or(0, |_| floor(totals[i].inflow, n.into(), d.into()));
        if let Some(parent) = above {
            totals[parent].inflow += up;
        }
        let kept = totals[i].inflow - up;
        totals[i].kept = kept;
        totals[i].payees = nodes[i].weights.iter().map(|w| floor(kept, *w, nodes[i].denom)).collect();
    }
    totals
}

/// The id of the licence at an index.
pub(crate) fn id(index: usize) -> B256 {
    B256::from(alloy_primitives::U256::from(index + 1))
}
