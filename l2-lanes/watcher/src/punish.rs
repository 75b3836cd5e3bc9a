//! From a fraud on disk to a reward: what to do next follows from what the chain says alone, so that whoever was stopped at any point
//! goes on where it stopped, and whoever comes second does no harm.

use alloy_primitives::{Address, B256, U256};
use chlom_client::{
    Chain, ClientError, Request, Signer,
    lanes::{
        batches::{self, Status},
        challenges,
    },
};

use crate::{
    WatchError,
    follow::Block,
    store::{BatchRecord, Case, Store},
};

/// A commitment lives for so many seconds and heights, whichever takes longer ([PAY-30]).
pub const REVEAL_SECONDS: u64 = 600;
/// See [`REVEAL_SECONDS`].
pub const REVEAL_BLOCKS: u64 = 250;

/// What the chain says of a batch and of this watcher's commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The head's time, seconds.
    pub time: u64,
    /// The head's height.
    pub height: u64,
    /// How the batch stands.
    pub status: Status,
    /// Second and height at which its window closes: it can be final from then on.
    pub closes: (u64, u64),
    /// The commitment, while it is there.
    pub commitment: Option<Made>,
    /// What became of the batch once it was void.
    pub award: Award,
    /// Whether what it had reserved of its payers' money is theirs again.
    pub released: bool,
}

/// A commitment on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Second.
    pub time: u64,
    /// Height.
    pub height: u64,
    /// Its place among all.
    pub order: u64,
}

/// The award of a void batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Award {
    /// When it became void: second and height.
    pub void: (u64, u64),
    /// Whether it was paid.
    pub paid: bool,
    /// Who has it so far; zero for nobody.
    pub winner: Address,
    /// The winner's commitment's place; 0 for none.
    pub order: u64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the commitment.
    Commit,
    /// Show the proof under the commitment.
    Reveal,
    /// Show the proof at once: no reward, but the batch must not become final.
    Challenge,
    /// Have what the void batch had reserved given back to its payers: its submitter may be gone.
    Release,
    /// Have the award paid.
    PayAward,
    /// Wait for the next block.
    Wait,
    /// Nothing is left to do: it is void.
    Void,
    /// It is final: the fraud was not proven in time.
    Missed,
}

/// Seconds and heights before the end of the window within which nothing is waited for any more.
const LAST_SECONDS: u64 = 30;
const LAST_BLOCKS: u64 = 10;

fn is_over(facts: &Facts, (time, height): (u64, u64)) -> bool {
    facts.time > time.saturating_add(REVEAL_SECONDS) && facts.height > height.saturating_add(REVEAL_BLOCKS)
}

/// The next step. Upholds [WAT-8].
pub fn next(facts: &Facts, watcher: Address) -> Step {
    let live = facts.commitment.filter(|made| !is_over(facts, (made.time, made.height)));
    match facts.status {
        Status::Open => match live {
            Some(made) if facts.height >= made.height => Step::Reveal,
            Some(_) => Step::Wait,
            None if is_last_moment(facts) => Step::Challenge,
            None => Step::Commit,
        },
        Status::Void => {
            let award = &facts.award;
            let counts =
                |made: &Made| made.height < award.void.1 && (award.order == 0 || made.order < award.order);
            if !award.paid && live.as_ref().is_some_and(counts) {
                Step::Reveal
            } else if !facts.released && (award.winner == watcher || award.winner.is_zero()) {
                Step::Release
            } else if award.paid || award.winner != watcher {
                Step::Void
            } else if is_over(facts, award.void) {
                Step::PayAward
            } else {
                Step::Wait
            }
        }
        Status::Finalized | Status::Done => Step::Missed,
        Status::None => Step::Wait,
    }
}

/// The window closes so soon that a commitment's block cannot be waited for.
fn is_last_moment(facts: &Facts) -> bool {
    facts.time.saturating_add(LAST_SECONDS) >= facts.closes.0
        && facts.height.saturating_add(LAST_BLOCKS) >= facts.closes.1
}

