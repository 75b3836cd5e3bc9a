//! Executing a block: the one path that building, judging and finalising share.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::Bytes;
use chlom_chain::votes::{Attested, EvidenceError};
use chlom_evm::{BlockEnv, BlockExecutor, ExecuteError};
use chlom_module::ModuleSet;
use chlom_primitives::{
    Additions, Block, Params, Receipt, Tx,
    block::{receipts_root, transactions_root},
};
use chlom_state::{NodeReader, StateDiff, StateError, StateReader, TrieUpdates, trie};

use crate::{
    proposal::{Budget, TxSource},
    rules::{self, Roots},
};

/// A block with everything that committing it needs.
#[derive(Clone, Debug)]
pub struct ExecutedBlock {
    /// The block.
    pub block: Arc<Block>,
    /// One receipt a transaction.
    pub receipts: Arc<Vec<Receipt>>,
    /// What changed in flat state.
    pub diff: StateDiff,
    /// What changed in the trie.
    pub trie: TrieUpdates,
}

/// Why a proposed block is not valid. The same on every node: it depends on content and committed state alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A block has at least entry 0.
    #[error("the block has no entry 0")]
    Empty,
    /// Entry 0 does not decode.
    #[error(transparent)]
    Entry0(#[from] chlom_primitives::header::Entry0Error),
    /// The vote extensions in entry 0 are not those of the last commit.
    #[error("entry 0: {0}")]
    Evidence(#[from] EvidenceError),
    /// An entry is not a transaction, or its signature is invalid.
    #[error("entry {index}: {why}")]
    Tx {
        /// Position in the block, entry 0 being the header.
        index: usize,
        /// What is wrong.
        why: String,
    },
    /// More bytes of transactions than a block may hold.
    #[error("{got} bytes of transactions, at most {limit}")]
    TooLarge {
        /// Bytes proposed.
        got: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// More transactions than the gas limit can pay for.
    #[error("{got} transactions, the gas limit pays for {limit} at most")]
    TooMany {
        /// Transactions proposed.
        got: u64,
        /// Most that fit.
        limit: u64,
    },
    /// A header field is not what it must be.
    #[error("header field {field}: {got}, expected {want}")]
    Header {
        /// JSON-RPC's name of the field.
        field: &'static str,
        /// Proposed value.
        got: String,
        /// Value that the rules give.
        want: String,
    },
}

/// What a block builds upon besides state: where it executes, and what the validators attest in it.
pub(crate) struct Frame {
    pub(crate) env: BlockEnv,
    pub(crate) additions: Additions,
    pub(crate) attested: Attested,
}

/// Takes transactions from `source` while they fit and the budget lasts; refuses the rest one by one.
pub(crate) fn build<S: StateReader + NodeReader>(
    state: &S,
    params: &Params,
    modules: &ModuleSet,
    frame: Frame,
    source: &mut dyn TxSource,
    budget: &mut dyn Budget,
) -> Result<ExecutedBlock, StateError> {
    let mut executor = begin(state, params, modules, &frame)?;
    let mut txs: Vec<Arc<Tx>> = Vec::new();
    let mut bytes: u64 = 0;
    while executor.gas_left() >= rules::LEAST_TX_GAS && !budget.is_spent() {
        let Some(tx) = source.next() else { break };
        let size = u64::try_from(tx.raw().len()).unwrap_or(u64::MAX);
        if bytes.saturating_add(size) > params.gas.max_block_bytes {
            source.refuse(&tx, None);
            continue;
        }
        match executor.execute(&tx) {
            Ok(_) => {
                bytes = bytes.saturating_add(size);
                txs.push(tx);
            }
            Err(ExecuteError::Invalid { reason, .. }) => source.refuse(&tx, Some(&reason)),
            Err(ExecuteError::Fatal(fault)) => return Err(fault),
        }
    }
    seal(state, frame, executor, txs)
}

/// What happens before the first transaction. Upholds [BLK-13] and [BLK-14].
fn begin<'s, S: StateReader + NodeReader>(
    state: &'s S,
    params: &'s Params,
    modules: &'s ModuleSet,
    frame: &Frame,
) -> Result<BlockExecutor<'s, S>, StateError> {
    let mut executor = BlockExecutor::new(state, params, modules, frame.env)?;
    executor.attest(&frame.env, &frame.attested)?;
    Ok(executor)
}

