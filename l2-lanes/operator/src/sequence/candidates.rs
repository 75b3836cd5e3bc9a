//! Which of the receipts that wait can be in the next batch: their licences allow them, their sources signed them, no batch of others has them,
//! their payers consented to their sources and have the money. What has an obstacle keeps nobody else's waiting.
//! Upholds [OPR-32].

use std::collections::{BTreeMap, btree_map::Entry};

use alloy_primitives::{Address, B256, U256};
use chlom_client::lanes::{registry::Parameters, state::ChainState};
use chlom_lane::{LaneState, Receipt, lane::source_id, receipt::is_signed_by};
use chlom_royalty::{Period, base::most_due};

use super::{Obstacle, SequenceError, Sequencer, convict::Part, follow::key_of};
use crate::store::{Place, ReceiptKey, Waiting};

/// A receipt that can be in the batch: where it is in the store, and what it is found by again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) key: ReceiptKey,
    pub(super) place: Place,
    pub(super) payer: Address,
    pub(super) licence: B256,
}

/// What can be in a batch, and what cannot.
#[derive(Default)]
pub(super) struct Candidates {
    /// Beside [`Candidates::known`], one each, in the order in which they came.
    pub(super) receipts: Vec<Receipt>,
    pub(super) known: Vec<Candidate>,
    pub(super) aside: BTreeMap<Obstacle, Vec<Place>>,
}

impl Candidates {
    fn set_aside(&mut self, obstacle: Obstacle, place: Place) {
        self.aside.entry(obstacle).or_default().push(place);
    }

    /// Keeps those for which there is no obstacle.
    fn sift(
        &mut self,
        mut obstacle: impl FnMut(usize, &Receipt) -> Result<Option<Obstacle>, SequenceError>,
    ) -> Result<(), SequenceError> {
        let receipts = std::mem::take(&mut self.receipts);
        let known = std::mem::take(&mut self.known);
        for (at, (receipt, known)) in receipts.into_iter().zip(known).enumerate() {
            match obstacle(at, &receipt)? {
                Some(obstacle) => self.set_aside(obstacle, known.place),
                None => {
                    self.receipts.push(receipt);
                    self.known.push(known);
                }
            }
        }
        Ok(())
    }
}

/// Places of those that a part names.
pub(super) fn places_of(known: &[Candidate], part: &Part) -> Vec<Place> {
    let is_named = |candidate: &&Candidate| match part {
        Part::Receipt(key) => candidate.key == *key,
        Part::Pair(payer, licence) => (candidate.payer, candidate.licence) == (*payer, *licence),
        Part::Licence(licence) => candidate.licence == *licence,
        Part::Payer(payer) => candidate.payer == *payer,
        Part::Unnamed => false,
    };
    let mut places: Vec<Place> = known.iter().filter(is_named).map(|candidate| candidate.place).collect();
    places.sort_unstable();
    places
}

/// A batch's period, its time, and the lane's parameters for it.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) period: Period,
    pub(super) as_of: u64,
    pub(super) parameters: &'a Parameters,
}

/// What is known of a source of this batch.
struct Source {
    id: B256,
    key: Option<Vec<u8>>,
    obstacle: Option<Obstacle>,
}

/// What a payer can still owe in this batch, in the lane's minor unit, and what it owes so far.
struct Purse {
    left: u128,
    short: Obstacle,
    revenue: BTreeMap<B256, u128>,
}

