//! Which receipts go into the next batch: those that wait, whose licences allow them, whose sources signed them, whose payers
//! have the money and consented. The others are set aside with the reason, and looked at again with the next batch.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::{Address, B256, U256};
use chlom_client::lanes::{registry::Parameters, state::ChainState};
use chlom_crypto::kzg::{Cancel, DataRows, commit};
use chlom_lane::{
    Blob, Draft, Frame, Header, LaneState, Receipt, build, fraud::check, lane::source_id,
    receipt::is_signed_by,
};
use chlom_royalty::{Period, period::SUBMISSION_WINDOW};

use super::{Did, SequenceError, Sequencer};
use crate::store::{NewBatch, Place, Waiting};

/// Receipts that are looked at for one batch: more than a blob holds, few enough for memory.
const MOST: usize = 400_000;

/// Why a receipt is in no batch now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Its licence was not in force at its time, or is not known.
    Licence(B256),
    /// Its source has a key, and it has no signature of that.
    Unsigned(String),
    /// Its payer has too little in the pot.
    Unfunded(Address),
    /// Its payer has not consented: no key here, and no allowance that suffices.
    NoConsent(Address),
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Licence(id) => write!(f, "licence {id} is not known, or was not in force then"),
            Self::Unsigned(source) => {
                write!(f, "source {source} has a key, and its signature is missing or wrong")
            }
            Self::Unfunded(payer) => write!(f, "payer {payer} has too little in its pot"),
            Self::NoConsent(payer) => {
                write!(f, "payer {payer} has consented to no such batch: an allowance, or --payer-key-file")
            }
        }
    }
}

