//! eth_estimateGas: the least gas limit with which a transaction succeeds, to within 1.5 %.

use std::sync::Arc;

use alloy_primitives::{Bytes, U256};
use revm::{
    Database,
    context::{
        TxEnv,
        result::{ExecutionResult, HaltReason, InvalidTransaction},
    },
};

use super::{
    block_id::BlockId,
    deadline::Deadline,
    message::tx_env,
    outcome::{halt_message, invalid_message, reverted},
    overrides::{BlockOverrides, StateOverride},
    request::CallRequest,
    stage::{Refused, Stage},
};
use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
    error::RpcError,
};

/// Gas of a plain transfer.
const TRANSFER_GAS: u64 = 21_000;
/// What a call with value lends its callee; enters the guess after the first execution.
const CALL_STIPEND: u64 = 2_300;
/// EIP-7825: no transaction may have more gas.
pub(crate) const TX_GAS_CAP: u64 = 1 << 24;
/// The search ends when the answer is at most 15/1000 too high: prices move by more before the transaction is mined.
const TOLERANCE: (u128, u128) = (15, 1000);

/// eth_estimateGas.
pub(super) fn estimate_gas(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(4)?;
    let request: CallRequest = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    let state: Option<StateOverride> = params.optional(2)?;
    let block: Option<BlockOverrides> = params.optional(3)?;
    estimate(ctx, &request, id, state.as_ref(), block.as_ref()).map(Answer::quantity)
}

/// The estimate; eth_fillTransaction and eth_sendTransaction use it too.
///
/// # Errors
/// The transaction reverts or fails with all the gas it may have; geth's messages.
pub(crate) fn estimate(
    ctx: &Arc<Context>,
    request: &CallRequest,
    id: BlockId,
    state: Option<&StateOverride>,
    block: Option<&BlockOverrides>,
) -> Result<u64, RpcError> {
    request.check(ctx.params.chain.evm_chain_id)?;
    let stage = Stage::new(ctx, id, state, block)?;
    let tx = tx_env(request, 0, 0, ctx.params.chain.evm_chain_id);
    Search { stage, tx, deadline: Deadline::start(ctx) }.least(request.gas)
}

/// How one attempt went.
enum Attempt {
    /// It succeeded, using this much: gas that the receipt would say, and gas before refunds.
    Success { used: u64, spent: u64 },
    /// More gas might help.
    OutOfGas,
    /// More gas will not help.
    Reverted(Bytes),
    /// More gas will not help.
    Halted(HaltReason),
}

struct Search<'c> {
    stage: Stage<'c>,
    tx: TxEnv,
    deadline: Deadline,
}