impl Sequencer<'_> {
    /// Looks at receipts of a period that wait, in the order in which they came.
    pub(super) fn candidates(
        &self,
        state: &ChainState<'_>,
        terms: Terms<'_>,
        most: usize,
    ) -> Result<Candidates, SequenceError> {
        let mut found = Candidates::default();
        let waiting = self.store.waiting(&self.lane, terms.period);
        // A receipt of this very second is the next batch's.
        let now = |waiting: &Result<Waiting, _>| {
            waiting.as_ref().map_or(true, |waiting: &Waiting| waiting.receipt.time <= terms.as_of)
        };
        let waiting: Vec<Waiting> = waiting.filter(now).take(most).collect::<Result<_, _>>()?;
        let mut licences: Vec<B256> = waiting.iter().map(|waiting| waiting.receipt.licence).collect();
        licences.sort_unstable();
        licences.dedup();
        state.prepare(&licences, terms.period, terms.as_of)?;
        let mut sources: BTreeMap<(Address, String), Source> = BTreeMap::new();
        for Waiting { place, receipt } in waiting {
            let source = match sources.entry((receipt.payer, receipt.source.to_string())) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.source(state, terms, &receipt)?),
            };
            if let Some(obstacle) = self.obstacle(state, terms, &receipt, source)? {
                found.set_aside(obstacle, place);
                continue;
            }
            let key = key_of(&source.id, receipt.id.as_str());
            found.known.push(Candidate { key, place, payer: receipt.payer, licence: receipt.licence });
            found.receipts.push(receipt);
        }
        self.leave_out_accepted(&mut found)?;
        self.leave_out_unfunded(state, terms, &mut found)?;
        Ok(found)
    }

    fn obstacle(
        &self,
        state: &ChainState<'_>,
        terms: Terms<'_>,
        receipt: &Receipt,
        source: &Source,
    ) -> Result<Option<Obstacle>, SequenceError> {
        if !state.allows(&receipt.licence, receipt.time, terms.as_of)? {
            return Ok(Some(Obstacle::Licence(receipt.licence)));
        }
        let signed = |key: &Vec<u8>| {
            let signature = receipt.signature.as_ref();
            signature.is_some_and(|signature| is_signed_by(key, &receipt.digest(&self.id), signature))
        };
        if source.key.as_ref().is_some_and(|key| !signed(key)) {
            return Ok(Some(Obstacle::Unsigned(receipt.source.to_string())));
        }
        Ok(source.obstacle.clone())
    }

    /// Its key, and whether its payer's consent admits it.
    fn source(
        &self,
        state: &ChainState<'_>,
        terms: Terms<'_>,
        receipt: &Receipt,
    ) -> Result<Source, SequenceError> {
        let (payer, lane) = (receipt.payer, self.on_chain());
        let id = source_id(&self.id, &payer, receipt.source.as_str());
        let key = state.source_key(&self.id, &payer, &id, terms.as_of)?;
        let mut source = Source { id, key, obstacle: None };
        if self.signs(payer) {
            return Ok(source);
        }
        let (period, submitter) = (terms.period.code(), self.signer.address());
        if lane.allowance(payer, period, submitter)?.limit.is_zero() {
            source.obstacle = Some(Obstacle::NoConsent(payer));
            return Ok(source);
        }
        let (named, unsigned) = lane.source_consent(payer, period, submitter, id)?;
        if !named || (source.key.is_none() && !unsigned) {
            let name = receipt.source.to_string();
            source.obstacle = Some(Obstacle::Source { payer, source: name, named });
        }
        Ok(source)
    }

    /// Whether a payer's key is here: its consent is signed for each batch.
    pub(super) fn signs(&self, payer: Address) -> bool {
        self.payers.iter().any(|key| key.address() == payer)
    }

    fn leave_out_accepted(&self, found: &mut Candidates) -> Result<(), SequenceError> {
        let keys: Vec<ReceiptKey> = found.known.iter().map(|candidate| candidate.key).collect();
        let mut batches: BTreeMap<i64, B256> = BTreeMap::new();
        let mut accepted: BTreeMap<usize, B256> = BTreeMap::new();
        for known in self.store.known(&self.lane, &keys)? {
            let root = match batches.entry(known.batch) {
                Entry::Occupied(root) => *root.get(),
                Entry::Vacant(new) => *new.insert(self.store.batch(known.batch)?.root),
            };
            accepted.insert(known.at, root);
        }
        if accepted.is_empty() {
            return Ok(());
        }
        found.sift(|at, _| Ok(accepted.get(&at).copied().map(Obstacle::Accepted)))
    }

    /// Of each payer as many, in the order in which they came, as its pot and its allowance pay for.
    fn leave_out_unfunded(
        &self,
        state: &ChainState<'_>,
        terms: Terms<'_>,
        found: &mut Candidates,
    ) -> Result<(), SequenceError> {
        let mut purses: BTreeMap<Address, Purse> = BTreeMap::new();
        let start = terms.period.start();
        found.sift(|_, receipt| {
            let purse = match purses.entry(receipt.payer) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.purse(terms, receipt.payer)?),
            };
            let Some(bps) = state.royalty_bps(&receipt.licence, start, terms.as_of)? else {
                return Ok(Some(Obstacle::Licence(receipt.licence)));
            };
            let before = purse.revenue.entry(receipt.licence).or_default();
            let after = before.saturating_add(receipt.body.revenue());
            let due = |revenue| most_due(revenue, bps).unwrap_or(u128::MAX);
            let more = due(after).saturating_sub(due(*before));
            let Some(left) = purse.left.checked_sub(more) else {
                return Ok(Some(purse.short.clone()));
            };
            (*before, purse.left) = (after, left);
            Ok(None)
        })
    }

    fn purse(&self, terms: Terms<'_>, payer: Address) -> Result<Purse, SequenceError> {
        let Parameters { token, tokenDecimals, decimals, .. } = *terms.parameters;
        let lane = self.on_chain();
        let free = lane.pot(token, payer)?.free;
        let (mut most, mut short) = (free, Obstacle::Unfunded { payer, free });
        if !self.signs(payer) {
            let allowance = lane.allowance(payer, terms.period.code(), self.signer.address())?;
            let left = U256::from(allowance.limit.saturating_sub(allowance.used));
            if left < most {
                (most, short) = (left, Obstacle::Allowance(payer));
            }
        }
        let unit = U256::from(10).pow(U256::from(tokenDecimals.saturating_sub(decimals)));
        let left = most.checked_div(unit).unwrap_or_default().saturating_to();
        Ok(Purse { left, short, revenue: BTreeMap::new() })
    }
}
