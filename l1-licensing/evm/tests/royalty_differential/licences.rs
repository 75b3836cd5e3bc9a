//! Licences: minted, changed, revoked, in the registries and in the forest.

use alloy_primitives::{B256, U256, aliases::U96};
use chlom_primitives::address::SPLIT_REGISTRY;
use chlom_royalty::{
    Edge, Share, Split, SplitTree, SplitVector,
    forest::{State, Terms},
};

use crate::{
    bindings::{self, Licences, Splits},
    machine::{AUTHORITY, START},
    twin::{Minted, POLICY, Twin, payee},
};

const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;
const REVOKED: u8 = 2;

impl Twin {
    pub(crate) fn mint(&mut self) {
        let id = B256::from(U256::from(self.licences.len() + 1));
        let parent = self.any_parent();
        let (parent_start, parent_end) =
            parent.map_or((START - 60 * DAY, START + 5 * YEAR), |(_, s, e)| (s, e));
        let start = (parent_start + self.seed.next() % (10 * DAY)).min(parent_end - 1);
        let denom = 1 + self.seed.next() % 1_000;
        let numer = if self.seed.one_in(6) { denom } else { self.seed.next() % denom };
        let edge = parent.map(|(parent, ..)| Edge::new(parent, numer, denom).unwrap());
        let state = if self.seed.one_in(6) { State::Draft } else { State::Active };
        let terms = Terms { state, end: parent_end, royalty_bps: self.bps(), split: self.split() };
        let (parent, (numer, denom)) = edge.map_or((B256::ZERO, (0, 0)), |e| (e.parent(), e.rate()));
        let more = bindings::Terms {
            assetId: B256::ZERO,
            rightsHash: B256::ZERO,
            cap: U256::ZERO,
            parent,
            numer,
            denom,
            draft: state == State::Draft,
        };
        let call = Licences::mintCall { id, d: data(start, &terms), t: more };
        if self.tell_registry("mint", &call).is_ok() {
            self.forest.mint(id, edge, start, terms).unwrap();
            self.licences.push(Minted { id, start });
        }
    }

    /// Often the last one minted, so that chains get deep.
    fn any_parent(&mut self) -> Option<(B256, u64, u64)> {
        let count = self.licences.len();
        if count == 0 || self.seed.one_in(5) {
            return None;
        }
        let place = if self.seed.one_in(2) { count - 1 } else { self.seed.below(count) };
        let Minted { id, start } = self.licences[place];
        Some((id, start, self.forest.terms_at(id, self.now())?.end))
    }

    /// Other terms, now or later.
    pub(crate) fn modify(&mut self) {
        let Some((id, start, before)) = self.any_terms() else { return };
        let now = self.now();
        // A draft's activation writes anew what is scheduled: that is the registry's own test.
        let later = self.seed.one_in(3) && before.state != State::Draft;
        let from = if later { now + 1 + self.seed.next() % (20 * DAY) } else { now };
        let before = self.forest.terms_at(id, from).unwrap();
        let soon = (now + self.seed.next() % (60 * DAY)).clamp(start + 1, before.end.max(start + 1));
        let terms = Terms {
            state: before.state,
            end: if self.seed.one_in(12) { soon } else { before.end },
            royalty_bps: self.bps(),
            split: if self.seed.one_in(2) { before.split } else { self.split() },
        };
        let d = data(start, &terms);
        let done = if later {
            self.tell_registry("modifyFrom", &Licences::modifyFromCall { id, d, effectiveFrom: from }).is_ok()
        } else {
            self.tell_registry("modify", &Licences::modifyCall { id, d }).is_ok()
        };
        if done {
            self.forest.modify(id, (now, from), terms).unwrap();
        }
    }

    pub(crate) fn activate(&mut self) {
        let drafts = self.licences.iter().map(|licence| licence.id);
        let now = self.now();
        let is_draft = |id: &B256| self.forest.terms_at(*id, now).is_some_and(|t| t.state == State::Draft);
        let Some(id) = drafts.rev().find(is_draft) else { return };
        if self.tell_registry("activate", &Licences::activateCall { id }).is_ok() {
            let terms = self.forest.terms_at(id, now).unwrap();
            self.forest.modify(id, (now, now), Terms { state: State::Active, ..terms }).unwrap();
        }
    }