impl Search<'_> {
    fn least(&mut self, asked: Option<u64>) -> Result<u64, RpcError> {
        let most = self.most(asked)?;
        if self.is_plain_transfer()? && matches!(self.attempt(TRANSFER_GAS), Ok(Attempt::Success { .. })) {
            return Ok(TRANSFER_GAS);
        }
        let (used, spent) = match self.attempt(most)? {
            Attempt::Success { used, spent } => (used, spent),
            Attempt::OutOfGas => {
                return Err(RpcError::server(format!("gas required exceeds allowance ({most})")));
            }
            Attempt::Reverted(data) => return Err(reverted(&data)),
            Attempt::Halted(reason) => return Err(RpcError::server(halt_message(&reason))),
        };
        self.bisect(used, spent, most)
    }

    /// The most gas that the transaction may have: what was asked for, or the block's limit, or the cap of EIP-7825, or
    /// what the sender can pay, or the node's limit; whichever is least.
    fn most(&mut self, asked: Option<u64>) -> Result<u64, RpcError> {
        let most =
            asked.filter(|gas| *gas >= TRANSFER_GAS).unwrap_or(self.stage.env.gas_limit).min(TX_GAS_CAP);
        Ok(self.affordable()?.map_or(most, |gas| most.min(gas)).min(self.stage.ctx.limits.call_gas))
    }

    /// What the sender can pay for at its fee cap; `None` where gas is free.
    fn affordable(&mut self) -> Result<Option<u64>, RpcError> {
        if self.tx.gas_price == 0 {
            return Ok(None);
        }
        let sender = self.stage.db.basic(self.tx.caller).map_err(RpcError::internal)?;
        let balance = sender.unwrap_or_default().balance;
        let left = balance.checked_sub(self.tx.value).filter(|left| !left.is_zero());
        let left = left.ok_or_else(|| RpcError::server("insufficient funds for transfer"))?;
        Ok(u64::try_from(left / U256::from(self.tx.gas_price)).ok())
    }

    fn is_plain_transfer(&mut self) -> Result<bool, RpcError> {
        let Some(to) = self.tx.kind.into_to() else { return Ok(false) };
        if !self.tx.data.is_empty() {
            return Ok(false);
        }
        let receiver = self.stage.db.basic(to).map_err(RpcError::internal)?;
        Ok(receiver.is_none_or(|account| account.is_empty_code_hash()))
    }

    /// Halves the range between a limit that fails and one that succeeds.
    fn bisect(&mut self, used: u64, spent: u64, most: u64) -> Result<u64, RpcError> {
        // What an execution used bounds the limit from below.
        let (mut fails, mut succeeds) = (used.saturating_sub(1), most);
        // What it spent before refunds, plus what calls keep back (EIP-150), succeeds most times.
        let guess = u128::from(spent.saturating_add(CALL_STIPEND)) * 64 / 63;
        if let Ok(guess) = u64::try_from(guess)
            && guess < succeeds
        {
            self.narrow(guess, &mut fails, &mut succeeds)?;
        }
        while fails.saturating_add(1) < succeeds {
            let width = u128::from(succeeds - fails);
            if width * TOLERANCE.1 < u128::from(succeeds) * TOLERANCE.0 {
                break;
            }
            self.deadline.check()?;
            // Most transactions need little more than they used: look low first.
            let middle = (fails + (succeeds - fails) / 2).min(fails.saturating_mul(2).max(1));
            self.narrow(middle, &mut fails, &mut succeeds)?;
        }
        Ok(succeeds)
    }

    fn narrow(&mut self, gas: u64, fails: &mut u64, succeeds: &mut u64) -> Result<(), RpcError> {
        match self.attempt(gas)? {
            Attempt::Success { .. } => *succeeds = gas,
            _ => *fails = gas,
        }
        Ok(())
    }

    fn attempt(&mut self, gas: u64) -> Result<Attempt, RpcError> {
        self.tx.gas_limit = gas;
        match self.stage.run(self.tx.clone()) {
            Ok(ExecutionResult::Success { gas, .. }) => Ok(Attempt::Success {
                used: gas.tx_gas_used(),
                spent: gas.total_gas_spent().max(gas.floor_gas()),
            }),
            Ok(ExecutionResult::Revert { output, .. }) => Ok(Attempt::Reverted(output)),
            Ok(ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. }) => Ok(Attempt::OutOfGas),
            Ok(ExecutionResult::Halt { reason, .. }) => Ok(Attempt::Halted(reason)),
            Err(Refused::Invalid { reason, .. }) if needs_gas(&reason) => Ok(Attempt::OutOfGas),
            Err(Refused::Invalid { reason, tx, base_fee }) => Err(RpcError::server(format!(
                "failed with {gas} gas: {}",
                invalid_message(&reason, &tx, base_fee)
            ))),
            Err(Refused::Fault(error)) => Err(error),
        }
    }
}

/// True where a higher gas limit would make the transaction valid.
fn needs_gas(reason: &InvalidTransaction) -> bool {
    matches!(
        reason,
        InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
            | InvalidTransaction::GasFloorMoreThanGasLimit { .. }
    )
}
