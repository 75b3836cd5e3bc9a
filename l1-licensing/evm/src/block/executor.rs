//! Executes the transactions of one block, one after the other, on one EVM.

use alloy_consensus::{Transaction, Typed2718};
use alloy_primitives::{Address, Bytes};
use chlom_chain::votes::Attested;
use chlom_module::ModuleSet;
use chlom_primitives::{Params, Receipt, Tx};
use chlom_state::{StateDiff, StateError, StateReader};
use revm::{
    ExecuteEvm,
    context::{
        TxEnv,
        result::{EVMError, ExecutionResult, Output},
    },
    context_interface::transaction::AuthorizationTr,
    primitives::hardfork::SpecId,
};

use super::{
    diff::state_diff,
    error::{ExecuteError, TxInvalid, fault},
    reads::RecordingDb,
};
use crate::{
    env::{self, BlockEnv, tx_env},
    machine::{ChlomEvm, attest_block, build_evm_at, end_block, start_block},
    state_db::StateDb,
};

/// What a plain transfer uses; nothing uses less.
const TRANSFER_GAS: u64 = 21_000;

/// Room is made for at most this many transactions, about 3 MB.
const MOST_RESERVED: usize = 5_000;

/// What one transaction did. Its logs are in the last of [`BlockExecutor::receipts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// False when execution reverted or halted.
    pub success: bool,
    /// Gas paid for, refunds deducted.
    pub gas_used: u64,
    /// Return data, or the revert's; the deployed code for a creation.
    pub output: Bytes,
    /// The contract created, by a transaction without receiver that succeeded.
    pub created: Option<Address>,
}

/// What a block did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockOutcome {
    /// Changes against the parent's state, sorted; only real ones.
    pub diff: StateDiff,
    /// One for each transaction, in order.
    pub receipts: Vec<Receipt>,
    /// Gas used by all transactions.
    pub gas_used: u64,
}

/// A block in execution. All state that it touches stays in one journal from the first transaction to the last: nothing is
/// cloned, collected or looked up again in between.
pub struct BlockExecutor<'s, S: StateReader + ?Sized> {
    evm: ChlomEvm<RecordingDb<'s, S>>,
    modules: &'s ModuleSet,
    receipts: Vec<Receipt>,
    gas_used: u64,
    gas_limit: u64,
}

impl<'s, S: StateReader + ?Sized> BlockExecutor<'s, S> {
    /// Begins a block on the state of its parent; see [`start_block`].
    ///
    /// # Errors
    /// Faults of the state, and invariants of the begin that do not hold.
    pub fn new(
        state: &'s S,
        params: &'s Params,
        modules: &'s ModuleSet,
        env: BlockEnv,
    ) -> Result<Self, StateError> {
        let mut executor = Self::at_spec(env::SPEC, state, params, modules, &env);
        start_block(&mut executor.evm, &env, modules).map_err(fault)?;
        Ok(executor)
    }

    /// Tells the modules what validators attested with the commit below: before the first transaction, if at all.
    ///
    /// # Errors
    /// Faults of the state.
    pub fn attest(&mut self, env: &BlockEnv, attested: &Attested) -> Result<(), StateError> {
        attest_block(&mut self.evm, env, self.modules, attested).map_err(fault)
    }

    /// A block under the rules of another fork, without what a block begins with. Ethereum's state tests are made so.
    #[doc(hidden)]
    pub fn at_spec(
        spec: SpecId,
        state: &'s S,
        params: &'s Params,
        modules: &'s ModuleSet,
        env: &BlockEnv,
    ) -> Self {
        let db = RecordingDb::new(StateDb::new(state, env));
        let evm = build_evm_at(spec, db, env, params, modules, ());
        Self { evm, modules, receipts: Vec::new(), gas_used: 0, gas_limit: env.gas_limit }
    }

