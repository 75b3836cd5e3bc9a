//! `eth_sendTransaction` and `eth_signTransaction`, for accounts whose keys the node holds.
//!
//! What the caller left open is filled as `eth_fillTransaction` fills it, so that the three agree.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEnvelope};
use alloy_primitives::{Address, B256, Signature};
use alloy_rpc_types_eth::TransactionRequest;
use chlom_primitives::Tx;
use chlom_state::StateReader;

use crate::{
    context::Context,
    dispatch::{Params, Reply, params::invalid, service::Service},
    error::RpcError,
    eth::{fill::fill, json::Json, transaction_json::write_transaction},
    methods::{accounts, raw},
};

/// The nonce that the account's next transaction has, those that wait counted.
///
/// # Errors
/// Faults of the store.
pub(super) fn next_nonce(context: &Context, account: &Address) -> Result<u64, RpcError> {
    if let Some(nonce) = context.pool.next_nonce(account) {
        return Ok(nonce);
    }
    let head = context.store.head().ok_or_else(|| RpcError::internal("the chain has no genesis"))?;
    let found = head.state.account(account).map_err(RpcError::internal)?;
    Ok(found.unwrap_or_default().nonce)
}

/// `eth_sendTransaction`: fills, signs and submits; the hash.
pub(super) fn send(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    // One at a time: the next call must see this one's nonce.
    let _one = service.sending.lock();
    let tx = signed(service, params)?;
    let mut results = crate::submit::admit(&service.context, vec![Arc::new(tx)]);
    let hash: B256 = results.pop().unwrap_or_else(|| Err(RpcError::internal("no result")))?;
    Ok(raw::answer(hash))
}

/// `eth_signTransaction`: fills and signs; the bytes and the transaction. Unlike the others it fills no gas, fee or nonce
/// that the caller left open, as in geth.
pub(super) fn sign(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    require_explicit(&params.required::<TransactionRequest>(0)?)?;
    let tx = signed(service, params)?;
    let mut json = Json::default();
    json.open_object();
    json.key("raw").hex(tx.raw());
    json.key("tx");
    write_transaction(&mut json, &tx, None);
    json.close_object();
    Ok(json.into())
}

fn require_explicit(request: &TransactionRequest) -> Result<(), RpcError> {
    if request.gas.is_none() {
        return Err(RpcError::server("not specify Gas"));
    }
    let dynamic = request.max_fee_per_gas.is_some() && request.max_priority_fee_per_gas.is_some();
    if request.gas_price.is_none() && !dynamic {
        return Err(RpcError::server("missing gasPrice or maxFeePerGas/maxPriorityFeePerGas"));
    }
    if request.nonce.is_none() {
        return Err(RpcError::server("nonce not specified"));
    }
    Ok(())
}

fn signed(service: &Arc<Service>, params: &Params<'_>) -> Result<Tx, RpcError> {
    let request: TransactionRequest = params.required(0)?;
    let from = request.from.ok_or_else(|| invalid(0, "from is missing: whose transaction is it?"))?;
    let signer = accounts::signer(&service.context, &from)?;
    let unsigned = fill(&service.context, params.required(0)?)?;
    let digest = unsigned.signature_hash();
    let signature = signature(&signer.sign(&from, &digest)?)?;
    let envelope = TxEnvelope::from(unsigned.into_signed(signature));
    // The signature came from the account's own key: recovering it would find the same address.
    Ok(chlom_crypto::with_authorities(Tx::new(envelope, from)))
}

/// r ‖ s ‖ v, with v 27 or 28.
fn signature(bytes: &[u8; 65]) -> Result<Signature, RpcError> {
    Signature::from_raw_array(bytes).map_err(RpcError::internal)
}
