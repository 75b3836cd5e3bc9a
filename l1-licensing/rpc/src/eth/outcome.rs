//! What callers are told when execution does not succeed, in geth's words.

use alloy_primitives::{Bytes, U256};
use revm::context::{
    TxEnv,
    result::{ExecutionResult, HaltReason, InvalidTransaction},
};

use crate::error::{REVERTED, RpcError};

/// `Error(string)`
const ERROR_SELECTOR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// `Panic(uint256)`
const PANIC_SELECTOR: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// Return data, or why there is none: a revert is code 3 with the data, a halt is its name.
///
/// # Errors
/// As said.
pub(crate) fn output(result: ExecutionResult) -> Result<Bytes, RpcError> {
    match result {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        ExecutionResult::Revert { output, .. } => Err(reverted(&output)),
        ExecutionResult::Halt { reason, .. } => Err(RpcError::server(halt_message(&reason))),
    }
}

/// A revert as an error with its data.
pub(crate) fn reverted(data: &Bytes) -> RpcError {
    RpcError::new(REVERTED, revert_message(data)).with_hex(data)
}

/// `execution reverted`, with the reason where the data says one.
pub(crate) fn revert_message(data: &[u8]) -> String {
    match revert_reason(data) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".into(),
    }
}

/// What Solidity's `Error(string)` and `Panic(uint256)` say.
fn revert_reason(data: &[u8]) -> Option<String> {
    let (selector, arguments) = data.split_first_chunk::<4>()?;
    match *selector {
        ERROR_SELECTOR => {
            let offset = word_at(arguments, 0)?;
            let length = word_at(arguments, offset)?;
            let start = offset.checked_add(32)?;
            let text = arguments.get(start..start.checked_add(length)?)?;
            Some(String::from_utf8_lossy(text).into_owned())
        }
        PANIC_SELECTOR => {
            let code = U256::from_be_slice(arguments.get(..32)?);
            Some(panic_reason(code))
        }
        _ => None,
    }
}

fn word_at(data: &[u8], offset: usize) -> Option<usize> {
    let word = data.get(offset..offset.checked_add(32)?)?;
    usize::try_from(U256::from_be_slice(word)).ok()
}

fn panic_reason(code: U256) -> String {
    let name = match u8::try_from(code).unwrap_or(u8::MAX) {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => return format!("unknown panic code: {code:#x}"),
    };
    name.into()
}

/// Why the EVM stopped, in geth's words.
pub(crate) fn halt_message(reason: &HaltReason) -> String {
    match reason {
        HaltReason::OutOfGas(_) => "out of gas",
        HaltReason::OpcodeNotFound | HaltReason::NotActivated => "invalid opcode",
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID",
        HaltReason::InvalidJump => "invalid jump destination",
        HaltReason::StackUnderflow => "stack underflow",
        HaltReason::StackOverflow => "stack limit reached 1024 (1023)",
        HaltReason::OutOfOffset => "return data out of bounds",
        HaltReason::CreateCollision => "contract address collision",
        HaltReason::NonceOverflow => "nonce uint64 overflow",
        HaltReason::CreateContractSizeLimit => "max code size exceeded",
        HaltReason::CreateContractStartingWithEF => "invalid code: must not begin with 0xef",
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded",
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            "write protection"
        }
        HaltReason::OutOfFunds | HaltReason::OverflowPayment => "insufficient balance for transfer",
        HaltReason::CallTooDeep => "max call depth exceeded",
        HaltReason::PrecompileError => "precompile failed",
        HaltReason::PrecompileErrorWithContext(what) => return what.clone(),
    }
    .into()
}

