//! Routes: the way of money from a licence up to its root, fixed at a period's start (C27).
//!
//! An inactive licence is skipped: what would have reached it reaches the nearest active one above, undiminished; with
//! none above, the licence below keeps it.

use alloy_primitives::{B256, U256, keccak256};

/// The most edges from a root (ARCHITECTURE §6).
pub const MAX_DEPTH: u8 = 16;

/// A licence on the way up, before hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which licence.
    pub licence: B256,
    /// The version of its split in force.
    pub split_version: u32,
    /// Its own state was Active or Suspended, and no revocation marked it or one above it.
    pub active: bool,
    /// What passes up its edge, numerator and denominator; `(0, 0)` at a root.
    pub rate: (u64, u64),
}

/// A licence on the way up, with the hash of its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteNode {
    /// The licence.
    pub step: Step,
    /// Hash of the way from it to its root.
    pub route: B256,
    /// The same of the licence above; zero at a root.
    pub parent_route: B256,
}

/// keccak256(abi.encode(parent's route or 0, licence, split version, active)).
pub fn route_hash(parent_route: B256, licence: B256, split_version: u32, active: bool) -> B256 {
    let mut words = [0; 128];
    words[..32].copy_from_slice(parent_route.as_slice());
    words[32..64].copy_from_slice(licence.as_slice());
    words[64..96].copy_from_slice(&U256::from(split_version).to_be_bytes::<32>());
    words[127] = active.into();
    keccak256(words)
}

/// Hashes a way, given from the licence to its root.
pub fn chain(steps: &[Step]) -> Vec<RouteNode> {
    let mut parent_route = B256::ZERO;
    let mut nodes: Vec<_> = steps
        .iter()
        .rev()
        .map(|step| {
            let route = route_hash(parent_route, step.licence, step.split_version, step.active);
            let node = RouteNode { step: *step, route, parent_route };
            parent_route = route;
            node
        })
        .collect();
    nodes.reverse();
    nodes
}

/// The licences that money reaches, from the first up, with the rate at which it passes on from each: `(0, 1)` where it ends.
pub fn stations(nodes: &[RouteNode]) -> Vec<(RouteNode, (u64, u64))> {
    let mut active: Vec<_> =
        nodes.iter().filter(|node| node.step.active).map(|node| (*node, node.step.rate)).collect();
    if let Some((_, rate)) = active.last_mut() {
        *rate = (0, 1);
    }
    active
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(licence: u8, active: bool, rate: (u64, u64)) -> Step {
        Step { licence: B256::with_last_byte(licence), split_version: 7, active, rate }
    }

    #[test]
    fn a_route_binds_every_licence_version_and_state_above() {
        let steps = [step(3, true, (1, 2)), step(2, false, (1, 3)), step(1, true, (0, 0))];
        let nodes = chain(&steps);
        assert_eq!(nodes[2].parent_route, B256::ZERO);
        assert_eq!(nodes[1].parent_route, nodes[2].route);
        assert_eq!(nodes[0].parent_route, nodes[1].route);
        for i in 0..3 {
            let mut other = steps;
            other[i].active = !other[i].active;
            assert_ne!(chain(&other)[0].route, nodes[0].route);
            let mut other = steps;
            other[i].split_version += 1;
            assert_ne!(chain(&other)[0].route, nodes[0].route);
        }
    }

    #[test]
    fn an_inactive_licence_is_skipped_and_the_last_active_one_keeps() {
        let steps = |a, b| chain(&[step(3, true, (1, 2)), step(2, a, (1, 3)), step(1, b, (0, 0))]);
        let way = |a, b| {
            let stations = stations(&steps(a, b));
            stations.iter().map(|(n, rate)| (n.step.licence[31], *rate)).collect::<Vec<_>>()
        };
        assert_eq!(way(true, true), [(3, (1, 2)), (2, (1, 3)), (1, (0, 1))]);
        assert_eq!(way(false, true), [(3, (1, 2)), (1, (0, 1))]);
        assert_eq!(way(true, false), [(3, (1, 2)), (2, (0, 1))]);
        assert_eq!(way(false, false), [(3, (0, 1))]);
    }
}
