//! The three ways for a call of a module to fail, and the reverts that all modules share.

use alloy_primitives::Bytes;
use alloy_sol_types::{SolError, sol};
use chlom_state::StateError;

sol! {
    /// The account's code ran instead of the module: the executing EVM is not CHLOM's (forge simulates in its own), or
    /// the account was reached through an EIP-7702 delegation.
    #[derive(Debug, PartialEq, Eq)]
    error NativeModule();
    /// The module has no function with this selector; zero when the call data has fewer than four bytes.
    #[derive(Debug, PartialEq, Eq)]
    error UnknownSelector(bytes4 selector);
    /// The arguments are not the ABI encoding of what the selector names.
    #[derive(Debug, PartialEq, Eq)]
    error MalformedInput(bytes4 selector);
    /// The function takes no value.
    #[derive(Debug, PartialEq, Eq)]
    error NotPayable(bytes4 selector, uint256 value);
    /// The call is static and the function would have written.
    #[derive(Debug, PartialEq, Eq)]
    error StaticCall();
    /// A module runs on its own storage only: DELEGATECALL and CALLCODE are refused.
    #[derive(Debug, PartialEq, Eq)]
    error DelegateCall();
    /// The module's account holds less than it was to pay.
    #[derive(Debug, PartialEq, Eq)]
    error InsufficientBalance(uint256 available, uint256 needed);
    /// The receiver's balance would exceed 2²⁵⁶ − 1 wei.
    #[derive(Debug, PartialEq, Eq)]
    error BalanceOverflow(address receiver);
}

/// Why a module's call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// The caller's fault: the frame reverts, and the bytes (an ABI-encoded custom error) are its return data.
    #[error("reverted with {0}")]
    Revert(Bytes),
    /// The frame's gas is used up: all of it is taken, as from a contract.
    #[error("out of gas")]
    OutOfGas,
    /// Below the state: execution aborts and the node halts.
    #[error(transparent)]
    Fatal(#[from] StateError),
}

impl ModuleError {
    /// A revert with a custom error of a module's Solidity interface.
    pub fn revert<E: SolError>(error: &E) -> Self {
        Self::Revert(error.abi_encode().into())
    }
}
