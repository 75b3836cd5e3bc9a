//! What a call of a module costs beside storage, logs and transfers, which cost what they cost a contract.

use crate::{context::ModuleContext, error::ModuleError};

/// Gas of any call: the selector's dispatch, about what a Solidity contract of some functions spends before its body.
pub const CALL_BASE: u64 = 200;

/// Gas for each 32-byte word of call data: reading and checking it (CALLDATALOAD, a bound and a copy in Solidity).
pub const PER_INPUT_WORD: u64 = 12;

/// Gas for each 32-byte word of return data: writing it (MSTORE and the memory's growth in Solidity).
pub const PER_OUTPUT_WORD: u64 = 6;

fn words(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(32)).unwrap_or(u64::MAX)
}

/// Charges for the dispatch and the call data, before either is looked at.
///
/// # Errors
/// [`ModuleError::OutOfGas`].
pub fn charge_input(ctx: &mut dyn ModuleContext, bytes: usize) -> Result<(), ModuleError> {
    ctx.charge(words(bytes).saturating_mul(PER_INPUT_WORD).saturating_add(CALL_BASE))
}

/// Charges for the return data.
///
/// # Errors
/// [`ModuleError::OutOfGas`].
pub fn charge_output(ctx: &mut dyn ModuleContext, bytes: usize) -> Result<(), ModuleError> {
    ctx.charge(words(bytes).saturating_mul(PER_OUTPUT_WORD))
}
