//! Where calls execute: an environment, state that can be changed for the call, and the EVM over both.

use chlom_chain::votes::Attested;
use chlom_evm::{ChlomContext, attest_block, build_evm, start_block};
use chlom_module::ModuleSet;
use revm::{
    DatabaseCommit, ExecuteEvm, InspectEvm, Inspector,
    context::{
        BlockEnv, CfgEnv, ContextTr, Evm, TxEnv,
        result::{EVMError, ExecutionResult, InvalidTransaction, ResultAndState},
    },
    handler::{EthFrame, instructions::EthInstructions},
    interpreter::interpreter::EthInterpreter,
};

use super::{
    block_id::BlockId,
    code_cache::{CallDb, call_db},
    message::is_free,
    outcome::invalid_message,
    overrides::{BlockOverrides, StateOverride, apply},
    point::{Point, point},
    precompiles::{CallPrecompiles, Moves},
};
use crate::{context::Context, error::RpcError};

/// The EVM of a call.
pub(crate) type CallEvm<'a, I> = Evm<
    ChlomContext<&'a mut CallDb>,
    I,
    EthInstructions<EthInterpreter, ChlomContext<&'a mut CallDb>>,
    CallPrecompiles,
    EthFrame<EthInterpreter>,
>;

/// An environment and state to execute in.
pub(crate) struct Stage<'c> {
    /// The node.
    pub(crate) ctx: &'c Context,
    /// Where the stage stands.
    pub(crate) point: Point,
    /// The block's environment, overrides included.
    pub(crate) env: BlockEnv,
    /// State, overrides included.
    pub(crate) db: CallDb,
    /// Precompiles that overrides moved.
    pub(crate) moves: Moves,
}

/// Why a transaction was not executed at all.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The transaction cannot be executed here; the environment's base fee as it was, for the message.
    Invalid {
        /// revm's reason.
        reason: InvalidTransaction,
        /// The transaction.
        tx: Box<TxEnv>,
        /// Base fee that it met, wei.
        base_fee: u64,
    },
    /// The node's fault.
    Fault(RpcError),
}

impl Refused {
    /// What a caller is told, with geth's wrapping.
    pub(crate) fn into_error(self) -> RpcError {
        match self {
            Self::Invalid { reason, tx, base_fee } => RpcError::server(format!(
                "err: {} (supplied gas {})",
                invalid_message(&reason, &tx, base_fee),
                tx.gas_limit
            )),
            Self::Fault(error) => error,
        }
    }
}

/// The rules of calls: Ethereum's, without what only a signed transaction must uphold. The gas cap of EIP-7825 is for
/// transactions; calls are bounded by the node's own limit.
pub(crate) fn loosen(cfg: &mut CfgEnv) {
    cfg.tx_chain_id_check = false;
    cfg.tx_gas_limit_cap = Some(u64::MAX);
    cfg.disable_nonce_check = true;
    cfg.disable_eip3607 = true;
    cfg.disable_block_gas_limit = true;
}

impl<'c> Stage<'c> {
    /// At a block, with overrides.
    ///
    /// # Errors
    /// No such block or state; overrides that contradict themselves.
    pub(crate) fn new(
        ctx: &'c Context,
        id: BlockId,
        state: Option<&StateOverride>,
        block: Option<&BlockOverrides>,
    ) -> Result<Self, RpcError> {
        let point = point(ctx, id)?;
        let mut env = chlom_evm::block_env(&point.env(ctx));
        if let Some(overrides) = block {
            overrides.apply(&mut env)?;
        }
        let mut db = call_db(&point);
        let moves = match state {
            Some(overrides) => apply(overrides, &mut db, &ctx.modules)?,
            None => Moves::default(),
        };
        Ok(Self { ctx, point, env, db, moves })
    }

    /// At a point, in any environment.
    pub(crate) fn at(ctx: &'c Context, point: Point, env: BlockEnv) -> Self {
        let db = call_db(&point);
        Self { ctx, point, env, db, moves: Moves::default() }
    }

