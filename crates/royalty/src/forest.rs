//! A forest of licences in memory: edges, terms with their times, marks on subtrees. It answers as [`Registry`] what
//! LicenseRegistry, SplitRegistry and ParameterRegistry answer on chain; for previews, watchers and tests.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use crate::{
    Edge, Fee, ForestError, Registry, RouteNode, Split,
    amount::MAX_U96,
    base::checked_rate,
    route::{MAX_DEPTH, Step, chain},
};

/// Persistent states that matter to money (C13). Expired is worked out from the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not in force yet.
    Draft,
    /// In force.
    Active,
    /// Frozen by enforcement: money still flows, to be held at withdrawal.
    Suspended,
    /// Ended for ever.
    Revoked,
}

/// A licence's terms from one time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The state.
    pub state: State,
    /// First second after the window.
    pub end: u64,
    /// Basis points of revenue.
    pub royalty_bps: u16,
    /// The split, registered before.
    pub split: B256,
}

#[derive(Clone, Copy, Debug)]
struct Checkpoint {
    effective_from: u64,
    state: State,
    end: u64,
    royalty_bps: u16,
    split_version: u32,
}

#[derive(Clone, Debug)]
struct Licence {
    edge: Option<Edge>,
    depth: u8,
    checkpoints: Vec<Checkpoint>,
    splits: Vec<B256>,
    /// When its subtree was revoked.
    subtree_revoked: Option<u64>,
}

/// Licences, their splits, and the network's fee.
#[derive(Clone, Debug)]
pub struct Forest {
    dynamic_bps: u128,
    cap_units: u128,
    splits: BTreeMap<B256, Split>,
    licences: BTreeMap<B256, Licence>,
}

impl Forest {
    /// Empty, with the fee's rate in basis points and its cap in whole units of the settlement token (C5).
    pub const fn new(dynamic_bps: u128, cap_units: u128) -> Self {
        Self { dynamic_bps, cap_units, splits: BTreeMap::new(), licences: BTreeMap::new() }
    }

    /// Registers a split; again changes nothing.
    pub fn register(&mut self, split: Split) -> B256 {
        let hash = split.hash();
        self.splits.entry(hash).or_insert(split);
        hash
    }

    /// Mints a licence with its first terms, effective from its start, below `edge`'s parent.
    ///
    /// # Errors
    /// [`ForestError`] for an id in use, an unknown parent or split, a forest past 16 edges deep, a rate above 1.
    pub fn mint(
        &mut self,
        id: B256,
        edge: Option<Edge>,
        start: u64,
        terms: Terms,
    ) -> Result<(), ForestError> {
        if self.licences.contains_key(&id) {
            return Err(ForestError::Exists(id));
        }
        let depth = self.depth_below(id, edge)?;
        let checkpoint = self.checkpoint(start, terms, 1)?;
        let splits = vec![terms.split];
        let licence = Licence { edge, depth, checkpoints: vec![checkpoint], splits, subtree_revoked: None };
        self.licences.insert(id, licence);
        Ok(())
    }

    /// Records new terms at `now`, effective from then or later. A split other than the one in force then is a new version,
    /// even one that the licence had before. Versions count from 1.
    ///
    /// # Errors
    /// [`ForestError`] for an unknown or revoked licence, an unknown split, a rate above 1, a time gone by.
    pub fn modify(&mut self, id: B256, (now, from): (u64, u64), terms: Terms) -> Result<(), ForestError> {
        if from < now {
            return Err(ForestError::EffectiveInPast { effective_from: from, earliest: now });
        }
        let licence = self.licences.get(&id).ok_or(ForestError::LicenseUnknown(id))?;
        if licence.checkpoints.last().is_some_and(|last| last.state == State::Revoked) {
            return Err(ForestError::RevokedForever(id));
        }
        let in_force = licence.at(from).map(|c| c.split_version);
        let same = in_force.filter(|version| licence.split(*version) == Some(&terms.split));
        let next = u32::try_from(licence.splits.len()).unwrap_or(u32::MAX).saturating_add(1);
        let checkpoint = self.checkpoint(from, terms, same.unwrap_or(next))?;
        if let Some(licence) = self.licences.get_mut(&id) {
            licence.checkpoints.push(checkpoint);
            if same.is_none() {
                licence.splits.push(terms.split);
            }
        }
        Ok(())
    }

