//! What became of batches, by PayoutProofs' logs. What a block committed is final: a height is read once.

use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use alloy_sol_types::SolEvent;
use chlom_lane::LaneId;
use chlom_primitives::address::PAYOUT_PROOFS;

use super::batches::Claim;
use crate::{
    Chain, ClientError,
    contracts::payout_proofs::IPayoutProofs,
    logs::{self, Log},
};

/// Heights that are asked for at once; a node that finds that too many is asked for fewer.
const HEIGHTS_AT_ONCE: u64 = 2_000;

/// Something that happened to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneEvent {
    /// Its block.
    pub height: u64,
    /// Its block's time, seconds.
    pub time: u64,
    /// Its transaction.
    pub transaction: B256,
    /// The batch.
    pub batch: B256,
    /// What.
    pub what: Happening,
}

/// What happened to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Taken in.
    Accepted {
        /// Its lane.
        lane: LaneId,
        /// Its period.
        period: u32,
        /// Its number within that.
        number: u32,
        /// What settling needs.
        claim: Claim,
        /// Its header's bytes.
        header: Bytes,
    },
    /// Proven wrong.
    Voided {
        /// Whose bond it was.
        submitter: Address,
        /// Kind of fraud.
        kind: u8,
        /// What was taken, wei.
        slashed: U256,
    },
    /// A proof was revealed under a commitment.
    Revealed {
        /// By whom.
        watcher: Address,
        /// The commitment's place; the least wins.
        order: u64,
    },
    /// The award of a void batch was paid.
    Awarded {
        /// To whom; zero: nobody.
        winner: Address,
        /// Wei.
        reward: U256,
        /// What went to the Claims Pool, wei.
        forfeited: U256,
    },
    /// Final.
    Finalized,
    /// Its last row settled, or nothing of it settles any more.
    Done,
    /// What was left of its reservations went back.
    Released,
}

/// Follows batches of all lanes from a height on. Keep [`Follower::next`] and go on from there.
#[derive(Clone, Debug)]
pub struct Follower {
    next: u64,
    step: u64,
}

impl Follower {
    /// From a height on, that height included.
    pub fn from(height: u64) -> Self {
        Self { next: height, step: HEIGHTS_AT_ONCE }
    }

    /// The first height that was not looked at.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What happened in the next heights, at most [`HEIGHTS_AT_ONCE`]; and the head's height. Nothing, when it was all seen:
    /// [`Follower::next`] is past the head then.
    ///
    /// # Errors
    /// [`ClientError`]; the same heights are asked for again then.
    pub fn poll(&mut self, chain: &Chain) -> Result<(Vec<LaneEvent>, u64), ClientError> {
        let head = chain.height()?;
        if self.next > head {
            return Ok((Vec::new(), head));
        }
        loop {
            let last = head.min(self.next.saturating_add(self.step.saturating_sub(1)));
            match logs(chain, self.next, last) {
                Ok(events) => {
                    self.next = last.saturating_add(1);
                    self.step = self.step.saturating_mul(2).min(HEIGHTS_AT_ONCE);
                    return Ok((events, head));
                }
                // Too many logs for one answer; of a single height it is the node's last word.
                Err(ClientError::Refused { .. } | ClientError::TooLong { .. }) if last > self.next => {
                    self.step = last.saturating_sub(self.next).saturating_add(1) / 2;
                }
                Err(other) => return Err(other),
            }
        }
    }
}

/// Topics of the logs that [`event`] reads.
pub const TOPICS: [B256; 7] = [
    IPayoutProofs::BatchAccepted::SIGNATURE_HASH,
    IPayoutProofs::BatchVoided::SIGNATURE_HASH,
    IPayoutProofs::ChallengeRevealed::SIGNATURE_HASH,
    IPayoutProofs::AwardPaid::SIGNATURE_HASH,
    IPayoutProofs::Finalized::SIGNATURE_HASH,
    IPayoutProofs::BatchDone::SIGNATURE_HASH,
    IPayoutProofs::BatchReleased::SIGNATURE_HASH,
];

/// What happened from a height to another, both included.
///
/// # Errors
/// [`ClientError`].
pub fn logs(chain: &Chain, from: u64, to: u64) -> Result<Vec<LaneEvent>, ClientError> {
    logs::between(chain, &[PAYOUT_PROOFS], &TOPICS, from, to)?.into_iter().map(event).collect()
}

/// What a log of PayoutProofs with one of [`TOPICS`] says.
///
/// # Errors
/// [`ClientError::Answer`] for one that is none.
pub fn event(log: Log) -> Result<LaneEvent, ClientError> {
    let unreadable = |why: String| ClientError::Answer { method: "eth_getLogs", why };
    let (height, time, transaction) = (log.height, log.time, log.transaction);
    let data =
        LogData::new(log.topics, log.data).ok_or_else(|| unreadable("more than four topics".into()))?;
    let (batch, what) = happening(&data).map_err(|error| unreadable(error.to_string()))?;
    Ok(LaneEvent { height, time, transaction, batch, what })
}

fn happening(data: &LogData) -> alloy_sol_types::Result<(B256, Happening)> {
    use IPayoutProofs as P;
    let topic = data.topics().first().copied().unwrap_or_default();
    Ok(match topic {
        P::BatchAccepted::SIGNATURE_HASH => {
            let e = P::BatchAccepted::decode_log_data(data)?;
            let (lane, period) = (LaneId::from(e.lane.0), e.period);
            let accepted =
                Happening::Accepted { lane, period, number: e.number, claim: e.claim, header: e.header };
            (e.batchRoot, accepted)
        }
        P::BatchVoided::SIGNATURE_HASH => {
            let e = P::BatchVoided::decode_log_data(data)?;
            let voided = Happening::Voided { submitter: e.submitter, kind: e.kind, slashed: e.slashed };
            (e.batchRoot, voided)
        }
        P::ChallengeRevealed::SIGNATURE_HASH => {
            let e = P::ChallengeRevealed::decode_log_data(data)?;
            (e.batchRoot, Happening::Revealed { watcher: e.watcher, order: e.order })
        }
        P::AwardPaid::SIGNATURE_HASH => {
            let e = P::AwardPaid::decode_log_data(data)?;
            let (winner, reward, forfeited) = (e.winner, e.reward, e.forfeited);
            (e.batchRoot, Happening::Awarded { winner, reward, forfeited })
        }
        P::Finalized::SIGNATURE_HASH => {
            (P::Finalized::decode_log_data(data)?.batchRoot, Happening::Finalized)
        }
        P::BatchDone::SIGNATURE_HASH => (P::BatchDone::decode_log_data(data)?.batchRoot, Happening::Done),
        _ => (P::BatchReleased::decode_log_data(data)?.batchRoot, Happening::Released),
    })
}