/// Asks the chain about a case.
///
/// # Errors
/// A node that does not answer.
pub fn facts(
    chain: &Chain,
    head: &Block,
    record: &BatchRecord,
    case: &Case,
    proof: &[u8],
    watcher: Address,
) -> Result<Facts, WatchError> {
    let batch = batches::batch(chain, record.root)?;
    let award = challenges::award(chain, record.root)?;
    let id = challenges::commitment(record.root, proof, watcher, case.salt);
    let made = challenges::commitment_of(chain, id)?;
    let made = Made { time: made.time.to(), height: made.height.to(), order: made.order };
    Ok(Facts {
        time: head.time,
        height: head.height,
        status: Status::of(&batch),
        closes: (batch.closesAt.to(), batch.closesHeight.to()),
        commitment: (made.order != 0).then_some(made),
        award: Award {
            void: (award.voidAt.to(), award.voidHeight.to()),
            paid: award.paid,
            winner: award.winner,
            order: award.order,
        },
        released: batch.released,
    })
}

/// What a step brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something was sent and is in a block: look again at once.
    Moved,
    /// Nothing to do before the next block.
    Waiting,
    /// The chain does not agree that it is wrong, or agreed with somebody else first: look again.
    Refused,
    /// Void; what this watcher was paid, wei.
    Void(Option<U256>),
    /// Final.
    Missed,
}

/// Does the next step of a case. Its salt and proof are on disk already. Upholds [WAT-3] and [WAT-8].
///
/// # Errors
/// A node that does not answer.
pub fn act(
    chain: &Chain,
    store: &Store,
    head: &Block,
    record: &BatchRecord,
    case: &Case,
    signer: &Signer,
) -> Result<Outcome, WatchError> {
    let proof = store.proof(&record.root)?.ok_or_else(|| WatchError::Damaged {
        path: store.path().into(),
        what: format!("the proof against batch {} is gone", record.root),
    })?;
    let watcher = signer.address();
    let facts = facts(chain, head, record, case, &proof, watcher)?;
    let step = next(&facts, watcher);
    tracing::debug!(batch = %record.root, ?step, ?facts, "next step");
    let request = match step {
        Step::Commit => challenges::commit(challenges::commitment(record.root, &proof, watcher, case.salt)),
        Step::Reveal => challenges::challenge(record.root, proof.into(), case.salt),
        Step::Challenge => challenges::challenge_unrewarded(record.root, proof.into()),
        Step::Release => match claim(chain, record)? {
            Some(claim) => batches::release(record.root, &claim, record.header.clone()),
            None => return Ok(Outcome::Void(reward(chain, &facts, record, watcher)?)),
        },
        Step::PayAward => challenges::pay_award(record.root, record.header.clone()),
        Step::Wait => return Ok(Outcome::Waiting),
        Step::Void => return Ok(Outcome::Void(reward(chain, &facts, record, watcher)?)),
        Step::Missed => return Ok(Outcome::Missed),
    };
    send(chain, signer, &request, step, record)
}

/// What releasing needs; `None` when the chain keeps another: then nobody can.
fn claim(chain: &Chain, record: &BatchRecord) -> Result<Option<batches::Claim>, WatchError> {
    let header = crate::check::decode(record)?;
    Ok(batches::claim_of(chain, &header)?)
}

fn send(
    chain: &Chain,
    signer: &Signer,
    request: &Request,
    step: Step,
    record: &BatchRecord,
) -> Result<Outcome, WatchError> {
    tracing::info!(batch = %record.root, ?step, "sending");
    match chain.send_one(signer, request) {
        Ok(receipt) => {
            tracing::info!(batch = %record.root, ?step, height = receipt.height, gas = receipt.gas_used, "done");
            Ok(Outcome::Moved)
        }
        // Another watcher was first, or the chain does not agree: the next look says which.
        Err(error @ (ClientError::Revert { .. } | ClientError::Failed { .. })) => {
            tracing::warn!(batch = %record.root, ?step, %error, "refused");
            Ok(Outcome::Refused)
        }
        Err(other) => Err(other.into()),
    }
}

/// What this watcher was paid of a void batch: 40 of 100 of ten units.
fn reward(
    chain: &Chain,
    facts: &Facts,
    record: &BatchRecord,
    watcher: Address,
) -> Result<Option<U256>, WatchError> {
    if !facts.award.paid || facts.award.winner != watcher {
        return Ok(None);
    }
    let bond = batches::batch(chain, record.root)?.bond;
    Ok(Some(U256::from(bond) * U256::from(4)))
}

