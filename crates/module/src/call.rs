//! Decoding of call data into the calls of a module's Solidity interface.

use alloy_primitives::FixedBytes;
use alloy_sol_types::SolInterface;

use crate::error::{MalformedInput, ModuleError, UnknownSelector};

/// The first four bytes of call data, zero where there are fewer.
pub fn selector(input: &[u8]) -> [u8; 4] {
    input.first_chunk().copied().unwrap_or_default()
}

/// Decodes call data into one of the interface's calls; arguments must be their canonical ABI encoding, so that one call
/// has one encoding and nothing hides in the padding.
///
/// # Errors
/// Reverts with `UnknownSelector(…)` or `MalformedInput(…)`.
pub fn decode<I: SolInterface>(input: &[u8]) -> Result<I, ModuleError> {
    let selector = selector(input);
    if input.len() < 4 || !I::valid_selector(selector) {
        return Err(ModuleError::revert(&UnknownSelector { selector: FixedBytes(selector) }));
    }
    I::abi_decode_validate(input)
        .map_err(|_| ModuleError::revert(&MalformedInput { selector: FixedBytes(selector) }))
}
