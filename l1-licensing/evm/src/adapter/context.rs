//! What a module sees of the EVM.

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256};
use chlom_module::{
    BlockInfo, ModuleContext, ModuleError,
    error::{BalanceOverflow, InsufficientBalance, StaticCall},
};
use chlom_state::StateError;
use revm::{
    Database,
    context::{Block, Cfg, ContextTr, JournalTr},
    context_interface::{
        cfg::GasParams,
        context::ContextError,
        journaled_state::{JournalLoadError, TransferError},
    },
    interpreter::{CallInputs, Gas},
};

/// Gas of reading one's own balance, as SELFBALANCE (EIP-1884).
const SELF_BALANCE: u64 = 5;

/// A [`ModuleContext`] on revm's journal, for one call.
pub(super) struct AdapterContext<'a, CTX> {
    ctx: &'a mut CTX,
    gas: Gas,
    address: Address,
    caller: Address,
    value: U256,
    is_static: bool,
    block: BlockInfo,
    /// The first fault that the module was told of. It may not talk its way out.
    fault: Option<ModuleError>,
}

type DbErrorOf<CTX> = <<CTX as ContextTr>::Db as Database>::Error;

fn block_info<CTX: ContextTr>(ctx: &CTX) -> BlockInfo {
    let block = ctx.block();
    BlockInfo {
        height: block.number().saturating_to(),
        timestamp: block.timestamp().saturating_to(),
        mix: block.prevrandao().unwrap_or(B256::ZERO),
        chain_id: ctx.cfg().chain_id(),
        beneficiary: block.beneficiary(),
    }
}

impl<'a, CTX: ContextTr> AdapterContext<'a, CTX> {
    /// For a frame. The journal has loaded the called account and moved the value.
    pub(super) fn for_call(ctx: &'a mut CTX, inputs: &CallInputs) -> Self {
        let gas = Gas::new_with_regular_gas_and_reservoir(inputs.gas_limit, inputs.reservoir);
        Self {
            block: block_info(ctx),
            ctx,
            gas,
            address: inputs.target_address,
            caller: inputs.caller,
            value: inputs.value.get(),
            is_static: inputs.is_static,
            fault: None,
        }
    }

    /// For a hook of the host: unmetered, from the system address. The journal has loaded the account.
    pub(super) fn for_hook(ctx: &'a mut CTX, address: Address, caller: Address) -> Self {
        Self {
            block: block_info(ctx),
            ctx,
            gas: Gas::new(u64::MAX),
            address,
            caller,
            value: U256::ZERO,
            is_static: false,
            fault: None,
        }
    }

    /// The call's true end, and its gas.
    pub(super) fn finish(self, answer: Result<Bytes, ModuleError>) -> (Result<Bytes, ModuleError>, Gas) {
        (self.fault.map_or(answer, Err), self.gas)
    }

    fn gas_params(&self) -> &GasParams {
        self.ctx.cfg().gas_params()
    }

    fn out_of_gas(&mut self) -> ModuleError {
        self.stick(ModuleError::OutOfGas)
    }

    fn stick(&mut self, fault: ModuleError) -> ModuleError {
        self.fault.get_or_insert(fault).clone()
    }

    /// Keeps the database's own error for revm, and its words for the module.
    fn database_fault(&mut self, error: DbErrorOf<CTX>) -> ModuleError {
        let fault = ModuleError::Fatal(StateError::Backend(error.to_string()));
        *self.ctx.error() = Err(ContextError::Db(error));
        self.stick(fault)
    }

    fn load_fault(&mut self, error: JournalLoadError<DbErrorOf<CTX>>) -> ModuleError {
        match error {
            JournalLoadError::DBError(error) => self.database_fault(error),
            // The journal did not read because the gas would not have paid for it.
            JournalLoadError::ColdLoadSkipped => self.out_of_gas(),
        }
    }

    fn refuse_static(&self) -> Result<(), ModuleError> {
        if self.is_static { Err(ModuleError::revert(&StaticCall {})) } else { Ok(()) }
    }

