//! Routes that money took, as a forest; and who shares what each of them keeps.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use chlom_client::{
    Chain,
    contracts::{
        license_registry::ILicenseRegistry::splitHashOfCall,
        split_registry::ISplitRegistry::{RouteNode, kindOfCall, routeAtCall, vectorOfCall},
    },
    lanes::settled::Settled,
};
use chlom_lane::LaneId;
use chlom_primitives::address::{LICENSE_REGISTRY, SPLIT_REGISTRY};
use chlom_royalty::{
    Period, Share, SplitTree, SplitVector,
    route::{Step, chain as route_chain},
};
use chlom_statement::document::{AccrualOf, OwnLeaf, Route, Split, Units};

use super::{ExportError, rows::Rows};

/// `ISplitRegistry.Kind.Tree`.
const TREE: u8 = 2;

/// Every route that a row settled by, and those above.
#[derive(Default)]
pub(super) struct Forest {
    /// Each after the one above it; without splits.
    pub(super) routes: Vec<Route>,
    places: BTreeMap<B256, usize>,
    divisions: BTreeMap<B256, Division>,
    /// For each payee the routes that pay it, with the hash of the split.
    pub(super) payees: BTreeMap<Address, BTreeMap<usize, B256>>,
    pub(super) unknown_trees: BTreeSet<B256>,
}

enum Division {
    Vector(SplitVector),
    Tree(SplitTree),
}

impl Forest {
    /// The routes by which rows settled, each asked of the chain and compared with what the ledger logged.
    pub(super) fn plant(chain: &Chain, events: &[Settled]) -> Result<Self, ExportError> {
        let paid: BTreeMap<(B256, B256), u32> =
            events.iter().map(|event| ((event.licence, event.route), event.period)).collect();
        let start = |period: u32| Period::new(period).map(Period::start).unwrap_or_default();
        let call = |((licence, _), period): (&(B256, B256), &u32)| routeAtCall {
            licence: *licence,
            time: start(*period),
        };
        let calls: Vec<_> = paid.iter().map(call).collect();
        let mut forest = Self::default();
        for (((licence, route), period), nodes) in paid.iter().zip(chain.view_all(SPLIT_REGISTRY, &calls)?) {
            if forest.add(&nodes) != Some(*route) {
                return Err(ExportError::Route { licence: *licence, route: *route, period: *period });
            }
        }
        let accruals: BTreeSet<(B256, u32, LaneId)> =
            events.iter().map(|event| (event.route, event.period, event.lane)).collect();
        for (route, period, lane) in accruals {
            let own = forest.places.get(&route).and_then(|place| forest.routes.get_mut(*place));
            own.into_iter().for_each(|route| route.accruals.push(AccrualOf { lane, period, rows: None }));
        }
        Ok(forest)
    }

    /// Adds a way, given from the licence up; gives the hash of the whole.
    fn add(&mut self, nodes: &[RouteNode]) -> Option<B256> {
        let mut steps: Vec<Step> = nodes.iter().map(step).collect();
        // The licence of a row counts as active, whatever it was (spec/royalty.md, ROY-20).
        steps.first_mut()?.active = true;
        let mut parent = None;
        for node in route_chain(&steps).iter().rev() {
            let next = self.routes.len();
            let place = *self.places.entry(node.route).or_insert(next);
            if place == next {
                let Step { licence, split_version, active, .. } = node.step;
                let accruals = Vec::new();
                self.routes.push(Route { licence, split_version, active, parent, split: None, accruals });
            }
            parent = Some(place);
        }
        route_chain(&steps).first().map(|node| node.route)
    }

    /// Finds out who shares what the routes keep that a lane's money reached.
    pub(super) fn divide(
        &mut self,
        chain: &Chain,
        lane: LaneId,
        trees: &[SplitTree],
    ) -> Result<(), ExportError> {
        let reached: Vec<usize> = self.reached(lane).into_iter().collect();
        let split = |place: &usize| {
            let route = &self.routes[*place];
            splitHashOfCall { id: route.licence, splitVersion: route.split_version }
        };
        let hashes = chain.view_all(LICENSE_REGISTRY, &reached.iter().map(split).collect::<Vec<_>>())?;
        let distinct: Vec<B256> = hashes.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let kinds: Vec<_> = distinct.iter().map(|hash| kindOfCall { splitHash: *hash }).collect();
        let kinds = chain.view_all(SPLIT_REGISTRY, &kinds)?;
        for (hash, kind) in distinct.into_iter().zip(kinds) {
            if kind != TREE {
                self.divisions.insert(hash, Division::Vector(vector(chain, hash)?));
            } else if let Some(tree) = trees.iter().find(|tree| tree.split_hash() == hash) {
                self.divisions.insert(hash, Division::Tree(tree.clone()));
            } else {
                self.unknown_trees.insert(hash);
            }
        }
        for (place, hash) in reached.into_iter().zip(hashes) {
            let payees: BTreeSet<Address> = match self.divisions.get(&hash) {
                Some(Division::Vector(vector)) => vector.shares().iter().map(|share| share.payee).collect(),
                Some(Division::Tree(tree)) => tree.leaves().iter().map(|leaf| leaf.payee).collect(),
                None => BTreeSet::new(),
            };
            for payee in payees {
                self.payees.entry(payee).or_default().insert(place, hash);
            }
        }
        Ok(())
    }

