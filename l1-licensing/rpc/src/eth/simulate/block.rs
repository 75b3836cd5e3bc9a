//! One simulated block after the other.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use chlom_app::rules::{next_base_fee, unexecuted};
use chlom_chain::votes::Attested;
use chlom_evm::BlockEnv;
use chlom_primitives::{
    Additions, Block, Receipt, Tx,
    block::{receipts_root, transactions_root},
};
use revm::{
    Database, InspectEvm,
    context::{
        ContextTr, TxEnv,
        result::{ExecutionResult, InvalidTransaction},
    },
    context_interface::block::BlobExcessGasAndPrice,
};

use super::{
    answer::{Called, write_block},
    call_logs::CallLogs,
    plan::Planned,
    state_root::state_root,
};
use crate::{
    dispatch::budget::Room,
    error::{INTERNAL_ERROR, INVALID_PARAMS, RpcError},
    eth::{
        code_cache::keep_changes,
        deadline::Deadline,
        fill::{typed, with_empty_signature},
        json::Json,
        message::{is_free, tx_env},
        overrides::apply,
        point::state_error,
        request::CallRequest,
        stage::{CallEvm, Refused, Stage, end_block, loosen, refused},
    },
};

/// Simulates block after block and writes the answer.
pub(super) struct Simulator<'c> {
    stage: Stage<'c>,
    validation: bool,
    transfers: bool,
    full: bool,
    parent: Arc<Block>,
    /// Gas that calls may still use, all blocks together.
    budget: u64,
    deadline: Deadline,
    json: Json,
    room: Room,
}

impl<'c> Simulator<'c> {
    pub(super) fn new(stage: Stage<'c>, validation: bool, transfers: bool, full: bool, room: Room) -> Self {
        let mut json = Json::with_capacity(4096);
        json.open_array();
        let (parent, budget) = (stage.point.block.clone(), stage.ctx.limits.call_gas);
        let deadline = Deadline::start(stage.ctx);
        Self { stage, validation, transfers, full, parent, budget, deadline, json, room }
    }

    /// The answer.
    pub(super) fn finish(mut self) -> Json {
        self.json.close_array();
        self.json
    }

    /// Simulates one block upon the last.
    pub(super) fn block(&mut self, planned: Planned) -> Result<(), RpcError> {
        let header = self.preliminary(&planned)?;
        self.set_environment(&planned, &header)?;
        let called = self.execute(&planned, &header)?;
        let block = self.seal(header, &called)?;
        self.write(&block, &called);
        let most = self.stage.ctx.limits.response_bytes;
        if self.json.len() > most {
            return Err(RpcError::limit(format!("response is larger than {most} bytes")));
        }
        self.room.cover(self.json.len())?;
        self.parent = Arc::new(block);
        Ok(())
    }

    /// The header as far as it is known before execution.
    fn preliminary(&self, planned: &Planned) -> Result<Header, RpcError> {
        let (parent, overrides) = (&self.parent.header, &planned.overrides);
        let base_fee = match overrides.base_fee_per_gas {
            Some(fee) => u64::try_from(fee)
                .map_err(|_| RpcError::invalid_params(format!("baseFeePerGas is too large: {fee}")))?,
            None if self.validation => next_base_fee(parent, &self.stage.ctx.params),
            None => 0,
        };
        let env = BlockEnv {
            height: planned.height,
            timestamp: planned.timestamp,
            beneficiary: overrides.fee_recipient.unwrap_or(parent.beneficiary),
            gas_limit: overrides.gas_limit.unwrap_or(parent.gas_limit),
            base_fee,
            mix_hash: overrides.prev_randao.unwrap_or_default(),
            parent_hash: self.parent.hash,
        };
        Ok(unexecuted(&env, &Additions::empty()))
    }