/// 32 bytes that nobody can guess.
///
/// # Errors
/// When the system has none.
pub fn salt() -> Result<B256, WatchError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| WatchError::Entropy(error.to_string()))?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Address = Address::repeat_byte(1);
    const OTHER: Address = Address::repeat_byte(2);

    fn open() -> Facts {
        let closes = (100_000, 0);
        let award = Award::default();
        Facts {
            time: 1_000,
            height: 100,
            status: Status::Open,
            closes,
            commitment: None,
            award,
            released: true,
        }
    }

    fn made(height: u64, order: u64) -> Option<Made> {
        Some(Made { time: 1_000, height, order })
    }

    fn void(winner: Address, order: u64) -> Facts {
        let award = Award { void: (1_000, 101), paid: false, winner, order };
        Facts { status: Status::Void, award, height: 101, ..open() }
    }

    #[test]
    fn wat_8_an_open_batch_is_committed_to_and_then_challenged() {
        assert_eq!(next(&open(), ME), Step::Commit);
        assert_eq!(next(&Facts { commitment: made(101, 1), ..open() }, ME), Step::Wait, "the head is older");
        assert_eq!(next(&Facts { commitment: made(100, 1), ..open() }, ME), Step::Reveal);
        let expired = Facts { commitment: made(100, 1), time: 1_601, height: 351, ..open() };
        assert_eq!(next(&expired, ME), Step::Commit, "anew");
        assert_eq!(next(&Facts { height: 350, ..expired }, ME), Step::Reveal, "heights count too");
    }

    #[test]
    fn wat_8_at_the_end_of_the_window_a_batch_is_challenged_even_without_a_reward() {
        let late = Facts { time: 99_980, ..open() };
        assert_eq!(next(&late, ME), Step::Challenge);
        assert_eq!(next(&Facts { closes: (100_000, 1_000), ..late }, ME), Step::Commit, "heights are left");
        assert_eq!(next(&Facts { commitment: made(100, 1), height: 700, ..late }, ME), Step::Challenge);
    }

    #[test]
    fn wat_8_an_earlier_commitment_is_revealed_though_another_proof_came_first() {
        assert_eq!(next(&Facts { commitment: made(100, 1), ..void(OTHER, 2) }, ME), Step::Reveal);
        assert_eq!(next(&Facts { commitment: made(100, 1), ..void(Address::ZERO, 0) }, ME), Step::Reveal);
        assert_eq!(
            next(&Facts { commitment: made(100, 3), ..void(OTHER, 2) }, ME),
            Step::Void,
            "a later one"
        );
        assert_eq!(next(&Facts { commitment: made(101, 1), ..void(OTHER, 2) }, ME), Step::Void, "too new");
        assert_eq!(next(&void(OTHER, 2), ME), Step::Void);
    }

    #[test]
    fn wat_8_a_winner_has_its_award_paid_once_nobody_can_come_before_it() {
        assert_eq!(next(&void(ME, 2), ME), Step::Wait);
        let over = Facts { time: 1_601, height: 352, ..void(ME, 2) };
        assert_eq!(next(&over, ME), Step::PayAward);
        assert_eq!(next(&Facts { height: 351, ..over }, ME), Step::Wait);
        let paid = Facts { award: Award { paid: true, ..over.award }, ..over };
        assert_eq!(next(&paid, ME), Step::Void);
    }

    #[test]
    fn wat_8_whoever_won_or_anyone_when_nobody_did_gives_the_payers_their_money_back() {
        let held = |winner, order| Facts { released: false, ..void(winner, order) };
        assert_eq!(next(&held(ME, 2), ME), Step::Release);
        assert_eq!(next(&held(Address::ZERO, 0), ME), Step::Release);
        assert_eq!(next(&held(OTHER, 2), ME), Step::Void, "it is the winner's to do");
        let earlier = Facts { commitment: made(100, 1), ..held(OTHER, 2) };
        assert_eq!(next(&earlier, ME), Step::Reveal, "the reward first: a commitment lives for ten minutes");
        let paid = Facts { award: Award { paid: true, ..held(ME, 2).award }, ..held(ME, 2) };
        assert_eq!(next(&paid, ME), Step::Release);
    }

    #[test]
    fn wat_8_what_is_final_cannot_be_punished() {
        assert_eq!(next(&Facts { status: Status::Finalized, ..open() }, ME), Step::Missed);
        assert_eq!(next(&Facts { status: Status::Done, commitment: made(1, 1), ..open() }, ME), Step::Missed);
    }
}
