//! From raw bytes to the pool: decode, recover in parallel, admit under one lock, wake the producer.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use chlom_primitives::Tx;

use crate::{context::Context, error::RpcError};

/// Admits transactions in their order; one result each. Blocks until the pool's journal, where there is one, has them on
/// disk: whoever is given a hash may rely on it.
pub(crate) fn submit(context: &Context, raw: Vec<Bytes>) -> Vec<Result<B256, RpcError>> {
    let recovered = chlom_crypto::recover_batch(raw);
    let good: Vec<Arc<Tx>> =
        recovered.iter().filter_map(|tx| tx.as_ref().ok().cloned()).map(Arc::new).collect();
    let mut admitted = admit(context, good).into_iter();
    let refused = || Err(RpcError::internal("the pool gave fewer results than it was given transactions"));
    recovered
        .into_iter()
        .map(|tx| match tx {
            Ok(_) => admitted.next().unwrap_or_else(refused),
            Err(error) => Err(RpcError::server(error)),
        })
        .collect()
}

/// Admits recovered transactions and wakes the producer if any was new.
pub(crate) fn admit(context: &Context, txs: Vec<Arc<Tx>>) -> Vec<Result<B256, RpcError>> {
    let Some(head) = context.store.head() else {
        return txs.iter().map(|_| Err(RpcError::internal("the chain has no genesis"))).collect();
    };
    let results = context.pool.add_many(txs, &head.state);
    if results.iter().any(Result::is_ok) {
        context.wake.transactions_arrived();
    }
    results.into_iter().map(|result| result.map_err(RpcError::server)).collect()
}
