//! What a transaction must fulfil, in the order in which geth asks, so that a transaction with two faults gets the same
//! answer.

use std::sync::Arc;

use alloy_consensus::{Transaction, Typed2718};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use chlom_primitives::{Tx, tx::MAX_TX_BYTES};
use chlom_state::{Account, StateReader};

use crate::{
    config::{MAX_INITCODE_BYTES, PoolConfig, PoolEnv, TX_GAS_CAP},
    error::AddError,
    gas::intrinsic_gas,
    price::Price,
};

/// Memory that a transaction takes besides twice its encoding (once raw, once decoded), bytes: its structures and its
/// share of the pool's indices.
const FIXED_BYTES: usize = 1_024;

/// First bytes of an account's code when it only delegates (EIP-7702), and its length.
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];
const DELEGATION_BYTES: usize = 23;

/// A transaction that passed everything which needs no state.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) tx: Arc<Tx>,
    pub(crate) hash: B256,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) price: Price,
    /// Wei that it may cost at most: gas limit × fee cap + value; saturates, and then nobody can pay.
    pub(crate) cost: U256,
    /// Estimated memory, bytes.
    pub(crate) weight: usize,
}

/// Checks everything that needs no state.
pub(crate) fn check(tx: Arc<Tx>, env: &PoolEnv, config: &PoolConfig) -> Result<Checked, AddError> {
    let price =
        Price { fee_cap: tx.envelope().max_fee_per_gas(), tip_cap: tx.envelope().priority_fee_or_price() };
    check_shape(&tx, env)?;
    check_signature_scope(&tx, price, env, config)?;
    check_gas(&tx)?;
    let least = config.min_fee_cap_wei.unwrap_or_else(|| env.min_base_fee.into());
    if price.fee_cap < least {
        return Err(AddError::FeeCapTooLow { fee_cap: price.fee_cap, needed: least });
    }
    if price.tip_cap < config.min_tip_wei {
        return Err(AddError::TipTooLow { tip_cap: price.tip_cap, needed: config.min_tip_wei });
    }
    if tx.envelope().is_eip7702() && tx.envelope().authorization_list().is_none_or(<[_]>::is_empty) {
        return Err(AddError::NoAuthorizations);
    }
    let gas_cost = U256::from(tx.envelope().gas_limit()) * U256::from(price.fee_cap);
    Ok(Checked {
        hash: tx.hash(),
        sender: tx.sender(),
        nonce: tx.nonce(),
        price,
        cost: gas_cost.saturating_add(tx.envelope().value()),
        weight: 2 * tx.raw().len() + recovered_bytes(&tx) + FIXED_BYTES,
        tx,
    })
}

/// Authorizations that carry their authorities are held once more.
fn recovered_bytes(tx: &Tx) -> usize {
    tx.authorizations().map_or(0, std::mem::size_of_val)
}

fn check_shape(tx: &Tx, env: &PoolEnv) -> Result<(), AddError> {
    let envelope = tx.envelope();
    if envelope.is_eip4844() {
        return Err(AddError::UnsupportedType { ty: envelope.ty() });
    }
    if tx.raw().len() > MAX_TX_BYTES {
        return Err(AddError::Oversized { size: tx.raw().len(), limit: MAX_TX_BYTES });
    }
    if envelope.is_create() && envelope.input().len() > MAX_INITCODE_BYTES {
        return Err(AddError::InitcodeTooLarge { size: envelope.input().len(), limit: MAX_INITCODE_BYTES });
    }
    let gas = envelope.gas_limit();
    if gas > TX_GAS_CAP {
        return Err(AddError::GasLimitTooHigh { cap: TX_GAS_CAP, gas });
    }
    if gas > env.block_gas_limit {
        return Err(AddError::ExceedsBlockGasLimit { limit: env.block_gas_limit, gas });
    }
    Ok(())
}

fn check_signature_scope(tx: &Tx, price: Price, env: &PoolEnv, config: &PoolConfig) -> Result<(), AddError> {
    let Price { fee_cap, tip_cap } = price;
    if tip_cap > fee_cap {
        return Err(AddError::TipAboveFeeCap { sender: tx.sender(), tip_cap, fee_cap });
    }
    match tx.envelope().chain_id() {
        Some(have) if have != env.chain_id => {
            return Err(AddError::ChainId { have, want: env.chain_id });
        }
        None if !config.allow_unprotected => return Err(AddError::Unprotected),
        _ => {}
    }
    if tx.nonce() == u64::MAX {
        return Err(AddError::NonceMax);
    }
    Ok(())
}

fn check_gas(tx: &Tx) -> Result<(), AddError> {
    let gas = tx.envelope().gas_limit();
    let least = intrinsic_gas(tx.envelope());
    if gas < least.intrinsic {
        return Err(AddError::IntrinsicGas { gas, needed: least.intrinsic });
    }
    if gas < least.floor {
        return Err(AddError::FloorGas { gas, needed: least.floor });
    }
    Ok(())
}

/// Reads the sender's account and refuses one with code of its own (EIP-3607).
pub(crate) fn read_sender(sender: &Address, state: &dyn StateReader) -> Result<Account, AddError> {
    let account = state.account(sender)?.unwrap_or_default();
    if account.code_hash != KECCAK256_EMPTY {
        let code = state.code(&account.code_hash)?;
        if code.len() != DELEGATION_BYTES || !code.starts_with(&DELEGATION) {
            return Err(AddError::SenderNotEoa { sender: *sender, code_size: code.len() });
        }
    }
    Ok(account)
}