    /// Where the routes' accruals show their rows, all of them.
    pub(super) fn itemise(&mut self, rows: &mut Rows) {
        for route in &mut self.routes {
            for accrual in &mut route.accruals {
                accrual.rows = rows.of(route.licence, accrual.lane, accrual.period);
            }
        }
    }

    /// Active routes that the lane's own accruals pay, or what passes up of them can.
    fn reached(&self, lane: LaneId) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        for (place, route) in self.routes.iter().enumerate() {
            let mut next = route.accruals.iter().any(|accrual| accrual.lane == lane).then_some(place);
            while let Some(place) = next {
                let Some(route) = self.routes.get(place) else { break };
                if route.active && !reached.insert(place) {
                    break;
                }
                next = route.parent;
            }
        }
        reached
    }

    /// Some routes, those above them, and those below; `true` where their accruals matter.
    pub(super) fn around(&self, targets: &BTreeMap<usize, B256>) -> BTreeMap<usize, bool> {
        let mut wanted: BTreeMap<usize, bool> = BTreeMap::new();
        for (place, route) in self.routes.iter().enumerate() {
            // A route comes after the one above it.
            let below = route.parent.is_some_and(|parent| wanted.get(&parent) == Some(&true));
            if below || targets.contains_key(&place) {
                wanted.insert(place, true);
            }
        }
        for place in targets.keys() {
            let mut next = self.routes.get(*place).and_then(|route| route.parent);
            while let Some(above) = next {
                wanted.entry(above).or_insert(false);
                next = self.routes.get(above).and_then(|route| route.parent);
            }
        }
        wanted
    }

    /// Leaves out who is paid by routes that received nothing.
    pub(super) fn forget_unpaid(&mut self, received: impl Fn(usize) -> bool) {
        for routes in self.payees.values_mut() {
            routes.retain(|place, _| received(*place));
        }
        self.payees.retain(|_, routes| !routes.is_empty());
    }

    /// A split as a payee shows it.
    pub(super) fn split_of(&self, hash: B256, payee: Address) -> Option<Split> {
        match self.divisions.get(&hash)? {
            Division::Vector(vector) => {
                let shares = vector.shares().iter().map(|share| (share.payee, Units(share.weight)));
                Some(Split::Vector(shares.collect()))
            }
            Division::Tree(tree) => {
                let own = tree.leaves().iter().enumerate().filter(|(_, leaf)| leaf.payee == payee);
                let own = own.filter_map(|(index, leaf)| {
                    let proof = tree.prove(index)?;
                    let siblings = proof.siblings.iter().copied().zip(proof.sums.iter().copied().map(Units));
                    let (start, weight) = (Units(leaf.start), Units(leaf.weight));
                    Some(OwnLeaf { start, weight, path: proof.path, siblings: siblings.collect() })
                });
                let leaves = u32::try_from(tree.leaves().len()).ok()?;
                Some(Split::Tree {
                    root: tree.root(),
                    denom: Units(tree.denom()),
                    leaves,
                    own: own.collect(),
                })
            }
        }
    }
}

fn vector(chain: &Chain, hash: B256) -> Result<SplitVector, ExportError> {
    let found = chain.view(SPLIT_REGISTRY, &vectorOfCall { splitHash: hash })?;
    let shares = found.payees.iter().zip(&found.weights);
    let shares = shares.map(|(payee, weight)| Share { payee: *payee, weight: weight.to() }).collect();
    SplitVector::new(shares, found.denom.to())
        .map_err(|error| ExportError::Split { hash, why: error.to_string() })
}

fn step(node: &RouteNode) -> Step {
    Step {
        licence: node.licence,
        split_version: node.splitVersion,
        active: node.active,
        rate: (node.numer, node.denom),
    }
}
