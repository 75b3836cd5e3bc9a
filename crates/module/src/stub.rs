//! The code that a module's account carries.

use alloy_primitives::{Bytes, hex};
use alloy_sol_types::SolError;

use crate::error::NativeModule;

/// Bytecode that reverts with `NativeModule()`. CHLOM's EVM never runs it for a call of the module: the code is there so
/// that EXTCODESIZE is not zero (Solidity checks it before a call), so that the account is never empty (EIP-161 would
/// remove it, and its storage with it), and so that any other EVM says plainly what is missing.
pub fn stub_code() -> Bytes {
    let [a, b, c, d] = NativeModule::SELECTOR;
    let mut code = vec![0x63, a, b, c, d]; // PUSH4 selector
    // PUSH1 224 SHL PUSH0 MSTORE PUSH1 4 PUSH0 REVERT
    code.extend_from_slice(&hex!("60e01b5f5260045ffd"));
    code.into()
}