/// Why a transaction cannot be executed, in geth's words.
pub(crate) fn invalid_message(reason: &InvalidTransaction, tx: &TxEnv, base_fee: u64) -> String {
    use InvalidTransaction as Invalid;
    let sender = tx.caller;
    match reason {
        Invalid::NonceTooLow { tx, state } => {
            format!("nonce too low: address {sender}, tx: {tx} state: {state}")
        }
        Invalid::NonceTooHigh { tx, state } => {
            format!("nonce too high: address {sender}, tx: {tx} state: {state}")
        }
        Invalid::NonceOverflowInTransaction => {
            format!("nonce has max value: address {sender}, nonce: {}", tx.nonce)
        }
        Invalid::LackOfFundForMaxFee { fee, balance } => {
            format!("insufficient funds for gas * price + value: address {sender} have {balance} want {fee}")
        }
        Invalid::OverflowPaymentInTransaction => {
            format!(
                "insufficient funds for gas * price + value: address {sender} required balance exceeds 256 bits"
            )
        }
        Invalid::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}")
        }
        Invalid::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            format!("insufficient gas for floor data gas cost: have {gas_limit}, want {gas_floor}")
        }
        Invalid::PriorityFeeGreaterThanMaxFee => format!(
            "max priority fee per gas higher than max fee per gas: address {sender}, maxPriorityFeePerGas: {}, maxFeePerGas: {}",
            tx.gas_priority_fee.unwrap_or_default(),
            tx.gas_price
        ),
        Invalid::GasPriceLessThanBasefee => format!(
            "max fee per gas less than block base fee: address {sender}, maxFeePerGas: {}, baseFee: {base_fee}",
            tx.gas_price
        ),
        Invalid::TxGasLimitGreaterThanCap { gas_limit, cap } => {
            format!("transaction gas limit too high (cap: {cap}, tx: {gas_limit})")
        }
        Invalid::CallerGasLimitMoreThanBlock => "gas limit reached".into(),
        Invalid::RejectCallerWithCode => format!("sender not an eoa: address {sender}"),
        Invalid::CreateInitCodeSizeLimit => {
            format!("max initcode size exceeded: code size {} limit {}", tx.data.len(), MAX_INITCODE)
        }
        Invalid::EmptyAuthorizationList => {
            format!("EIP-7702 transaction with empty auth list (sender {sender})")
        }
        Invalid::AuthorizationListInvalidFields => {
            format!("EIP-7702 transaction cannot be used to create contract (sender {sender})")
        }
        other => other.to_string(),
    }
}

/// EIP-3860.
const MAX_INITCODE: usize = 2 * 24_576;

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;

    fn abi_error(text: &str) -> Vec<u8> {
        let mut data = ERROR_SELECTOR.to_vec();
        data.extend(U256::from(32).to_be_bytes::<32>());
        data.extend(U256::from(text.len()).to_be_bytes::<32>());
        data.extend(text.as_bytes());
        data.resize(data.len().next_multiple_of(32) + 4, 0);
        data
    }

    #[test]
    fn reverts_tell_their_reason_and_carry_their_data() {
        let data: Bytes = abi_error("not yours").into();
        let error = reverted(&data);
        assert_eq!((error.code, error.message.as_str()), (3, "execution reverted: not yours"));
        assert_eq!(error.data.unwrap().get(), format!("\"0x{}\"", hex::encode(&data)));
        let overflow = [PANIC_SELECTOR.to_vec(), U256::from(0x11).to_be_bytes::<32>().to_vec()].concat();
        assert_eq!(revert_message(&overflow), "execution reverted: arithmetic underflow or overflow");
        let strange = [PANIC_SELECTOR.to_vec(), U256::from(0x77).to_be_bytes::<32>().to_vec()].concat();
        assert_eq!(revert_message(&strange), "execution reverted: unknown panic code: 0x77");
    }

    #[test]
    fn reverts_that_say_nothing_readable_are_plain() {
        let endless = [&ERROR_SELECTOR[..], &U256::MAX.to_be_bytes::<32>()].concat();
        let short =
            [&ERROR_SELECTOR[..], &U256::from(32).to_be_bytes::<32>(), &U256::from(99).to_be_bytes::<32>()]
                .concat();
        for data in
            [&[][..], &[1, 2, 3], &[1, 2, 3, 4, 5], &ERROR_SELECTOR, &PANIC_SELECTOR, &endless, &short]
        {
            assert_eq!(revert_message(data), "execution reverted");
        }
    }
}
