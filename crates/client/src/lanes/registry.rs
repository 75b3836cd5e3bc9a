//! LaneRegistry: what a lane asks of its batches, who submits, whose keys sign, who watches.

use alloy_primitives::{Address, B256, Bytes, aliases::U120};
use chlom_lane::LaneId;
use chlom_primitives::address::LANE_REGISTRY;

use super::{Lane, word};
use crate::{Chain, ClientError, Request, contracts::lane_registry::ILaneRegistry};

pub use ILaneRegistry::{Active, Allowance, Heartbeat, Parameters};

/// A payer's standing consent to a submitter's batches of one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The lane.
    pub lane: LaneId,
    /// The period's code.
    pub period: u32,
    /// Who may submit.
    pub submitter: Address,
    /// The most, in the token's minor unit.
    pub limit: U120,
    /// Whether sources without a key count too.
    pub unsigned_sources: bool,
    /// Sources that count, by id.
    pub sources: Vec<B256>,
}

impl Lane<'_> {
    /// The lane's name.
    ///
    /// # Errors
    /// [`ClientError`]; a lane that nobody added is a revert.
    pub fn name(&self) -> Result<String, ClientError> {
        self.chain.view(LANE_REGISTRY, &ILaneRegistry::laneNameCall { lane: self.word() })
    }

    /// Version and parameters in force for a period that begins at `start`, in seconds.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn parameters_at(&self, start: u64) -> Result<(u32, Parameters), ClientError> {
        let call = ILaneRegistry::parametersAtCall { lane: self.word(), time: start };
        let answer = self.chain.view(LANE_REGISTRY, &call)?;
        Ok((answer.version, answer.p))
    }

    /// Who submits now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn active(&self) -> Result<Active, ClientError> {
        self.chain.view(LANE_REGISTRY, &ILaneRegistry::activeOfCall { lane: self.word() })
    }

    /// Whether an account is registered to submit.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn is_submitter(&self, submitter: Address) -> Result<bool, ClientError> {
        let call = ILaneRegistry::isSubmitterCall { lane: self.word(), submitter };
        self.chain.view(LANE_REGISTRY, &call)
    }

    /// The standing consent of a payer, and what is used of it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn allowance(
        &self,
        payer: Address,
        period: u32,
        submitter: Address,
    ) -> Result<Allowance, ClientError> {
        let call = ILaneRegistry::allowanceOfCall { payer, lane: self.word(), period, submitter };
        self.chain.view(LANE_REGISTRY, &call)
    }

    /// Whether a payer's allowance names a source, and whether it admits sources without a key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn source_consent(
        &self,
        payer: Address,
        period: u32,
        submitter: Address,
        source: B256,
    ) -> Result<(bool, bool), ClientError> {
        let call = ILaneRegistry::sourceConsentCall { payer, lane: self.word(), period, submitter, source };
        let answer = self.chain.view(LANE_REGISTRY, &call)?;
        Ok((answer.named, answer.unsignedSources))
    }

    /// The last sign of a watcher.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn heartbeat_of(&self, watcher: Address) -> Result<Heartbeat, ClientError> {
        let call = ILaneRegistry::heartbeatOfCall { lane: self.word(), watcher };
        self.chain.view(LANE_REGISTRY, &call)
    }
}

/// Keys that a payer registered for a source, oldest first: since when each counts, and its bytes (empty: none from then).
///
/// # Errors
/// [`ClientError`].
pub fn source_keys(
    chain: &Chain,
    lane: LaneId,
    payer: Address,
    source: B256,
) -> Result<Vec<(u64, Bytes)>, ClientError> {
    let lane = word(lane);
    let count = chain.view(LANE_REGISTRY, &ILaneRegistry::sourceKeyCountCall { lane, payer, source })?;
    let mut keys = Vec::new();
    let mut index = alloy_primitives::U256::ZERO;
    while index < count {
        let key = chain.view(LANE_REGISTRY, &ILaneRegistry::sourceKeyCall { lane, payer, source, index })?;
        keys.push((key.effectiveFrom.to(), key.key));
        index += alloy_primitives::U256::ONE;
    }
    Ok(keys)
}

/// Registers a submitter: by the owner or a lane keeper. The first of a lane is active at once.
pub fn register_submitter(lane: LaneId, submitter: Address) -> Request {
    let call = ILaneRegistry::registerSubmitterCall { lane: word(lane), submitter };
    Request::call("registering the submitter", LANE_REGISTRY, &call)
}

/// Makes a registered submitter the active one: by the owner or a lane keeper.
pub fn appoint(lane: LaneId, submitter: Address) -> Request {
    let call = ILaneRegistry::appointCall { lane: word(lane), submitter };
    Request::call("appointing the submitter", LANE_REGISTRY, &call)
}

/// Takes a lane over from a submitter that missed two periods.
pub fn take_over(lane: LaneId) -> Request {
    Request::call("taking the lane over", LANE_REGISTRY, &ILaneRegistry::takeOverCall { lane: word(lane) })
}

/// Registers the sender's key for one of its sources. `key`: the scheme's byte and the public key; empty for none.
pub fn register_source_key(lane: LaneId, name: &str, key: Bytes) -> Request {
    let call = ILaneRegistry::registerSourceKeyCall { lane: word(lane), name: name.into(), key };
    Request::call(format!("registering the key of source {name}"), LANE_REGISTRY, &call)
}

/// The sender's standing consent.
pub fn set_allowance(consent: &Consent) -> Request {
    let call = ILaneRegistry::setAllowanceCall {
        lane: word(consent.lane),
        period: consent.period,
        submitter: consent.submitter,
        limit: consent.limit,
        unsignedSources: consent.unsigned_sources,
        sources: consent.sources.clone(),
    };
    Request::call(format!("setting the allowance for {}", consent.period), LANE_REGISTRY, &call)
}

/// Says that the sender watches. `checked`: the last batch that it found right, or zero.
pub fn heartbeat(lane: LaneId, checked: B256) -> Request {
    let call = ILaneRegistry::heartbeatCall { lane: word(lane), checked };
    Request::call("heartbeat", LANE_REGISTRY, &call)
}