    /// Revokes a licence and all below it from `from` on, in one write.
    ///
    /// # Errors
    /// [`ForestError`] for an unknown licence or one whose subtree is revoked.
    pub fn revoke_subtree(&mut self, id: B256, from: u64) -> Result<(), ForestError> {
        let licence = self.licences.get_mut(&id).ok_or(ForestError::LicenseUnknown(id))?;
        if licence.subtree_revoked.is_some() {
            return Err(ForestError::RevokedForever(id));
        }
        licence.subtree_revoked = Some(from);
        Ok(())
    }

    /// A licence's own terms in force at `time` or, failing that, its first.
    pub fn terms_at(&self, id: B256, time: u64) -> Option<Terms> {
        let licence = self.licences.get(&id)?;
        let Checkpoint { state, end, royalty_bps, split_version, .. } = *licence.at(time)?;
        Some(Terms { state, end, royalty_bps, split: *licence.split(split_version)? })
    }

    fn depth_below(&self, id: B256, edge: Option<Edge>) -> Result<u8, ForestError> {
        let Some(edge) = edge else { return Ok(0) };
        let parent = edge.parent();
        if parent == id {
            return Err(ForestError::EdgeSelf(id));
        }
        let depth = self.licences.get(&parent).ok_or(ForestError::LicenseUnknown(parent))?.depth;
        if depth >= MAX_DEPTH {
            return Err(ForestError::EdgeDepth { parent, depth, most: MAX_DEPTH });
        }
        Ok(depth.saturating_add(1))
    }

    fn checkpoint(
        &self,
        effective_from: u64,
        terms: Terms,
        split_version: u32,
    ) -> Result<Checkpoint, ForestError> {
        let Terms { state, end, royalty_bps, split } = terms;
        if !self.splits.contains_key(&split) {
            return Err(ForestError::SplitUnknown(split));
        }
        let royalty_bps = checked_rate(royalty_bps)?;
        Ok(Checkpoint { effective_from, state, end, royalty_bps, split_version })
    }

    /// The licence and those above it, from it up.
    fn ancestry(&self, licence: B256) -> impl Iterator<Item = (B256, &Licence)> {
        let mut next = Some(licence);
        std::iter::from_fn(move || {
            let id = next?;
            let licence = self.licences.get(&id)?;
            next = licence.edge.map(|edge| edge.parent());
            Some((id, licence))
        })
    }
}

impl Licence {
    /// The last terms recorded that are effective at `time`, or the first.
    fn at(&self, time: u64) -> Option<&Checkpoint> {
        let in_force = self.checkpoints.iter().rev().find(|c| c.effective_from <= time);
        in_force.or(self.checkpoints.first())
    }

    fn split(&self, version: u32) -> Option<&B256> {
        self.splits.get(usize::try_from(version.checked_sub(1)?).ok()?)
    }

    fn pays_at(&self, time: u64) -> bool {
        self.at(time).is_some_and(|c| matches!(c.state, State::Active | State::Suspended) && time < c.end)
    }
}

impl Registry for Forest {
    fn royalty_bps_at(&self, licence: B256, time: u64) -> Option<u16> {
        Some(self.licences.get(&licence)?.at(time)?.royalty_bps)
    }

    fn route_at(&self, licence: B256, time: u64) -> Option<Vec<RouteNode>> {
        let mut steps = Vec::new();
        for (id, licence) in self.ancestry(licence) {
            let rate = licence.edge.map_or((0, 0), |edge| edge.rate());
            let split_version = licence.at(time)?.split_version;
            steps.push(Step { licence: id, split_version, active: licence.pays_at(time), rate });
        }
        // A mark reaches down: from the root, whatever is below a revoked subtree's root is inactive.
        let mut revoked = false;
        for (step, (_, licence)) in steps.iter_mut().zip(self.ancestry(licence).collect::<Vec<_>>()).rev() {
            revoked |= licence.subtree_revoked.is_some_and(|from| from <= time);
            step.active &= !revoked;
        }
        (!steps.is_empty()).then(|| chain(&steps))
    }

    fn woke_within(&self, licence: B256, start: u64, end: u64) -> bool {
        let Some(own) = self.licences.get(&licence) else { return false };
        let marked = |(_, above): (B256, &Licence)| above.subtree_revoked.is_some_and(|from| from <= start);
        if self.ancestry(licence).any(marked) || own.at(start).is_some_and(|c| c.state == State::Revoked) {
            return false;
        }
        // It can only wake when a checkpoint takes effect.
        let times = own.checkpoints.iter().map(|c| c.effective_from);
        times.filter(|time| (start..end).contains(time)).any(|time| own.pays_at(time))
    }