/// Upholds [BLK-5], and that no block has more transactions than its gas limit can pay for.
pub(crate) fn check_size(entries: &[Bytes], params: &Params) -> Result<(), Rejection> {
    let size = |entry: &Bytes| u64::try_from(entry.len()).unwrap_or(u64::MAX);
    let got = entries.iter().map(size).fold(0, u64::saturating_add);
    let limit = params.gas.max_block_bytes;
    if got > limit {
        return Err(Rejection::TooLarge { got, limit });
    }
    let got = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let limit = params.gas.block_gas_limit / rules::LEAST_TX_GAS;
    if got > limit {
        return Err(Rejection::TooMany { got, limit });
    }
    Ok(())
}

/// Executes exactly these transactions. `Ok(Err(_))` is the block's fault, `Err(_)` this node's.
pub(crate) fn replay<S: StateReader + NodeReader>(
    state: &S,
    params: &Params,
    modules: &ModuleSet,
    frame: Frame,
    txs: Vec<Arc<Tx>>,
) -> Result<Result<ExecutedBlock, Rejection>, StateError> {
    let mut executor = begin(state, params, modules, &frame)?;
    for (index, tx) in txs.iter().enumerate() {
        match executor.execute(tx) {
            Ok(_) => {}
            Err(ExecuteError::Invalid { reason, .. }) => {
                return Ok(Err(Rejection::Tx { index: index.saturating_add(1), why: reason.to_string() }));
            }
            Err(ExecuteError::Fatal(fault)) => return Err(fault),
        }
    }
    seal(state, frame, executor, txs).map(Ok)
}

fn seal<S: StateReader + NodeReader>(
    state: &S,
    frame: Frame,
    executor: BlockExecutor<'_, S>,
    txs: Vec<Arc<Tx>>,
) -> Result<ExecutedBlock, StateError> {
    let mut outcome = executor.finish()?;
    let receipts = std::mem::take(&mut outcome.receipts);
    let (updates, (transactions, (receipts_root, bloom))) = rayon::join(
        || trie::apply(state, &mut outcome.diff),
        || (transactions_root(&txs), receipts_root(&receipts)),
    );
    let updates = updates?;
    let roots = Roots {
        state: updates.state_root,
        transactions,
        receipts: receipts_root,
        bloom,
        gas_used: outcome.gas_used,
    };
    let header = rules::header(&frame.env, &frame.additions, &roots);
    Ok(ExecutedBlock {
        block: Arc::new(Block::seal(header, frame.additions, txs)),
        receipts: Arc::new(receipts),
        diff: outcome.diff,
        trie: updates,
    })
}

/// Names the first field in which a proposed header differs from the only valid one.
pub(crate) fn compare(got: &Header, want: &Header) -> Result<(), Rejection> {
    macro_rules! same {
        ($($field:ident => $name:literal),* $(,)?) => {
            $(if got.$field != want.$field {
                return Err(Rejection::Header {
                    field: $name,
                    got: format!("{:?}", got.$field),
                    want: format!("{:?}", want.$field),
                });
            })*
        };
    }
    same!(
        parent_hash => "parentHash", number => "number", timestamp => "timestamp", beneficiary => "miner",
        gas_limit => "gasLimit", base_fee_per_gas => "baseFeePerGas", mix_hash => "mixHash",
        extra_data => "extraData", gas_used => "gasUsed", state_root => "stateRoot",
        transactions_root => "transactionsRoot", receipts_root => "receiptsRoot", logs_bloom => "logsBloom",
    );
    if got == want {
        return Ok(());
    }
    Err(Rejection::Header { field: "(constant)", got: format!("{got:?}"), want: format!("{want:?}") })
}