    /// Executes one transaction. Upholds [EVM-2].
    ///
    /// # Errors
    /// [`ExecuteError::Invalid`] when it cannot be in this block: nothing has changed then.
    /// [`ExecuteError::Fatal`] for faults below the state: nothing more may be done with the block then.
    pub fn execute(&mut self, tx: &Tx) -> Result<Executed, ExecuteError> {
        let invalid = |reason| ExecuteError::Invalid { hash: tx.hash(), reason };
        self.check(tx).map_err(invalid)?;
        if self.receipts.is_empty() {
            self.reserve();
        }
        let tx_env = tx_env(tx);
        self.forget_touches(&tx_env);
        match self.evm.transact_one(tx_env) {
            Ok(result) => Ok(self.accept(tx, result)),
            Err(EVMError::Transaction(reason)) => Err(invalid(TxInvalid::Evm(reason))),
            Err(error) => {
                let found = self.evm.precompiles.take_fault();
                Err(found.unwrap_or_else(|| fault(error)).into())
            }
        }
    }

    /// An empty account that an earlier transaction touched left the state at that transaction's end (EIP-161), but it is
    /// still in the journal, touched. Nothing in the EVM asks for the difference save EIP-7702's refund, which an
    /// authority gets only if it exists.
    fn forget_touches(&mut self, tx: &TxEnv) {
        for authority in tx.authorization_list.iter().filter_map(|authorization| authorization.authority()) {
            let account = self.evm.ctx.journaled_state.inner.state.get_mut(&authority);
            if let Some(account) =
                account.filter(|account| account.is_empty() && account.is_loaded_as_not_existing())
            {
                account.unmark_touch();
            }
        }
    }

    /// Makes room for a full block of transfers, so that nothing is moved while it fills. Not before the first transaction:
    /// most blocks of a quiet chain have none.
    fn reserve(&mut self) {
        let transfers =
            usize::try_from(self.gas_limit / TRANSFER_GAS).unwrap_or(MOST_RESERVED).min(MOST_RESERVED);
        let accounts = transfers.saturating_mul(2);
        self.receipts.reserve(transfers);
        self.evm.ctx.journaled_state.inner.state.reserve(accounts);
        self.evm.ctx.journaled_state.database.accounts.reserve(accounts);
    }

    fn check(&self, tx: &Tx) -> Result<(), TxInvalid> {
        let envelope = tx.envelope();
        if envelope.is_eip4844() {
            return Err(TxInvalid::UnsupportedType { ty: envelope.ty() });
        }
        let (gas_limit, gas_left) = (envelope.gas_limit(), self.gas_left());
        if gas_limit > gas_left {
            return Err(TxInvalid::BlockGas { gas_limit, gas_left });
        }
        Ok(())
    }

    fn accept(&mut self, tx: &Tx, result: ExecutionResult) -> Executed {
        let gas_used = result.tx_gas_used();
        // Cannot exceed the block's limit: the transaction's limit was at most what was left.
        self.gas_used = self.gas_used.saturating_add(gas_used);
        let (success, logs, output, created) = match result {
            ExecutionResult::Success { logs, output: Output::Call(output), .. } => (true, logs, output, None),
            ExecutionResult::Success { logs, output: Output::Create(output, created), .. } => {
                (true, logs, output, created)
            }
            // Logs emitted before a revert did not happen.
            ExecutionResult::Revert { output, .. } => (false, Vec::new(), output, None),
            ExecutionResult::Halt { .. } => (false, Vec::new(), Bytes::new(), None),
        };
        let tx_type = tx.envelope().tx_type();
        self.receipts.push(Receipt { tx_type, success, cumulative_gas_used: self.gas_used, logs });
        Executed { success, gas_used, output, created }
    }

    /// Receipts of the transactions so far.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Gas used so far.
    pub fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// Gas that further transactions may use.
    pub fn gas_left(&self) -> u64 {
        self.gas_limit.saturating_sub(self.gas_used)
    }

    /// Ends the block.
    ///
    /// # Errors
    /// Faults of the state, and hooks of modules that fail.
    pub fn finish(mut self) -> Result<BlockOutcome, StateError> {
        end_block(&mut self.evm, self.modules).map_err(fault)?;
        let state = self.evm.finalize();
        let diff = state_diff(&mut self.evm.ctx.journaled_state.database, &state)?;
        Ok(BlockOutcome { diff, receipts: self.receipts, gas_used: self.gas_used })
    }
}