    fn set_environment(&mut self, planned: &Planned, header: &Header) -> Result<(), RpcError> {
        let stage = &mut self.stage;
        stage.env = chlom_evm::block_env(&chlom_app::env_of(header));
        if !self.validation {
            let free = BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 0 };
            stage.env.blob_excess_gas_and_price = Some(free);
        }
        planned.overrides.apply(&mut stage.env)?;
        // Height and time come from the plan, overridden or not.
        stage.env.number = U256::from(planned.height);
        stage.env.timestamp = U256::from(planned.timestamp);
        let parent = (U256::from(self.parent.height()), self.parent.hash);
        stage.db.cache.block_hashes.insert(parent.0, parent.1);
        stage.moves = apply(&planned.state, &mut stage.db, &stage.ctx.modules)?;
        Ok(())
    }

    fn execute(&mut self, planned: &Planned, header: &Header) -> Result<Vec<Called>, RpcError> {
        let (ctx, deadline, validation) = (self.stage.ctx, self.deadline, self.validation);
        let chain_id = ctx.params.chain.evm_chain_id;
        let env: BlockEnv = chlom_app::env_of(header);
        let mut evm =
            self.stage.begin_block(&env, &Attested::default(), CallLogs::new(self.transfers, deadline))?;
        let (mut called, mut used) = (Vec::with_capacity(planned.calls.len()), 0u64);
        for request in &planned.calls {
            deadline.check()?;
            request.check(chain_id)?;
            let (gas, capped) = gas_of(request, header.gas_limit.saturating_sub(used), self.budget)?;
            let nonce = match request.nonce {
                Some(nonce) => nonce,
                None => account_nonce(&mut evm, request)?,
            };
            let tx = Tx::new(with_empty_signature(typed(request, gas, nonce, chain_id)?), request.sender());
            let result = call(&mut evm, tx_env(request, gas, nonce, chain_id), validation)?;
            let spent = result.tx_gas_used();
            self.budget = self.budget.checked_sub(spent).ok_or_else(|| {
                RpcError::server(format!("RPC gas cap exhausted: need {spent}, remaining {}", self.budget))
            })?;
            used = used.saturating_add(spent);
            let logs = evm.inspector.take();
            called.push(Called { tx: Arc::new(tx), result, logs, capped });
        }
        end_block(evm, &ctx.modules)?;
        Ok(called)
    }

    fn seal(&self, header: Header, called: &[Called]) -> Result<Block, RpcError> {
        let txs: Vec<Arc<Tx>> = called.iter().map(|call| call.tx.clone()).collect();
        let mut cumulative_gas_used = 0;
        let receipts: Vec<Receipt> = called
            .iter()
            .map(|call| {
                cumulative_gas_used += call.result.tx_gas_used();
                let success = call.result.is_success();
                let logs = if success { call.result.logs().to_vec() } else { Vec::new() };
                Receipt { tx_type: call.tx.envelope().tx_type(), success, cumulative_gas_used, logs }
            })
            .collect();
        let (receipts_root, logs_bloom) = receipts_root(&receipts);
        let header = Header {
            state_root: self.state_root()?,
            transactions_root: transactions_root(&txs),
            receipts_root,
            logs_bloom,
            gas_used: cumulative_gas_used,
            ..header
        };
        Ok(Block::seal(header, Additions::empty(), txs))
    }

    /// Only the head's trie can be built upon; see [`super::simulate_v1`].
    fn state_root(&self) -> Result<B256, RpcError> {
        let Stage { point, db, .. } = &self.stage;
        if !point.newest {
            return Ok(B256::ZERO);
        }
        state_root(&point.state, db).map_err(state_error)
    }

    fn write(&mut self, block: &Block, called: &[Called]) {
        write_block(&mut self.json, block, called, self.full);
    }
}

type SimEvm<'a> = CallEvm<'a, CallLogs>;

/// The gas of a call, and whether the node's budget lowered it.
fn gas_of(request: &CallRequest, left: u64, budget: u64) -> Result<(u64, bool), RpcError> {
    let asked = request.gas.unwrap_or(left);
    if asked > left {
        let message = format!("block gas limit reached: remaining: {left}, required: {asked}");
        return Err(RpcError::new(-38015, message));
    }
    Ok((asked.min(budget), asked > budget))
}

fn account_nonce(evm: &mut SimEvm<'_>, request: &CallRequest) -> Result<u64, RpcError> {
    let account = evm.ctx.db_mut().basic(request.sender()).map_err(RpcError::internal)?;
    Ok(account.unwrap_or_default().nonce)
}

/// Executes and keeps a call. The sender may be a contract, and gas is not bounded by EIP-7825, even when all else is
/// checked.
fn call(evm: &mut SimEvm<'_>, tx: TxEnv, validation: bool) -> Result<ExecutionResult, RpcError> {
    loosen(&mut evm.ctx.cfg);
    evm.ctx.cfg.disable_nonce_check = !validation;
    evm.ctx.cfg.disable_base_fee = !validation && is_free(&tx);
    let base_fee = evm.ctx.block.basefee;
    let outcome = evm.inspect_tx(tx);
    evm.inspector.in_time()?;
    let outcome = outcome.map_err(|error| match refused(error, &evm.ctx.tx, base_fee) {
        Refused::Invalid { reason, tx, base_fee } => {
            let code = invalid_code(&reason);
            RpcError { code, ..Refused::Invalid { reason, tx, base_fee }.into_error() }
        }
        Refused::Fault(error) => error,
    })?;
    keep_changes(evm.ctx.db_mut(), outcome.state);
    Ok(outcome.result)
}

/// The codes of the specification for transactions that cannot be executed.
fn invalid_code(reason: &InvalidTransaction) -> i64 {
    use InvalidTransaction as Invalid;
    match reason {
        Invalid::NonceTooLow { .. } => -38010,
        Invalid::NonceTooHigh { .. } => -38011,
        Invalid::GasPriceLessThanBasefee => -38012,
        Invalid::CallGasCostMoreThanGasLimit { .. } | Invalid::GasFloorMoreThanGasLimit { .. } => -38013,
        Invalid::LackOfFundForMaxFee { .. } | Invalid::OverflowPaymentInTransaction => -38014,
        Invalid::CallerGasLimitMoreThanBlock => -38015,
        Invalid::RejectCallerWithCode => -38024,
        Invalid::CreateInitCodeSizeLimit => -38025,
        Invalid::PriorityFeeGreaterThanMaxFee => INVALID_PARAMS,
        _ => INTERNAL_ERROR,
    }
}
