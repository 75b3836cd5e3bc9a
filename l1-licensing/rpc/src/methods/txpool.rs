//! `txpool_`: what waits, as geth shows it.

use std::sync::Arc;

use alloy_consensus::Transaction;
use alloy_primitives::Address;
use chlom_pool::TxsByNonce;
use chlom_primitives::Tx;

use crate::{
    context::Context,
    dispatch::{Params, Reply, budget::Room},
    error::RpcError,
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
    let mut written = Written::new(context, params);
    written.json.open_object();
    for (part, txs) in [("pending", &pending), ("queued", &queued)] {
        written.json.key(part);
        written.add(txs, |json, tx| write_transaction(json, tx, None))?;
    }
    written.json.close_object();
    Ok(written.json.into())
}

/// `txpool_inspect`: every transaction as a line of text.
pub(super) fn inspect(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    write_all(context, params, |json, tx| json.raw(format!("\"{}\"", summary(tx)).as_bytes()))
}

/// What waits, by part, account and nonce; `write` says how a transaction is shown.
fn write_all(context: &Context, params: &Params<'_>, mut write: impl FnMut(&mut Json, &Tx)) -> Reply {
    params.at_most(0)?;
    let content = context.pool.content();
    let mut written = Written::new(context, params);
    written.json.open_object();
    for (part, accounts) in [("pending", &content.pending), ("queued", &content.queued)] {
        written.json.key(part).open_object();
        for (account, txs) in accounts {
            written.json.key(&account.to_checksum(None));
            written.add(txs, &mut write)?;
        }
        written.json.close_object();
    }
    written.json.close_object();
    Ok(written.json.into())
}

/// An answer in the making and its bounds, looked at after every transaction.
struct Written<'a> {
    json: Json,
    most: usize,
    room: Room,
    params: &'a Params<'a>,
}

impl<'a> Written<'a> {
    fn new(context: &Context, params: &'a Params<'a>) -> Self {
        Self { json: Json::default(), most: context.limits.response_bytes, room: params.room(), params }
    }

    /// Adds an account's transactions by nonce.
    fn add(&mut self, txs: &TxsByNonce, mut write: impl FnMut(&mut Json, &Tx)) -> Result<(), RpcError> {
        self.params.check_time()?;
        self.json.open_object();
        for (nonce, tx) in txs {
            self.json.key(&nonce.to_string());
            write(&mut self.json, tx);
            if self.json.len() > self.most {
                return Err(RpcError::limit(format!(
                    "the pool's content is larger than a response may be ({} bytes); ask for one account with \
                     txpool_contentFrom, or for txpool_inspect",
                    self.most
                )));
            }
            self.room.cover(self.json.len())?;
        }
        self.json.close_object();
        Ok(())
    }
}

/// geth's line for a transaction.
fn summary(tx: &Tx) -> String {
    let envelope = tx.envelope();
    let to = envelope.to().map_or("contract creation".to_owned(), |to| to.to_checksum(None));
    let (value, gas, price) = (envelope.value(), envelope.gas_limit(), envelope.max_fee_per_gas());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}
