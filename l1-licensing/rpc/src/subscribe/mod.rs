//! `eth_subscribe`: what a WebSocket connection is told without asking.

use std::sync::Arc;

use alloy_primitives::U128;
use bytes::Bytes;
use chlom_primitives::{Block, Tx};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;

use crate::{
    context::{Context, NewBlock},
    dispatch::{
        Answer, Params, Reply,
        output::{Output, Writer},
        params::invalid,
    },
    error::RpcError,
    eth::{
        block_json::{Sealed, write_header},
        filter::Filter,
        json::Json,
        logs::logs_of_block,
        transaction_json::write_transaction,
    },
    filters::random_id,
};

/// What a subscription reports.
#[derive(Debug)]
enum Kind {
    Heads,
    Logs(Box<Filter>),
    Pending { full: bool },
    Syncing,
}

/// The subscriptions of one connection, and the channels that feed them.
pub(crate) struct Session {
    context: Arc<Context>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    subscriptions: Vec<(U128, Kind)>,
    heads: Option<Receiver<NewBlock>>,
    pending: Option<Receiver<Arc<Tx>>>,
    feeds_heads: bool,
    feeds_pending: bool,
    greetings: Vec<Output>,
}

/// `true` or `{"fullTransactions": true}`, as clients send it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Full {
    Flag(bool),
    Options {
        #[serde(default, rename = "fullTransactions")]
        full: bool,
    },
}

impl Session {
    /// A connection without subscriptions.
    pub(crate) fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context, state: Mutex::default() })
    }

    /// `eth_subscribe`: the subscription's id.
    pub(crate) fn subscribe(&self, params: &Params<'_>) -> Reply {
        params.at_most(2)?;
        let kind = self.kind(params)?;
        let id = random_id()?;
        let mut state = self.state.lock();
        let most = self.context.limits.subscriptions;
        if state.subscriptions.len() >= most {
            return Err(RpcError::limit(format!("too many subscriptions: a connection may have {most}")));
        }
        state.feed(&self.context, &kind);
        if matches!(kind, Kind::Syncing) {
            // A node that serves is in sync; nothing follows this.
            state.greetings.push(notification(&id, Answer::FALSE));
        }
        state.subscriptions.push((id, kind));
        Ok(Answer::quantity(id))
    }

    fn kind(&self, params: &Params<'_>) -> Result<Kind, RpcError> {
        let name: String = params.required(0)?;
        match name.as_str() {
            "newHeads" => Ok(Kind::Heads),
            "syncing" => Ok(Kind::Syncing),
            "newPendingTransactions" => match params.optional(1)? {
                None => Ok(Kind::Pending { full: false }),
                Some(Full::Flag(full) | Full::Options { full }) => Ok(Kind::Pending { full }),
            },
            "logs" => {
                let filter: Filter = match params.raw(1) {
                    Some(_) => params.required(1)?,
                    None => serde_json::from_str("{}").map_err(RpcError::internal)?,
                };
                filter.check(&self.context.limits)?;
                Ok(Kind::Logs(Box::new(filter)))
            }
            other => Err(invalid(
                0,
                format!(
                    "no {:?} subscription in eth namespace: newHeads, logs, newPendingTransactions or syncing",
                    other.chars().take(64).collect::<String>()
                ),
            )),
        }
    }

    /// `eth_unsubscribe`.
    pub(crate) fn unsubscribe(&self, params: &Params<'_>) -> Reply {
        params.at_most(1)?;
        let id: U128 = params.required(0)?;
        let mut state = self.state.lock();
        let before = state.subscriptions.len();
        state.subscriptions.retain(|(other, _)| *other != id);
        if state.subscriptions.len() == before {
            return Err(RpcError::server("subscription not found"));
        }
        Ok(Answer::TRUE)
    }

    /// The channels that subscriptions opened since the last call.
    pub(crate) fn take_feeds(&self) -> (Option<Receiver<NewBlock>>, Option<Receiver<Arc<Tx>>>) {
        let mut state = self.state.lock();
        (state.heads.take(), state.pending.take())
    }

    /// First notifications of new subscriptions; sent after their ids.
    pub(crate) fn take_greetings(&self) -> Vec<Output> {
        std::mem::take(&mut self.state.lock().greetings)
    }

    /// Subscriptions alive.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().subscriptions.len()
    }

    /// What to send for a new head.
    pub(crate) fn on_block(&self, new: &NewBlock) -> Vec<Output> {
        let state = self.state.lock();
        let mut header = None;
        let mut sent = Vec::new();
        for (id, kind) in &state.subscriptions {
            match kind {
                Kind::Heads => {
                    let header = header.get_or_insert_with(|| header_json(&new.block));
                    sent.push(notification(id, Answer::Shared(header.clone())));
                }
                Kind::Logs(filter) => {
                    let logs = logs_of_block(new, filter);
                    sent.extend(logs.into_iter().map(|log| notification(id, log.into())));
                }
                Kind::Pending { .. } | Kind::Syncing => {}
            }
        }
        sent
    }

    /// What to send for a new pending transaction.
    pub(crate) fn on_pending(&self, tx: &Tx) -> Vec<Output> {
        let state = self.state.lock();
        let mut sent = Vec::new();
        for (id, kind) in &state.subscriptions {
            if let Kind::Pending { full } = kind {
                let mut json = Json::default();
                match full {
                    true => write_transaction(&mut json, tx, None),
                    false => json.hex(tx.hash().as_slice()),
                }
                sent.push(notification(id, json.into()));
            }
        }
        sent
    }
}

impl State {
    /// Opens the channel that `kind` needs, before the subscription's id is known to anyone: no block falls in between.
    fn feed(&mut self, context: &Context, kind: &Kind) {
        match kind {
            Kind::Heads | Kind::Logs(_) if !self.feeds_heads => {
                self.heads = Some(context.heads.subscribe());
                self.feeds_heads = true;
            }
            Kind::Pending { .. } if !self.feeds_pending => {
                self.pending = Some(context.pending.subscribe());
                self.feeds_pending = true;
            }
            _ => {}
        }
    }
}

fn header_json(block: &Block) -> Bytes {
    let mut json = Json::with_capacity(2048);
    json.open_object();
    write_header(&mut json, &block.header, Sealed::Hash(block.hash));
    json.close_object();
    json.into_bytes().into()
}

fn notification(id: &U128, result: Answer) -> Output {
    let mut writer = Writer::with_capacity(128 + result.len());
    writer.notification(&format!("\"{id:#x}\""), result);
    writer.finish()
}
