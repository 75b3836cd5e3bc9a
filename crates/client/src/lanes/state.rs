//! What contract state says of licences and sources, as [`chlom_lane::build`] and [`chlom_lane::fraud::check`] ask for it, with as
//! few questions to the node as possible: a batch has tens of thousands of records and few licences.

use std::{cell::RefCell, collections::BTreeMap};

use alloy_primitives::{Address, B256, U256};
use chlom_lane::{Header, LaneId, LaneState, lane::source_id, receipt::ReceiptId, state::EarlierRecord};
use chlom_primitives::address::LICENSE_REGISTRY;
use chlom_royalty::Period;

use super::{Lane, batches, registry};
use crate::{
    Chain, ClientError,
    contracts::license_registry::ILicenseRegistry::{
        checkpointAtCall, checkpointCountCall, stateAtCall, termsAtCall,
    },
};

/// `ILicenseRegistry.State`.
const ACTIVE: u8 = 1;
const SUSPENDED: u8 = 2;

/// Contract state, remembered. Answers are as of times gone by, so what was once heard stays true.
///
/// `earlier` answers that there is nothing: who builds knows by its own store, who checks has an index of its own; both wrap
/// this.
#[derive(Debug)]
pub struct ChainState<'a> {
    chain: &'a Chain,
    licences: RefCell<BTreeMap<B256, Licence>>,
    rates: RefCell<BTreeMap<(B256, u64), u16>>,
    keys: RefCell<BTreeMap<(LaneId, B256), Keys>>,
    consents: RefCell<BTreeMap<B256, (bool, bool)>>,
    allowance: Option<Standing>,
}

/// Payers that consented to a batch by allowance, and to whose batch.
#[derive(Debug)]
struct Standing {
    payers: Vec<Address>,
    period: u32,
    submitter: Address,
}

#[derive(Debug)]
struct Keys {
    /// All that is registered up to here is known.
    known_until: u64,
    keys: Vec<(u64, alloy_primitives::Bytes)>,
}

/// Between two times at which a licence's checkpoints change something, it is allowed and then, once a revocation marks it
/// from above, not any more: a mark of that kind is for ever. So one time says it all: since when it is refused.
#[derive(Debug)]
struct Licence {
    /// All that is recorded up to here is known.
    known_until: u64,
    /// When its first checkpoint was recorded; `None` for a licence that nobody knows.
    recorded: Option<u64>,
    /// Where stretches begin.
    breaks: Vec<u64>,
    /// By a stretch's beginning, the first second of it that is refused, or the one past it.
    refused_from: BTreeMap<u64, u64>,
}

impl Licence {
    fn is_known(&self, as_of: u64) -> bool {
        self.recorded.is_some_and(|recorded| recorded <= as_of)
    }

    /// First and last second of the stretch that holds a time.
    fn stretch(&self, time: u64) -> (u64, u64) {
        let after = self.breaks.partition_point(|at| *at <= time);
        let from = after.checked_sub(1).and_then(|index| self.breaks.get(index)).copied().unwrap_or(0);
        let end = self.breaks.get(after).map_or(u64::MAX, |next| next - 1).min(self.known_until);
        (from, end.max(time))
    }
}