    /// The EVM over this stage; the caller loosens its rules.
    pub(crate) fn evm<I>(&mut self, inspector: I) -> CallEvm<'_, I> {
        let env = chlom_evm::BlockEnv::default();
        let mut evm = build_evm(&mut self.db, &env, &self.ctx.params, &self.ctx.modules, inspector);
        evm.ctx.block = self.env.clone();
        let precompiles = CallPrecompiles { chain: evm.precompiles.clone(), moves: self.moves.clone() };
        evm.with_precompiles(precompiles)
    }

    /// An EVM after what a block does before its first transaction; the changes are kept in this stage's state.
    ///
    /// # Errors
    /// Faults of the store.
    pub(crate) fn begin_block<I>(
        &mut self,
        env: &chlom_evm::BlockEnv,
        attested: &Attested,
        inspector: I,
    ) -> Result<CallEvm<'_, I>, RpcError> {
        let mut evm = build_evm(&mut self.db, env, &self.ctx.params, &self.ctx.modules, inspector);
        start_block(&mut evm, env, &self.ctx.modules).map_err(RpcError::internal)?;
        attest_block(&mut evm, env, &self.ctx.modules, attested).map_err(RpcError::internal)?;
        let state = evm.finalize();
        evm.ctx.db_mut().commit(state);
        evm.ctx.block = self.env.clone();
        let precompiles = CallPrecompiles { chain: evm.precompiles.clone(), moves: self.moves.clone() };
        Ok(evm.with_precompiles(precompiles))
    }

    fn call_evm<I>(&mut self, tx: &TxEnv, inspector: I) -> CallEvm<'_, I> {
        let mut evm = self.evm(inspector);
        loosen(&mut evm.ctx.cfg);
        if is_free(tx) {
            evm.ctx.block.basefee = 0;
        }
        evm
    }

    /// Executes under the rules of calls; nothing stays.
    ///
    /// # Errors
    /// See [`Refused`].
    pub(crate) fn run(&mut self, tx: TxEnv) -> Result<ExecutionResult, Refused> {
        let base_fee = self.env.basefee;
        let mut evm = self.call_evm(&tx, ());
        // Moved in, not cloned: call data can be large. It comes back for the message.
        match evm.transact_one(tx) {
            Ok(result) => Ok(result),
            Err(error) => Err(refused(error, &evm.ctx.tx, base_fee)),
        }
    }

    /// [`Stage::run`] with an inspector; gives what would have changed, too.
    ///
    /// # Errors
    /// See [`Refused`].
    pub(crate) fn inspect<I>(&mut self, tx: TxEnv, inspector: &mut I) -> Result<ResultAndState, Refused>
    where
        I: for<'a> Inspector<ChlomContext<&'a mut CallDb>, EthInterpreter>,
    {
        let base_fee = self.env.basefee;
        let mut evm = self.call_evm(&tx, inspector);
        match evm.inspect_tx(tx) {
            Ok(result) => Ok(result),
            Err(error) => Err(refused(error, &evm.ctx.tx, base_fee)),
        }
    }
}

/// What a block does after its last transaction; the changes are kept.
///
/// # Errors
/// Faults of the store.
pub(crate) fn end_block<I>(evm: CallEvm<'_, I>, modules: &ModuleSet) -> Result<(), RpcError> {
    let chain = evm.precompiles.chain.clone();
    let mut evm = evm.with_precompiles(chain);
    chlom_evm::machine::end_block(&mut evm, modules).map_err(RpcError::internal)?;
    let state = evm.finalize();
    evm.ctx.db_mut().commit(state);
    Ok(())
}

/// Sorts revm's errors by who is to blame.
pub(crate) fn refused(error: EVMError<chlom_evm::DbError>, tx: &TxEnv, base_fee: u64) -> Refused {
    match error {
        EVMError::Transaction(reason) => Refused::Invalid { reason, tx: Box::new(tx.clone()), base_fee },
        EVMError::Database(fault) => Refused::Fault(RpcError::internal(fault)),
        other => Refused::Fault(RpcError::internal(other)),
    }
}
