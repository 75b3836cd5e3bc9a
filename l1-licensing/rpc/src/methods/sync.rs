//! `eth_sendRawTransactionSync` (EIP-7966): submits and waits for the receipt.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, Bytes};
use serde_json::value::RawValue;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout_at,
};

use crate::{
    context::NewBlock,
    dispatch::{
        Params,
        blocking::Deadline,
        service::{Held, Service},
    },
    error::RpcError,
    methods::quantity::Quantity,
};

/// EIP-7966: accepted, but in no block within the time.
const NOT_INCLUDED: i64 = 4;
/// EIP-7966: cannot execute, because earlier nonces are missing.
const NONCE_GAP: i64 = 6;

/// The call. `deadline` is the batch's that it is in: what a batch has answered so far waits with it.
pub(crate) async fn send(
    service: &Arc<Service>,
    params: Option<&RawValue>,
    deadline: Option<Deadline>,
) -> Held {
    wait(service, params, deadline).await.unwrap_or_else(|error| Err(error).into())
}

async fn wait(
    service: &Arc<Service>,
    params: Option<&RawValue>,
    batch: Option<Deadline>,
) -> Result<Held, RpcError> {
    let (raw, mut wait) = parse(service, params)?;
    if let Some(batch) = batch {
        wait = wait.min(batch.at.saturating_duration_since(Instant::now()));
    }
    let until = Instant::now() + wait;
    let deadline = batch.unwrap_or_else(|| service.gate.deadline());
    refuse_gap(service, &raw, deadline).await?;
    // Before the submission, so that no block is missed.
    let mut heads = service.context.heads.subscribe();
    let mut submitted = service.submit(vec![raw], deadline).await;
    let hash =
        submitted.pop().unwrap_or_else(|| Err(RpcError::internal("a transaction without a result")))?;
    loop {
        if let Some(receipt) = receipt(service, &hash, batch).await? {
            return Ok(receipt);
        }
        match timeout_at(until.into(), next_block(&mut heads)).await {
            Ok(true) => {}
            Ok(false) => return Err(RpcError::internal("the node is shutting down")),
            Err(_) => return Err(not_included(&hash, wait)),
        }
    }
}

fn parse(service: &Service, params: Option<&RawValue>) -> Result<(Bytes, Duration), RpcError> {
    let params = Params::parse(params)?;
    params.at_most(2)?;
    let raw = params.required(0)?;
    let most = service.context.sync_timeout;
    // EIP-7966: an invalid wait is replaced by the node's own.
    let asked = params.optional::<Quantity>(1)?.map(|Quantity(ms)| Duration::from_millis(ms));
    Ok((raw, asked.filter(|wait| !wait.is_zero() && *wait <= most).unwrap_or(most)))
}

/// Refuses a transaction that cannot execute before others arrive.
async fn refuse_gap(service: &Arc<Service>, raw: &Bytes, deadline: Deadline) -> Result<(), RpcError> {
    let (context, raw) = (service.context.clone(), raw.clone());
    let check = move || {
        let tx = chlom_crypto::recover_tx(raw).map_err(RpcError::server)?;
        let next = crate::methods::send::next_nonce(&context, &tx.sender())?;
        if tx.nonce() <= next {
            return Ok(());
        }
        let message =
            format!("nonce gap: the next nonce of {} is {next}, tx nonce {}", tx.sender(), tx.nonce());
        Err(RpcError::new(NONCE_GAP, message).with_text(&format!("{next:#x}")))
    };
    service.gate.run(deadline, check).await?
}

/// Waits for a block, or for several that passed unseen; false when the producer is gone.
async fn next_block(heads: &mut Receiver<NewBlock>) -> bool {
    !matches!(heads.recv().await, Err(RecvError::Closed))
}

async fn receipt(
    service: &Arc<Service>,
    hash: &B256,
    batch: Option<Deadline>,
) -> Result<Option<Held>, RpcError> {
    let found = service.context.store.tx_location(hash).map_err(RpcError::internal)?;
    if found.is_none() {
        return Ok(None);
    }
    let params = serde_json::value::to_raw_value(&[hash]).map_err(RpcError::internal)?;
    let (owner, deadline) = (service.clone(), batch.unwrap_or_else(|| service.gate.deadline()));
    let work = move || owner.run_by_name("eth_getTransactionReceipt", &params);
    service.gate.run(deadline, work).await.map(Some)
}

fn not_included(hash: &B256, wait: Duration) -> RpcError {
    let message =
        format!("the transaction was added to the pool but is in no block after {} ms", wait.as_millis());
    RpcError::new(NOT_INCLUDED, message).with_text(&hash.to_string())
}
