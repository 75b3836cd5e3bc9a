//! `txpool_`: what waits, as geth shows it.

use std::sync::Arc;

use alloy_consensus::Transaction;
use alloy_primitives::Address;
use chlom_pool::TxsByNonce;
use chlom_primitives::Tx;

use crate::{
    context::Context,
    dispatch::{Params, Reply},
    eth::{json::Json, transaction_json::write_transaction},
};

/// `txpool_status`: how many wait, executable and behind a gap.
pub(super) fn status(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    let status = context.pool.status();
    Ok(format!("{{\"pending\":\"{:#x}\",\"queued\":\"{:#x}\"}}", status.pending, status.queued).into())
}

/// `txpool_content`: every transaction by account and nonce.
pub(super) fn content(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    write_all(context, params, |json, tx| write_transaction(json, tx, None))
}

/// `txpool_contentFrom`: one account's.
pub(super) fn content_from(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let (pending, queued) = context.pool.content_from(&params.required::<Address>(0)?);
    let mut json = Json::default();
    json.open_object();
    for (part, txs) in [("pending", &pending), ("queued", &queued)] {
        json.key(part);
        write_txs(&mut json, txs, |json, tx| write_transaction(json, tx, None));
    }
    json.close_object();
    Ok(json.into())
}

/// `txpool_inspect`: every transaction as a line of text.
pub(super) fn inspect(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    write_all(context, params, |json, tx| json.raw(format!("\"{}\"", summary(tx)).as_bytes()))
}

/// What waits, by part, account and nonce; `write` says how a transaction is shown.
fn write_all(context: &Context, params: &Params<'_>, mut write: impl FnMut(&mut Json, &Tx)) -> Reply {
    params.at_most(0)?;
    let content = context.pool.content();
    let mut json = Json::default();
    json.open_object();
    for (part, accounts) in [("pending", &content.pending), ("queued", &content.queued)] {
        json.key(part).open_object();
        for (account, txs) in accounts {
            json.key(&account.to_checksum(None));
            write_txs(&mut json, txs, &mut write);
        }
        json.close_object();
    }
    json.close_object();
    Ok(json.into())
}

fn write_txs(json: &mut Json, txs: &TxsByNonce, mut write: impl FnMut(&mut Json, &Tx)) {
    json.open_object();
    for (nonce, tx) in txs {
        json.key(&nonce.to_string());
        write(json, tx);
    }
    json.close_object();
}

/// geth's line for a transaction.
fn summary(tx: &Tx) -> String {
    let envelope = tx.envelope();
    let to = envelope.to().map_or("contract creation".to_owned(), |to| to.to_checksum(None));
    let (value, gas, price) = (envelope.value(), envelope.gas_limit(), envelope.max_fee_per_gas());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}
