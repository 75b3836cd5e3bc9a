//! eth_fillTransaction: a transaction object made complete; eth_sendTransaction and eth_signTransaction sign the result.

use std::sync::Arc;

use alloy_consensus::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy, TypedTransaction,
};
use alloy_eips::Encodable2718;
use alloy_primitives::{Signature, TxKind, U256};

use super::{
    account::pending_nonce, block_id::BlockId, estimate::estimate, fees::suggested_tip, json::Json,
    point::head, request::CallRequest, transaction_json::write_body,
};
use crate::{
    context::Context,
    dispatch::{Params, Reply},
    error::RpcError,
};

/// eth_fillTransaction: nonce, gas and fees are filled in; nothing is signed.
pub(super) fn fill_transaction(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let typed = fill(ctx, params.required(0)?)?;
    let unsigned = with_empty_signature(typed.clone());
    let mut json = Json::with_capacity(1024);
    json.open_object();
    json.key("raw").hex(&unsigned.encoded_2718());
    json.key("tx").open_object();
    write_body(&mut json, &typed, None);
    json.key("hash").hex(unsigned.tx_hash().as_slice());
    for name in ["v", "r", "s"] {
        json.key(name).quantity(0);
    }
    json.close_object();
    json.close_object();
    Ok(json.into())
}

/// A transaction under a signature of zeros: what simulations and previews hash.
pub(crate) fn with_empty_signature(typed: TypedTransaction) -> TxEnvelope {
    let nothing = Signature::new(U256::ZERO, U256::ZERO, false);
    match typed {
        TypedTransaction::Legacy(tx) => tx.into_signed(nothing).into(),
        TypedTransaction::Eip2930(tx) => tx.into_signed(nothing).into(),
        TypedTransaction::Eip1559(tx) => tx.into_signed(nothing).into(),
        TypedTransaction::Eip7702(tx) => tx.into_signed(nothing).into(),
        TypedTransaction::Eip4844(tx) => tx.into_signed(nothing).into(),
    }
}

/// Fills what the caller left open: fees from the pool's market, the nonce after all that wait, gas by estimate.
///
/// # Errors
/// Contradictions, with geth's messages; an estimate that fails.
pub(crate) fn fill(ctx: &Arc<Context>, mut request: CallRequest) -> Result<TypedTransaction, RpcError> {
    request.check(ctx.params.chain.evm_chain_id)?;
    check_creation(&request)?;
    fill_fees(ctx, &mut request)?;
    if request.nonce.is_none() {
        request.nonce = Some(pending_nonce(ctx, &request.sender())?);
    }
    if request.gas.is_none() {
        let unpriced = CallRequest { nonce: None, ..request.clone() };
        request.gas = Some(estimate(ctx, &unpriced, BlockId::default(), None, None)?);
    }
    let gas = request.gas.unwrap_or_default();
    let nonce = request.nonce.unwrap_or_default();
    typed(&request, gas, nonce, ctx.params.chain.evm_chain_id)
}

fn check_creation(request: &CallRequest) -> Result<(), RpcError> {
    if let (Some(data), Some(input)) = (&request.data, &request.input)
        && data != input
    {
        return Err(RpcError::server(
            "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data",
        ));
    }
    if request.to.is_none() {
        if request.calldata().is_empty() {
            return Err(RpcError::server("contract creation without any data provided"));
        }
        if request.authorization_list.as_ref().is_some_and(|list| !list.is_empty()) {
            return Err(RpcError::server(
                "authorizationList provided for contract creation, but \"to\" field is missing",
            ));
        }
    }
    Ok(())
}

/// geth's defaults: the suggested tip, and twice the base fee above it.
fn fill_fees(ctx: &Context, request: &mut CallRequest) -> Result<(), RpcError> {
    if let Some(price) = request.gas_price {
        if request.authorization_list.is_some() {
            return Err(RpcError::server("both gasPrice and authorizationList specified"));
        }
        if price == 0 {
            return Err(RpcError::server("gasPrice must be non-zero after london fork"));
        }
        return Ok(());
    }
    if request.max_fee_per_gas == Some(0) {
        return Err(RpcError::server("maxFeePerGas must be non-zero"));
    }
    let tip = match request.max_priority_fee_per_gas {
        Some(tip) => tip,
        None => suggested_tip(ctx)?,
    };
    let base_fee = head(ctx)?.block.header.base_fee_per_gas.unwrap_or_default();
    let cap = match request.max_fee_per_gas {
        Some(cap) => cap,
        None => u128::from(base_fee).saturating_mul(2).saturating_add(tip),
    };
    if cap < tip {
        return Err(RpcError::server(format!("maxFeePerGas ({cap:#x}) < maxPriorityFeePerGas ({tip:#x})")));
    }
    request.max_priority_fee_per_gas = Some(tip);
    request.max_fee_per_gas = Some(cap);
    Ok(())
}

/// The transaction of a request whose other members are known. geth's choice of type: legacy (or EIP-2930, with a list)
/// where a gas price is given, EIP-7702 with authorizations, EIP-1559 otherwise.
///
/// # Errors
/// Authorizations without a receiver.
pub(crate) fn typed(
    request: &CallRequest,
    gas_limit: u64,
    nonce: u64,
    chain_id: u64,
) -> Result<TypedTransaction, RpcError> {
    let to = request.to.map_or(TxKind::Create, TxKind::Call);
    let (value, input) = (request.value.unwrap_or_default(), request.calldata());
    let access_list = request.access_list.clone().unwrap_or_default();
    if let Some(gas_price) = request.gas_price {
        return Ok(match request.access_list {
            Some(_) => {
                TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }.into()
            }
            None => {
                TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input }.into()
            }
        });
    }
    let max_fee_per_gas = request.max_fee_per_gas.unwrap_or_default();
    let max_priority_fee_per_gas = request.max_priority_fee_per_gas.unwrap_or_default();
    let Some(authorization_list) = request.authorization_list.clone() else {
        return Ok(TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            input,
        }
        .into());
    };
    let to = request.to.ok_or_else(|| {
        RpcError::server("authorizationList provided for contract creation, but \"to\" field is missing")
    })?;
    Ok(TxEip7702 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        to,
        value,
        access_list,
        authorization_list,
        input,
    }
    .into())
}