    pub(crate) fn revoke(&mut self) {
        let Some((id, _, terms)) = self.any_terms() else { return };
        if self.tell_registry("revoke", &Licences::revokeCall { id }).is_ok() {
            let now = self.now();
            self.forest.modify(id, (now, now), Terms { state: State::Revoked, ..terms }).unwrap();
        }
    }

    pub(crate) fn revoke_subtree(&mut self) {
        let Some(root) = self.any_licence() else { return };
        let call = Splits::markSubtreeCall { root, mark: REVOKED, reason: 7 };
        let done = self.machine.send(AUTHORITY, SPLIT_REGISTRY, 0, &call).is_ok();
        self.count("markSubtree".into(), done);
        assert_eq!(done, self.forest.revoke_subtree(root, self.machine.now).is_ok());
    }

    fn any_terms(&mut self) -> Option<(B256, u64, Terms)> {
        let count = self.licences.len();
        if count == 0 {
            return None;
        }
        let Minted { id, start } = self.licences[self.seed.below(count)];
        Some((id, start, self.forest.terms_at(id, self.now())?))
    }

    fn bps(&mut self) -> u16 {
        match self.seed.below(8) {
            0 => 0,
            1 => 10_000,
            _ => u16::try_from(self.seed.below(10_001)).unwrap(),
        }
    }

    /// Registers a split on both sides: a vector, or now and then a sum tree in which payees have several leaves.
    fn split(&mut self) -> B256 {
        let bits = if self.seed.one_in(4) { 90 } else { 14 };
        let count = 1 + self.seed.below(6);
        let first = self.seed.below(12);
        let mut shares: Vec<_> =
            (0..count).map(|i| Share { payee: payee(first + i), weight: 1 + self.seed.wide(bits) }).collect();
        self.seed.shuffle(&mut shares);
        self.payees.extend(shares.iter().map(|share| share.payee));
        if self.seed.one_in(4) { self.register_tree(&shares) } else { self.register_vector(shares) }
    }

    fn register_vector(&mut self, shares: Vec<Share>) -> B256 {
        let denom = shares.iter().map(|share| share.weight).sum();
        let vector = SplitVector::canonical(shares, denom).unwrap();
        let call = Splits::registerVectorCall {
            payees: vector.shares().iter().map(|share| share.payee).collect(),
            weights: vector.shares().iter().map(|share| U96::from(share.weight)).collect(),
            denom: U96::from(denom),
        };
        let hash = self.machine.read(SPLIT_REGISTRY, &call);
        assert_eq!(self.forest.register(Split::Vector(vector)), hash);
        hash
    }

    fn register_tree(&mut self, shares: &[Share]) -> B256 {
        let again = shares.iter().take(2).map(|share| (share.payee, 1));
        let tree = SplitTree::new(shares.iter().map(|s| (s.payee, s.weight)).chain(again)).unwrap();
        let leaves = u32::try_from(tree.leaves().len()).unwrap();
        let call = Splits::registerTreeCall { root: tree.root(), denom: U96::from(tree.denom()), leaves };
        let hash = self.machine.read(SPLIT_REGISTRY, &call);
        let split = Split::Tree { root: tree.root(), denom: tree.denom(), leaves };
        assert_eq!(self.forest.register(split), hash);
        self.trees.insert(hash, tree);
        hash
    }
}

fn data(start: u64, terms: &Terms) -> bindings::LicenseData {
    bindings::LicenseData {
        owner: AUTHORITY,
        licensee: payee(1_000),
        royaltyBps: U96::from(terms.royalty_bps),
        startTs: start,
        endTs: terms.end,
        adeSplitHash: terms.split,
        acePolicyHash: POLICY,
        flags: 0,
        metaHash: B256::ZERO,
    }
}
