//! Everything that a module may see or do.

use alloy_primitives::{Address, B256, LogData, U256};
use alloy_sol_types::SolEvent;

use crate::error::ModuleError;

/// The block that a call executes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockInfo {
    /// Position in the chain.
    pub height: u64,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// The beacon's mix (`prevrandao`).
    pub mix: B256,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The proposer's account.
    pub beneficiary: Address,
}

/// What a module may see and do during one call. Storage and balance are those of the module's own account; every
/// operation charges the gas that the EVM would charge a contract for it. A fault sticks: once a method has answered
/// [`ModuleError::OutOfGas`] or [`ModuleError::Fatal`], the call fails so whatever the module returns.
pub trait ModuleContext {
    /// The module's account.
    fn address(&self) -> Address;

    /// Who called: a contract, an account, or the system address in block hooks.
    fn caller(&self) -> Address;

    /// Wei sent with the call. They are already in the module's balance, and go back when it fails.
    fn value(&self) -> U256;

    /// True when nothing may be written.
    fn is_static(&self) -> bool;

    /// The block.
    fn block(&self) -> &BlockInfo;

    /// Gas left to this call.
    fn gas_left(&self) -> u64;

    /// Takes gas for work beside storage, logs and transfers, which charge for themselves.
    ///
    /// # Errors
    /// [`ModuleError::OutOfGas`].
    fn charge(&mut self, gas: u64) -> Result<(), ModuleError>;

    /// Reads a slot of the module's storage (EIP-2929: 100 gas warm, 2,100 cold).
    ///
    /// # Errors
    /// [`ModuleError::OutOfGas`] and [`ModuleError::Fatal`].
    fn load(&mut self, slot: U256) -> Result<U256, ModuleError>;

    /// Writes a slot of the module's storage (EIP-2200 with EIP-2929 and EIP-3529, refunds included).
    ///
    /// # Errors
    /// Reverts with `StaticCall()` in a static call; [`ModuleError::OutOfGas`] and [`ModuleError::Fatal`].
    fn store(&mut self, slot: U256, value: U256) -> Result<(), ModuleError>;

    /// Emits a log of the module's account (375 gas, 375 a topic, 8 a byte).
    ///
    /// # Errors
    /// Reverts with `StaticCall()` in a static call; [`ModuleError::OutOfGas`].
    fn emit_log(&mut self, log: LogData) -> Result<(), ModuleError>;

    /// Wei that the module's account holds.
    ///
    /// # Errors
    /// [`ModuleError::OutOfGas`] and [`ModuleError::Fatal`].
    fn balance(&mut self) -> Result<U256, ModuleError>;

    /// Moves wei from the module's account. No code of the receiver runs: money is pulled, never pushed into a contract's
    /// logic, so a module cannot be re-entered. Charged like a CALL with value.
    ///
    /// # Errors
    /// Reverts with `StaticCall()`, `InsufficientBalance(…)` or `BalanceOverflow(…)`; [`ModuleError::OutOfGas`] and
    /// [`ModuleError::Fatal`].
    fn transfer(&mut self, to: Address, amount: U256) -> Result<(), ModuleError>;
}

impl dyn ModuleContext + '_ {
    /// Emits an event of a module's Solidity interface.
    ///
    /// # Errors
    /// Those of [`ModuleContext::emit_log`].
    pub fn emit<E: SolEvent>(&mut self, event: &E) -> Result<(), ModuleError> {
        self.emit_log(event.encode_log_data())
    }
}
