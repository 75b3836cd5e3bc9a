//! The three moments of a block's life.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::{Address, B256, Bytes};
use chlom_chain::{
    staking::{self, StakingRead, ValidatorSet},
    votes::{CommitFlags, SignedExtension, collect_evidence, verify_evidence},
};
use chlom_module::ModuleSet;
use chlom_primitives::{Additions, Block, Entry0, L0_CHAIN_ID, Params, Tx};
use chlom_state::{NodeReader, StateError, StateReader};

use crate::{
    execute::{self, ExecutedBlock, Frame, Rejection},
    proposal::{Budget, TxSource},
    rules,
};

/// From raw transactions to recovered ones, in order, or why not. The edge brings it, so that a transaction which its pool
/// holds is not recovered again; it must answer as [`chlom_crypto::recover_tx`] would.
pub type Recover<'r> = &'r dyn Fn(&[Bytes]) -> Vec<Result<Tx, String>>;

/// Executed candidates that are kept for [`App::finalize_block`]. More than the rounds that a height plausibly takes.
const KEPT_CANDIDATES: usize = 8;

/// What a block builds upon: the parent and the state after it.
pub struct Base<S> {
    /// The block below.
    pub parent: Arc<Block>,
    /// Its state, flat and trie.
    pub state: S,
}

/// What consensus says of a block besides its entries. Part of what a candidate is found by: the same entries with
/// another time or proposer are another block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// ⌊BFT time⌋, seconds since 1970.
    pub time: u64,
    /// The proposer's account; the block's coinbase.
    pub proposer: Address,
    /// The last commit: its round, and who committed.
    pub last_commit: CommitFlags,
    /// Entry 0 and the raw transactions.
    pub entries: Vec<Bytes>,
}

/// What consensus gives a proposer of the last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastCommit {
    /// Its round, and who committed.
    pub flags: CommitFlags,
    /// The vote extensions that came with it, judged or not.
    pub extensions: Vec<SignedExtension>,
}

/// A decided block and its effects, ready to be made durable.
#[derive(Clone, Debug)]
pub struct Finalized {
    /// The block and its effects.
    pub executed: ExecutedBlock,
    /// True when an earlier execution of the same inputs was used.
    pub reused: bool,
}

/// Why the application cannot go on. Both halt the node with nothing of the block committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// State could not be read.
    #[error("state fault: {0}")]
    State(#[from] StateError),
    /// The vote extensions at hand do not make a valid block.
    #[error("height {height}: the last commit's vote extensions make no block: {why}")]
    NoEvidence {
        /// Height of the block that was to be made.
        height: u64,
        /// What is wrong with them.
        why: chlom_chain::votes::EvidenceError,
    },
    /// Consensus decided a block whose content is invalid: more than a third of power is faulty, or this node is.
    #[error("height {height}: consensus decided an invalid block: {why}")]
    DecidedInvalid {
        /// Height of the block.
        height: u64,
        /// What is wrong with it.
        why: Rejection,
    },
}

/// An executed proposal, found again by every input of its execution: parent, time, proposer and entries, compared byte
/// for byte.
struct Candidate {
    parent: B256,
    proposal: Proposal,
    executed: ExecutedBlock,
}

/// The application. Holds no state of its own but candidates, which it can lose at any time.
pub struct App {
    params: Arc<Params>,
    modules: Arc<ModuleSet>,
    candidates: VecDeque<Candidate>,
}

impl App {
    /// An application with these parameters and modules.
    pub fn new(params: Arc<Params>, modules: Arc<ModuleSet>) -> Self {
        Self { params, modules, candidates: VecDeque::new() }
    }

    /// Builds and executes a block on `base`; the answer's entries are the proposal. Upholds [BLK-10].
    ///
    /// # Errors
    /// State faults.
    pub fn prepare_proposal<S: StateReader + NodeReader>(
        &mut self,
        base: &Base<S>,
        time: u64,
        proposer: Address,
        last_commit: LastCommit,
        source: &mut dyn TxSource,
        budget: &mut dyn Budget,
    ) -> Result<Proposal, AppError> {
        let parent = &base.parent;
        let env = rules::next_env(parent.hash, &parent.header, &self.params, time, proposer);
        let LastCommit { flags, extensions } = last_commit;
        let set = last_set(base)?;
        let height = parent.height();
        let evidence = collect_evidence(L0_CHAIN_ID, height, &set, &flags, extensions);
        // Its own verdict on its own list: a proposer without enough of them cannot make a block that others accept.
        let attested = verify_evidence(&evidence, L0_CHAIN_ID, height, &set, &flags)
            .map_err(|why| AppError::NoEvidence { height: height.saturating_add(1), why })?;
        let frame = Frame { env, additions: Additions::of(&evidence), attested };
        let executed = execute::build(&base.state, &self.params, &self.modules, frame, source, budget)?;
        let proposal = Proposal { time, proposer, last_commit: flags, entries: entries(&executed.block) };
        self.keep(parent.hash, proposal.clone(), executed);
        Ok(proposal)
    }