    /// Charges as CALL does for its target: cold or warm, value, and an account that begins to exist.
    fn charge_transfer(&mut self, to: Address) -> Result<(), ModuleError> {
        let params = self.gas_params();
        let (warm, value) = (params.warm_storage_read_cost(), params.transfer_value_cost());
        let cold = params.cold_account_additional_cost();
        let new_account = params.new_account_cost(true, true);
        self.charge(warm.saturating_add(value))?;
        let skip_cold_load = self.gas.remaining() < cold;
        let load = self.ctx.journal_mut().load_account_info_skip_cold_load(to, false, skip_cold_load);
        let (is_cold, is_empty) = match load {
            Ok(load) => (load.is_cold, load.is_empty),
            Err(error) => return Err(self.load_fault(error)),
        };
        if is_cold {
            self.charge(cold)?;
        }
        if is_empty { self.charge(new_account) } else { Ok(()) }
    }
}

impl<CTX: ContextTr> ModuleContext for AdapterContext<'_, CTX> {
    fn address(&self) -> Address {
        self.address
    }
    fn caller(&self) -> Address {
        self.caller
    }
    fn value(&self) -> U256 {
        self.value
    }
    fn is_static(&self) -> bool {
        self.is_static
    }
    fn block(&self) -> &BlockInfo {
        &self.block
    }
    fn gas_left(&self) -> u64 {
        self.gas.remaining()
    }

    fn charge(&mut self, gas: u64) -> Result<(), ModuleError> {
        if self.fault.is_none() && self.gas.record_regular_cost(gas) {
            Ok(())
        } else {
            Err(self.out_of_gas())
        }
    }

    fn load(&mut self, slot: U256) -> Result<U256, ModuleError> {
        let params = self.gas_params();
        let (warm, cold) = (params.warm_storage_read_cost(), params.cold_storage_additional_cost());
        self.charge(warm)?;
        let skip_cold_load = self.gas.remaining() < cold;
        match self.ctx.journal_mut().sload_skip_cold_load(self.address, slot, skip_cold_load) {
            Ok(load) => {
                if load.is_cold {
                    self.charge(cold)?;
                }
                Ok(load.data)
            }
            Err(error) => Err(self.load_fault(error)),
        }
    }

    fn store(&mut self, slot: U256, value: U256) -> Result<(), ModuleError> {
        self.refuse_static()?;
        let params = self.gas_params();
        let (stipend, fixed, cold) =
            (params.call_stipend(), params.sstore_static_gas(), params.cold_storage_cost());
        // EIP-2200: no store on a stipend.
        if self.gas.remaining() <= stipend {
            return Err(self.out_of_gas());
        }
        self.charge(fixed)?;
        let skip_cold_load = self.gas.remaining() < cold;
        let stored = self.ctx.journal_mut().sstore_skip_cold_load(self.address, slot, value, skip_cold_load);
        match stored {
            Ok(stored) => {
                let params = self.gas_params();
                let gas = params.sstore_dynamic_gas(true, &stored.data, stored.is_cold);
                let refund = params.sstore_refund(true, &stored.data);
                self.charge(gas)?;
                self.gas.record_refund(refund);
                Ok(())
            }
            Err(error) => Err(self.load_fault(error)),
        }
    }

    fn emit_log(&mut self, log: LogData) -> Result<(), ModuleError> {
        self.refuse_static()?;
        let topics = u8::try_from(log.topics().len()).unwrap_or(u8::MAX);
        let bytes = u64::try_from(log.data.len()).unwrap_or(u64::MAX);
        let gas = self.gas_params().log_cost(topics, bytes);
        self.charge(gas)?;
        self.ctx.journal_mut().log(Log { address: self.address, data: log });
        Ok(())
    }

    fn balance(&mut self) -> Result<U256, ModuleError> {
        self.charge(SELF_BALANCE)?;
        match self.ctx.journal_mut().load_account(self.address) {
            Ok(load) => Ok(load.data.info.balance),
            Err(error) => Err(self.database_fault(error)),
        }
    }

    fn transfer(&mut self, to: Address, amount: U256) -> Result<(), ModuleError> {
        self.refuse_static()?;
        if amount.is_zero() {
            return Ok(());
        }
        self.charge_transfer(to)?;
        let available = self.balance()?;
        match self.ctx.journal_mut().transfer(self.address, to, amount) {
            Ok(None) => Ok(()),
            Ok(Some(TransferError::OutOfFunds)) => {
                Err(ModuleError::revert(&InsufficientBalance { available, needed: amount }))
            }
            Ok(Some(_)) => Err(ModuleError::revert(&BalanceOverflow { receiver: to })),
            Err(error) => Err(self.database_fault(error)),
        }
    }
}