    fn split_of(&self, licence: B256, split_version: u32) -> Option<&Split> {
        self.splits.get(self.licences.get(&licence)?.split(split_version)?)
    }

    fn fee_at(&self, _time: u64, decimals: u8) -> Fee {
        let unit = 10u128.saturating_pow(decimals.into());
        let cap = self.cap_units.saturating_mul(unit).min(MAX_U96);
        Fee::new(self.dynamic_bps, cap).expect("the cap was bounded to 96 bits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Share, SplitVector};
    use alloy_primitives::Address;

    fn forest() -> (Forest, Terms) {
        let mut forest = Forest::new(50, 1_000);
        let share = Share { payee: Address::with_last_byte(1), weight: 1 };
        let split = forest.register(Split::Vector(SplitVector::new(vec![share], 1).unwrap()));
        (forest, Terms { state: State::Active, end: 1_000, royalty_bps: 100, split })
    }

    fn id(i: u8) -> B256 {
        B256::with_last_byte(i)
    }

    fn below(parent: u8) -> Option<Edge> {
        Some(Edge::new(id(parent), 1, 2).unwrap())
    }

    #[test]
    fn a_licence_17_edges_below_its_root_is_refused() {
        let (mut forest, terms) = forest();
        forest.mint(id(0), None, 0, terms).unwrap();
        for i in 1..=16 {
            forest.mint(id(i), below(i - 1), 0, terms).unwrap();
        }
        let refused = ForestError::EdgeDepth { parent: id(16), depth: 16, most: 16 };
        assert_eq!(forest.mint(id(17), below(16), 0, terms), Err(refused));
        assert_eq!(forest.route_at(id(16), 0).unwrap().len(), 17);
    }

    #[test]
    fn the_forest_has_no_cycle_because_parents_come_first() {
        let (mut forest, terms) = forest();
        assert_eq!(forest.mint(id(1), below(1), 0, terms), Err(ForestError::EdgeSelf(id(1))));
        assert_eq!(forest.mint(id(1), below(2), 0, terms), Err(ForestError::LicenseUnknown(id(2))));
        forest.mint(id(1), None, 0, terms).unwrap();
        assert_eq!(forest.mint(id(1), None, 0, terms), Err(ForestError::Exists(id(1))));
    }

    #[test]
    fn a_mark_makes_the_whole_subtree_inactive_from_its_time_on() {
        let (mut forest, terms) = forest();
        forest.mint(id(1), None, 0, terms).unwrap();
        forest.mint(id(2), below(1), 0, terms).unwrap();
        forest.mint(id(3), below(2), 0, terms).unwrap();
        forest.revoke_subtree(id(2), 500).unwrap();
        let active = |time| {
            let route = forest.route_at(id(3), time).unwrap();
            route.iter().map(|node| node.step.active).collect::<Vec<_>>()
        };
        assert_eq!(active(499), [true, true, true]);
        assert_eq!(active(500), [false, false, true]);
        assert_eq!(active(1_000), [false, false, false], "expired");
    }

    #[test]
    fn terms_before_the_first_are_the_first_and_later_ones_change_nothing_before() {
        let (mut forest, terms) = forest();
        forest.mint(id(1), None, 100, terms).unwrap();
        let before = forest.route_at(id(1), 199).unwrap();
        let share = Share { payee: Address::with_last_byte(2), weight: 1 };
        let split = forest.register(Split::Vector(SplitVector::new(vec![share], 1).unwrap()));
        forest.modify(id(1), (150, 200), Terms { royalty_bps: 200, split, ..terms }).unwrap();
        let rates = [0, 100, 199, 200].map(|time| forest.royalty_bps_at(id(1), time).unwrap());
        assert_eq!(rates, [100, 100, 100, 200]);
        assert_eq!(forest.route_at(id(1), 199).unwrap(), before);
        assert_ne!(forest.route_at(id(1), 200).unwrap(), before);
        assert_eq!(forest.split_of(id(1), 2).unwrap().hash(), split);
        assert_eq!([0, 3].map(|version| forest.split_of(id(1), version)), [None, None]);
    }
}