    /// Judges a proposal by its content alone. Upholds [BLK-11].
    ///
    /// # Errors
    /// State faults; an invalid proposal is `Ok(Err(_))`.
    pub fn process_proposal<S: StateReader + NodeReader>(
        &mut self,
        base: &Base<S>,
        proposal: &Proposal,
        recover: Recover<'_>,
    ) -> Result<Result<(), Rejection>, AppError> {
        if self.position(base.parent.hash, proposal).is_some() {
            return Ok(Ok(()));
        }
        match self.judge(base, proposal, recover)? {
            Ok(executed) => {
                self.keep(base.parent.hash, proposal.clone(), executed);
                Ok(Ok(()))
            }
            Err(why) => Ok(Err(why)),
        }
    }

    /// The decided block's effects. Upholds [BLK-12].
    ///
    /// # Errors
    /// State faults, and [`AppError::DecidedInvalid`]: the node must halt.
    pub fn finalize_block<S: StateReader + NodeReader>(
        &mut self,
        base: &Base<S>,
        proposal: &Proposal,
        recover: Recover<'_>,
    ) -> Result<Finalized, AppError> {
        let known = self.position(base.parent.hash, proposal);
        if let Some(candidate) = known.and_then(|index| self.candidates.remove(index)) {
            self.candidates.clear();
            return Ok(Finalized { executed: candidate.executed, reused: true });
        }
        self.candidates.clear();
        match self.judge(base, proposal, recover)? {
            Ok(executed) => Ok(Finalized { executed, reused: false }),
            Err(why) => Err(AppError::DecidedInvalid { height: base.parent.height().saturating_add(1), why }),
        }
    }

    fn judge<S: StateReader + NodeReader>(
        &self,
        base: &Base<S>,
        proposal: &Proposal,
        recover: Recover<'_>,
    ) -> Result<Result<ExecutedBlock, Rejection>, StateError> {
        let (entry0, txs) = match decode(proposal, &self.params, recover) {
            Ok(parts) => parts,
            Err(why) => return Ok(Err(why)),
        };
        let parent = &base.parent;
        let env =
            rules::next_env(parent.hash, &parent.header, &self.params, proposal.time, proposal.proposer);
        let evidence = entry0.additions.evidence().unwrap_or_default();
        let set = last_set(base)?;
        let verdict = verify_evidence(&evidence, L0_CHAIN_ID, parent.height(), &set, &proposal.last_commit);
        let attested = match verdict {
            Ok(attested) => attested,
            Err(why) => return Ok(Err(why.into())),
        };
        let frame = Frame { env, additions: Additions::of(&evidence), attested };
        let executed = match execute::replay(&base.state, &self.params, &self.modules, frame, txs)? {
            Ok(executed) => executed,
            Err(why) => return Ok(Err(why)),
        };
        Ok(execute::compare(&entry0.header, &executed.block.header).map(|()| executed))
    }

    fn position(&self, parent: B256, proposal: &Proposal) -> Option<usize> {
        self.candidates.iter().position(|known| known.parent == parent && known.proposal == *proposal)
    }

    fn keep(&mut self, parent: B256, proposal: Proposal, executed: ExecutedBlock) {
        if self.candidates.len() == KEPT_CANDIDATES {
            self.candidates.pop_front();
        }
        self.candidates.push_back(Candidate { parent, proposal, executed });
    }
}

/// The set that made the parent.
fn last_set<S: StateReader>(base: &Base<S>) -> Result<ValidatorSet, StateError> {
    staking::storage(&base.state).current_set()
}

/// The entries of a block as consensus orders them.
pub(crate) fn entries(block: &Block) -> Vec<Bytes> {
    let entry0 = Entry0 { header: block.header.clone(), additions: block.additions.clone() };
    let mut entries = Vec::with_capacity(block.txs.len().saturating_add(1));
    entries.push(entry0.encode().into());
    entries.extend(block.txs.iter().map(|tx| tx.raw().clone()));
    entries
}

fn decode(
    proposal: &Proposal,
    params: &Params,
    recover: Recover<'_>,
) -> Result<(Entry0, Vec<Arc<Tx>>), Rejection> {
    let (first, rest) = proposal.entries.split_first().ok_or(Rejection::Empty)?;
    let entry0 = Entry0::decode(first)?;
    // Before any signature is looked at: a proposer must not buy hours of recovery with an invalid block.
    execute::check_size(rest, params)?;
    let mut txs = Vec::with_capacity(rest.len());
    for (index, tx) in recover(rest).into_iter().enumerate() {
        match tx {
            Ok(tx) => txs.push(Arc::new(tx)),
            Err(why) => return Err(Rejection::Tx { index: index.saturating_add(1), why }),
        }
    }
    Ok((entry0, txs))
}
