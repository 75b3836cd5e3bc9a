//! A context on plain maps, for tests of modules without an EVM.

use std::collections::BTreeMap;

use alloy_primitives::{Address, LogData, U256};

use crate::{
    context::{BlockInfo, ModuleContext},
    error::{BalanceOverflow, InsufficientBalance, ModuleError, StaticCall},
    module::SystemModule,
    storage::MapStorage,
};
use alloy_primitives::Bytes;

/// What a module sees, in public fields. Storage costs no gas here: what the EVM charges is the adapter's business and is
/// tested there.
#[derive(Clone, Debug, Default)]
pub struct MemoryContext {
    /// The module's account.
    pub address: Address,
    /// Who calls.
    pub caller: Address,
    /// Wei sent with the call.
    pub value: U256,
    /// Refuse writes.
    pub is_static: bool,
    /// The block.
    pub block: BlockInfo,
    /// Gas left.
    pub gas: u64,
    /// The module's storage.
    pub storage: MapStorage,
    /// What it emitted.
    pub logs: Vec<LogData>,
    /// All balances, the module's own among them.
    pub balances: BTreeMap<Address, U256>,
}

impl MemoryContext {
    /// An empty state, a call to `address` with plenty of gas.
    pub fn new(address: Address) -> Self {
        Self { address, gas: u64::MAX, ..Self::default() }
    }

    /// Calls a module as the adapter does: with its refusal of value, and undoing everything when the call fails.
    ///
    /// # Errors
    /// Those of the module.
    pub fn call(&mut self, module: &dyn SystemModule, input: &[u8]) -> Result<Bytes, ModuleError> {
        let selector = crate::call::selector(input);
        if !self.value.is_zero() && !module.is_payable(selector) {
            let value = self.value;
            return Err(ModuleError::revert(&crate::error::NotPayable { selector: selector.into(), value }));
        }
        let before = (self.storage.clone(), self.logs.clone(), self.balances.clone());
        let result = module.call(self, input);
        if result.is_err() {
            (self.storage, self.logs, self.balances) = before;
        }
        result
    }

    fn refuse_static(&self) -> Result<(), ModuleError> {
        if self.is_static { Err(ModuleError::revert(&StaticCall {})) } else { Ok(()) }
    }

    fn balance_of(&self, address: &Address) -> U256 {
        self.balances.get(address).copied().unwrap_or_default()
    }
}

impl ModuleContext for MemoryContext {
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
        self.gas
    }
    fn charge(&mut self, gas: u64) -> Result<(), ModuleError> {
        self.gas = self.gas.checked_sub(gas).ok_or(ModuleError::OutOfGas)?;
        Ok(())
    }
    fn load(&mut self, slot: U256) -> Result<U256, ModuleError> {
        Ok(crate::storage::Load::load(&mut self.storage, slot)?)
    }
    fn store(&mut self, slot: U256, value: U256) -> Result<(), ModuleError> {
        self.refuse_static()?;
        Ok(crate::storage::Store::store(&mut self.storage, slot, value)?)
    }
    fn emit_log(&mut self, log: LogData) -> Result<(), ModuleError> {
        self.refuse_static()?;
        self.logs.push(log);
        Ok(())
    }
    fn balance(&mut self) -> Result<U256, ModuleError> {
        Ok(self.balance_of(&self.address))
    }
    fn transfer(&mut self, to: Address, amount: U256) -> Result<(), ModuleError> {
        self.refuse_static()?;
        let available = self.balance_of(&self.address);
        let Some(left) = available.checked_sub(amount) else {
            return Err(ModuleError::revert(&InsufficientBalance { available, needed: amount }));
        };
        if to == self.address {
            return Ok(());
        }
        let Some(received) = self.balance_of(&to).checked_add(amount) else {
            return Err(ModuleError::revert(&BalanceOverflow { receiver: to }));
        };
        self.balances.insert(self.address, left);
        self.balances.insert(to, received);
        Ok(())
    }
}