/// The first second of a stretch that is refused, or the one past it. No second behind a refused one is allowed, so that a search finds
/// it; allowed at the end is allowed throughout, and nothing more is asked.
fn first_refused<E>(from: u64, end: u64, allows: impl Fn(u64) -> Result<bool, E>) -> Result<u64, E> {
    if allows(end)? {
        return Ok(end.saturating_add(1));
    }
    // All before `low` are allowed, `high` is not.
    let (mut low, mut high) = (from, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if allows(middle)? {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn is_allowed(state: u8) -> bool {
    matches!(state, ACTIVE | SUSPENDED)
}

impl<'a> ChainState<'a> {
    /// State of the chain, of which nothing is known yet.
    pub fn new(chain: &'a Chain) -> Self {
        Self {
            chain,
            licences: RefCell::default(),
            rates: RefCell::default(),
            keys: RefCell::default(),
            consents: RefCell::default(),
            allowance: None,
        }
    }

    /// As [`ChainState::new`], to check an accepted batch by: its payers have consented, some by allowances ([PAY-29]).
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn of_batch(chain: &'a Chain, header: &Header) -> Result<Self, ClientError> {
        let consent = batches::consent_of(chain, header.batch_root())?;
        let standing = |(index, _): &(usize, _)| consent.standing.bit(*index);
        let payers = header.payers.iter().enumerate().filter(standing).map(|(_, total)| total.payer);
        let (payers, period) = (payers.collect(), header.period.code());
        let allowance = Some(Standing { payers, period, submitter: consent.submitter });
        Ok(Self { allowance, ..Self::new(chain) })
    }

    /// As [`ChainState::new`], to check a batch by that is only being built: these payers will consent to it by their allowances for the
    /// submitter.
    pub fn with_allowances(self, payers: Vec<Address>, period: Period, submitter: Address) -> Self {
        let allowance = Some(Standing { payers, period: period.code(), submitter });
        Self { allowance, ..self }
    }

    /// Asks for many licences at once what a batch of this period and time depends on; what is not asked for here is asked for one by
    /// one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn prepare(&self, ids: &[B256], period: Period, as_of: u64) -> Result<(), ClientError> {
        let start = period.start();
        self.licences.borrow_mut().extend(self.load(ids)?);
        let known =
            |id: &&B256| self.licences.borrow().get(*id).is_some_and(|licence| licence.is_known(as_of));
        let known: Vec<B256> = ids.iter().filter(known).copied().collect();
        let terms: Vec<_> = known.iter().map(|id| termsAtCall { id: *id, time: start }).collect();
        let terms = self.chain.view_all(LICENSE_REGISTRY, &terms)?;
        let rates = known.iter().zip(terms).map(|(id, terms)| ((*id, start), terms.royaltyBps));
        self.rates.borrow_mut().extend(rates);
        // Of the stretches that the period's end is in: mostly the only ones that records are in.
        let last = period.end().saturating_sub(1).min(as_of);
        let end_of = |id: &B256| Some(self.licences.borrow().get(id)?.stretch(last).1);
        let ends: Vec<u64> = known.iter().filter_map(end_of).collect();
        let call = |(id, end): (&B256, &u64)| stateAtCall { id: *id, time: *end, asOf: as_of.max(*end) };
        let calls: Vec<_> = known.iter().zip(&ends).map(call).collect();
        let answers = self.chain.view_all(LICENSE_REGISTRY, &calls)?;
        let mut licences = self.licences.borrow_mut();
        for ((id, end), status) in known.iter().zip(ends).zip(answers) {
            if let Some(licence) = licences.get_mut(id).filter(|_| is_allowed(status.state)) {
                let from = licence.stretch(last).0;
                licence.refused_from.insert(from, end.saturating_add(1));
            }
        }
        Ok(())
    }

    fn load(&self, ids: &[B256]) -> Result<BTreeMap<B256, Licence>, ClientError> {
        let known_until = self.chain.time()?;
        let counts: Vec<_> = ids.iter().map(|id| checkpointCountCall { id: *id }).collect();
        let counts = self.chain.view_all(LICENSE_REGISTRY, &counts)?;
        let of_one = |(id, count): (&B256, U256)| {
            let id = *id;
            (0..count.saturating_to::<u64>())
                .map(move |index| checkpointAtCall { id, index: U256::from(index) })
        };
        let calls: Vec<_> = ids.iter().zip(counts).flat_map(of_one).collect();
        let found = self.chain.view_all(LICENSE_REGISTRY, &calls)?;
        let empty =
            || Licence { known_until, recorded: None, breaks: vec![0], refused_from: BTreeMap::new() };
        let mut licences: BTreeMap<B256, Licence> = ids.iter().map(|id| (*id, empty())).collect();
        for (call, c) in calls.iter().zip(found) {
            let Some(licence) = licences.get_mut(&call.id) else { continue };
            licence.recorded.get_or_insert(c.recordedAt.to());
            let times = [c.recordedAt, c.effectiveFrom, c.startTs, c.endTs];
            licence.breaks.extend(times.map(|time| time.to::<u64>()));
        }
        for licence in licences.values_mut() {
            licence.breaks.sort_unstable();
            licence.breaks.dedup();
        }
        Ok(licences)
    }

    /// Does something with what is known of a licence, which is all up to `as_of`.
    fn with<T>(
        &self,
        id: B256,
        as_of: u64,
        then: impl FnOnce(&mut Licence) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut licences = self.licences.borrow_mut();
        if licences.get(&id).is_none_or(|known| known.known_until < as_of) {
            licences.append(&mut self.load(&[id])?);
        }
        let missing =
            || ClientError::Answer { method: "eth_call", why: format!("nothing about licence {id}") };
        then(licences.get_mut(&id).ok_or_else(missing)?)
    }

    fn ask(&self, id: B256, time: u64, as_of: u64) -> Result<bool, ClientError> {
        let status = self.chain.view(LICENSE_REGISTRY, &stateAtCall { id, time, asOf: as_of })?;
        Ok(is_allowed(status.state))
    }

    /// Whether the payer's allowance leaves a source out.
    fn is_left_out(
        &self,
        lane: LaneId,
        payer: Address,
        source: B256,
        has_key: bool,
    ) -> Result<bool, ClientError> {
        let Some(standing) = self.allowance.as_ref().filter(|standing| standing.payers.contains(&payer))
        else {
            return Ok(false);
        };
        let mut consents = self.consents.borrow_mut();
        let (named, unsigned) = match consents.get(&source) {
            Some(known) => *known,
            None => {
                let lane = Lane::new(self.chain, lane);
                let said = lane.source_consent(payer, standing.period, standing.submitter, source)?;
                consents.insert(source, said);
                said
            }
        };
        Ok(!named || (!has_key && !unsigned))
    }
}

impl LaneState for ChainState<'_> {
    type Error = ClientError;

    fn allows(&self, licence: &B256, time: u64, as_of: u64) -> Result<bool, ClientError> {
        // A receipt from after the batch's time is a fraud of its own; nothing is remembered of it.
        if time > as_of {
            return self.ask(*licence, time, as_of);
        }
        self.with(*licence, as_of, |known| {
            if !known.is_known(as_of) {
                return Ok(false);
            }
            let (from, end) = known.stretch(time);
            let refused = match known.refused_from.get(&from) {
                Some(refused) => *refused,
                None => {
                    let refused = first_refused(from, end, |at| self.ask(*licence, at, at.max(as_of)))?;
                    known.refused_from.insert(from, refused);
                    refused
                }
            };
            Ok(time < refused)
        })
    }

    fn royalty_bps(&self, licence: &B256, start: u64, as_of: u64) -> Result<Option<u16>, ClientError> {
        let recorded = self.with(*licence, as_of, |known| Ok(known.recorded))?;
        if recorded.is_none_or(|recorded| recorded > as_of) {
            return Ok(None);
        }
        let mut rates = self.rates.borrow_mut();
        if let Some(rate) = rates.get(&(*licence, start)) {
            return Ok(Some(*rate));
        }
        let terms = self.chain.view(LICENSE_REGISTRY, &termsAtCall { id: *licence, time: start })?;
        rates.insert((*licence, start), terms.royaltyBps);
        Ok(Some(terms.royaltyBps))
    }

    fn source_key(
        &self,
        lane: &LaneId,
        payer: &Address,
        source: &B256,
        as_of: u64,
    ) -> Result<Option<Vec<u8>>, ClientError> {
        let mut all = self.keys.borrow_mut();
        let known = all.get(&(*lane, *source)).filter(|known| known.known_until >= as_of);
        if known.is_none() {
            let known_until = self.chain.time()?;
            let keys = registry::source_keys(self.chain, *lane, *payer, *source)?;
            all.insert((*lane, *source), Keys { known_until, keys });
        }
        let keys = all.get(&(*lane, *source)).map(|known| known.keys.as_slice()).unwrap_or_default();
        let last = keys.iter().rev().find(|(since, _)| *since <= as_of);
        Ok(last.filter(|(_, key)| !key.is_empty()).map(|(_, key)| key.to_vec()))
    }

    fn admits(
        &self,
        batch: &Header,
        payer: &Address,
        source: &B256,
        has_key: bool,
    ) -> Result<bool, ClientError> {
        Ok(!self.is_left_out(batch.lane, *payer, *source, has_key)?)
    }

    fn earlier(
        &self,
        _batch: &Header,
        _source: &B256,
        _id: &ReceiptId,
    ) -> Result<Option<EarlierRecord>, ClientError> {
        Ok(None)
    }
}

/// A payer's source by its name.
pub fn source(lane: LaneId, payer: Address, name: &str) -> B256 {
    source_id(&lane, &payer, name)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use super::first_refused;

    #[test]
    fn a_stretchs_first_refused_second_is_found_in_few_questions() {
        for refused in [0u64, 5, 999, 1_000, 1_500, 1_999, 2_000, 2_001, 9_000] {
            let asked = Cell::new(0);
            let allows = |at: u64| {
                asked.set(asked.get() + 1);
                Ok::<_, Infallible>(at < refused)
            };
            let found = first_refused(1_000, 2_000, allows).unwrap();
            assert_eq!(found, refused.clamp(1_000, 2_001), "{refused}");
            assert!(asked.get() <= 12, "{} questions", asked.get());
        }
    }
}