impl Sequencer<'_> {
    /// Puts the next batch of the earliest period into the outbox.
    pub(super) fn assemble(&mut self) -> Result<Vec<Did>, SequenceError> {
        // What was in the way may be gone.
        for aside in self.store.asides(&self.lane)? {
            self.store.release(aside.id)?;
        }
        let mut did = Vec::new();
        let time = self.chain.time()?;
        for period in self.store.waiting_periods(&self.lane)? {
            let begun = period.start() < time && (self.config.unfinished_periods || period.end() <= time);
            if !begun || time >= period.end() + SUBMISSION_WINDOW {
                continue;
            }
            if self.assemble_period(period, time, &mut did)? {
                break;
            }
        }
        Ok(did)
    }

    /// `false`: no receipt of the period can be in a batch now.
    fn assemble_period(
        &mut self,
        period: Period,
        as_of: u64,
        did: &mut Vec<Did>,
    ) -> Result<bool, SequenceError> {
        let (parameters, terms) = self.terms(period)?;
        let state = ChainState::new(self.chain);
        let waiting: Vec<Waiting> =
            self.store.waiting(&self.lane, period).take(MOST).collect::<Result<_, _>>()?;
        let mut aside: BTreeMap<Obstacle, Vec<Place>> = BTreeMap::new();
        let (mut good, mut places) = (Vec::new(), HashMap::new());
        for Waiting { place, receipt } in waiting {
            // A receipt of this very second is the next batch's.
            if receipt.time > as_of {
                continue;
            }
            match self.obstacle(&state, &receipt, as_of)? {
                Some(obstacle) => aside.entry(obstacle).or_default().push(place),
                None => {
                    places.insert(name(&receipt), place);
                    good.push(receipt);
                }
            }
        }
        for (payer, obstacle) in self.payers_in_the_way(&state, &good, &terms, period, as_of)? {
            let (theirs, others) = good.into_iter().partition(|receipt: &Receipt| receipt.payer == payer);
            good = others;
            let kept = theirs.iter().filter_map(|receipt| places.remove(&name(receipt)));
            aside.entry(obstacle).or_default().extend(kept);
        }
        for (obstacle, mut places) in aside {
            places.sort_unstable();
            let reason = obstacle.to_string();
            let receipts = places.len() as u64;
            self.store.set_aside(&self.lane, period, &reason, &places)?;
            did.push(Did::SetAside { reason, receipts });
        }
        if good.is_empty() {
            return Ok(false);
        }
        let frame = Frame {
            lane: self.id,
            parameters,
            period,
            number: self.on_chain().next_number(period.code())?,
            predecessor: self.on_chain().last_batch()?,
            as_of,
        };
        let (draft, rest) =
            build(frame, good, &state).map_err(|error| SequenceError::Build(error.to_string()))?;
        for receipt in &rest {
            places.remove(&name(receipt));
        }
        let mut taken: Vec<Place> = places.into_values().collect();
        taken.sort_unstable();
        let (header, elements) = commit_to(&draft)?;
        // The same eyes as a watcher's, before anything is at stake.
        let blob = Blob::new(&header, &elements).map_err(|error| SequenceError::Wrong(error.to_string()))?;
        if let Some(fraud) = check(blob, &state)? {
            return Err(SequenceError::Wrong(format!("{fraud:?}")));
        }
        self.check_lead()?;
        let (root, bytes) = (header.batch_root(), header.encode());
        let new = NewBatch { period, number: header.number, header: &bytes, root, elements: &elements };
        let batch = self.store.take(&self.lane, &new, &taken)?;
        did.push(Did::Built { batch, receipts: taken.len() as u64 });
        Ok(true)
    }

    fn obstacle(
        &self,
        state: &ChainState<'_>,
        receipt: &Receipt,
        as_of: u64,
    ) -> Result<Option<Obstacle>, SequenceError> {
        if !state.allows(&receipt.licence, receipt.time, as_of)? {
            return Ok(Some(Obstacle::Licence(receipt.licence)));
        }
        let source = source_id(&self.id, &receipt.payer, receipt.source.as_str());
        let key = state.source_key(&self.id, &receipt.payer, &source, as_of)?;
        let signed = |key: &Vec<u8>| {
            let signature = receipt.signature.as_ref();
            signature.is_some_and(|signature| is_signed_by(key, &receipt.digest(&self.id), signature))
        };
        let unsigned = key.as_ref().is_some_and(|key| !signed(key));
        Ok(unsigned.then(|| Obstacle::Unsigned(receipt.source.to_string())))
    }

    /// Payers that cannot pay for all their receipts, or did not consent to it.
    fn payers_in_the_way(
        &self,
        state: &ChainState<'_>,
        receipts: &[Receipt],
        terms: &Parameters,
        period: Period,
        as_of: u64,
    ) -> Result<Vec<(Address, Obstacle)>, SequenceError> {
        let mut revenue: BTreeMap<(Address, B256), u128> = BTreeMap::new();
        for receipt in receipts {
            let sum = revenue.entry((receipt.payer, receipt.licence)).or_default();
            *sum = sum.saturating_add(receipt.body.revenue());
        }
        let mut owed: BTreeMap<Address, u128> = BTreeMap::new();
        for ((payer, licence), revenue) in revenue {
            let bps = state.royalty_bps(&licence, period.start(), as_of)?.unwrap_or(0);
            let due = (U256::from(revenue) * U256::from(bps)).div_ceil(U256::from(10_000));
            let sum = owed.entry(payer).or_default();
            *sum = sum.saturating_add(due.saturating_to());
        }
        let mut found = Vec::new();
        for (payer, owed) in owed {
            let owed =
                U256::from(owed) * U256::from(10).pow(U256::from(terms.tokenDecimals - terms.decimals));
            if self.on_chain().pot(terms.token, payer)?.free < owed {
                found.push((payer, Obstacle::Unfunded(payer)));
            } else if !self.consents(payer, owed, period, receipts)? {
                found.push((payer, Obstacle::NoConsent(payer)));
            }
        }
        Ok(found)
    }

    /// By a key that is here, or by an allowance that suffices and admits all its sources.
    fn consents(
        &self,
        payer: Address,
        owed: U256,
        period: Period,
        receipts: &[Receipt],
    ) -> Result<bool, SequenceError> {
        if self.payers.iter().any(|key| key.address() == payer) {
            return Ok(true);
        }
        let (lane, submitter) = (self.on_chain(), self.signer.address());
        let allowance = lane.allowance(payer, period.code(), submitter)?;
        let left = allowance.limit.saturating_sub(allowance.used);
        if U256::from(left) < owed {
            return Ok(false);
        }
        let mut sources: BTreeMap<&str, bool> = BTreeMap::new();
        for receipt in receipts.iter().filter(|receipt| receipt.payer == payer) {
            let signed = sources.entry(receipt.source.as_str()).or_insert(true);
            *signed &= receipt.signature.is_some();
        }
        for (name, signed) in sources {
            let source = source_id(&self.id, &payer, name);
            let (named, unsigned) = lane.source_consent(payer, period.code(), submitter, source)?;
            if !named || (!signed && !unsigned) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What a receipt is known by within a lane.
fn name(receipt: &Receipt) -> (Address, String, String) {
    (receipt.payer, receipt.source.to_string(), receipt.id.to_string())
}

/// The header of a draft over its blob's commitments, and the blob.
fn commit_to(draft: &Draft) -> Result<(Header, Vec<u8>), SequenceError> {
    let wrong = |error: chlom_crypto::kzg::KzgError| SequenceError::Wrong(error.to_string());
    let elements = draft.elements();
    let rows = draft.header([0; 48], B256::ZERO).blob.rows;
    let data = DataRows::from_elements(&elements, rows).map_err(wrong)?;
    let commitments = commit(&data, &Cancel::new()).map_err(wrong)?;
    Ok((draft.header(commitments.fold(), commitments.merkle_root()), elements))
}
