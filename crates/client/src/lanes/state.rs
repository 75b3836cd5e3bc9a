//! What contract state says of licences and sources, as [`chlom_lane::build`] and [`chlom_lane::fraud::check`] ask for it, with as
//! few questions to the node as possible: a batch has tens of thousands of records and few licences.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
};

use alloy_primitives::{Address, B256, U256};
use chlom_lane::{Header, LaneId, LaneState, lane::source_id, receipt::ReceiptId, state::EarlierRecord};
use chlom_primitives::address::LICENSE_REGISTRY;

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
/// from above, not any more. So two times say it all: until when it is known to be allowed, since when not to be.
#[derive(Debug, Default)]
struct Segment {
    allowed_until: Option<u64>,
    refused_from: Option<u64>,
}

#[derive(Debug)]
struct Licence {
    /// All that is recorded up to here is known.
    known_until: u64,
    /// When its first checkpoint was recorded; `None` for a licence that nobody knows.
    recorded: Option<u64>,
    /// Where segments begin.
    breaks: Vec<u64>,
    segments: BTreeMap<u64, Segment>,
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

    /// As [`ChainState::new`], to check an accepted batch by: a record of a source to which its payer's allowance does not
    /// consent has an empty key, of which there are no signatures ([PAY-29]).
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

    fn load(&self, id: B256) -> Result<Licence, ClientError> {
        let known_until = self.chain.time()?;
        let count = self.chain.view(LICENSE_REGISTRY, &checkpointCountCall { id })?;
        let (mut breaks, mut recorded, mut index) = (vec![0], None, U256::ZERO);
        while index < count {
            let c = self.chain.view(LICENSE_REGISTRY, &checkpointAtCall { id, index })?;
            recorded.get_or_insert(c.recordedAt.to());
            breaks.extend([c.recordedAt, c.effectiveFrom, c.startTs, c.endTs].map(|time| time.to::<u64>()));
            index += U256::ONE;
        }
        breaks.sort_unstable();
        breaks.dedup();
        Ok(Licence { known_until, recorded, breaks, segments: BTreeMap::new() })
    }

    /// Does something with what is known of a licence, which is all up to `as_of`.
    fn with<T>(
        &self,
        id: B256,
        as_of: u64,
        then: impl FnOnce(&mut Licence) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut licences = self.licences.borrow_mut();
        let licence = match licences.entry(id) {
            Entry::Vacant(empty) => empty.insert(self.load(id)?),
            Entry::Occupied(mut known) => {
                if known.get().known_until < as_of {
                    known.insert(self.load(id)?);
                }
                known.into_mut()
            }
        };
        then(licence)
    }

    fn ask(&self, id: B256, time: u64, as_of: u64) -> Result<bool, ClientError> {
        let status = self.chain.view(LICENSE_REGISTRY, &stateAtCall { id, time, asOf: as_of })?;
        Ok(matches!(status.state, ACTIVE | SUSPENDED))
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
            if known.recorded.is_none_or(|recorded| recorded > as_of) {
                return Ok(false);
            }
            let after = known.breaks.partition_point(|at| *at <= time);
            let from = after.checked_sub(1).and_then(|index| known.breaks.get(index)).copied().unwrap_or(0);
            let end = known.breaks.get(after).map_or(u64::MAX, |next| next - 1).min(known.known_until);
            let segment = known.segments.entry(from).or_default();
            // At its end first: allowed there is allowed throughout, and nothing more is asked.
            for at in [end.max(time), time] {
                if segment.allowed_until.is_some_and(|until| time <= until) {
                    return Ok(true);
                }
                if segment.refused_from.is_some_and(|from| time >= from) {
                    return Ok(false);
                }
                if self.ask(*licence, at, at.max(as_of))? {
                    segment.allowed_until = segment.allowed_until.max(Some(at));
                } else {
                    segment.refused_from = Some(segment.refused_from.map_or(at, |from| from.min(at)));
                }
            }
            Ok(segment.allowed_until.is_some_and(|until| time <= until))
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
        let key = {
            let mut all = self.keys.borrow_mut();
            let known = all.get(&(*lane, *source)).filter(|known| known.known_until >= as_of);
            if known.is_none() {
                let known_until = self.chain.time()?;
                let keys = registry::source_keys(self.chain, *lane, *payer, *source)?;
                all.insert((*lane, *source), Keys { known_until, keys });
            }
            let keys = all.get(&(*lane, *source)).map(|known| known.keys.as_slice()).unwrap_or_default();
            let last = keys.iter().rev().find(|(since, _)| *since <= as_of);
            last.filter(|(_, key)| !key.is_empty()).map(|(_, key)| key.to_vec())
        };
        if self.is_left_out(*lane, *payer, *source, key.is_some())? {
            return Ok(Some(Vec::new()));
        }
        Ok(key)
    }

    fn earlier(
        &self,
        _number: u32,
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
