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
    filters::{TermShare, Terms, random_id},
};

/// What a subscription reports.
#[derive(Debug)]
enum Kind {
    Heads,
    Logs { filter: Box<Filter>, _terms: TermShare },
    Pending { full: bool },
    Syncing,
}

/// The subscriptions of one connection, and the channels that feed them.
pub(crate) struct Session {
    context: Arc<Context>,
    terms: Terms,
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
    pub(crate) fn new(context: Arc<Context>, terms: Terms) -> Arc<Self> {
        Arc::new(Self { context, terms, state: Mutex::default() })
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
        self.check_terms(&state, &kind)?;
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
                let _terms = self.terms.take(filter.terms()).ok_or_else(|| self.terms.exhausted())?;
                Ok(Kind::Logs { filter: Box::new(filter), _terms })
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

    /// Refuses more addresses and topics than a connection's subscriptions may have together.
    fn check_terms(&self, state: &State, kind: &Kind) -> Result<(), RpcError> {
        let most = self.context.limits.connection_terms;
        let others = state.subscriptions.iter().map(|(_, kind)| kind.terms()).sum::<usize>();
        if kind.terms() > 0 && others + kind.terms() > most {
            return Err(RpcError::limit(format!(
                "too many addresses and topics: the subscriptions of a connection may have {most} together"
            )));
        }
        Ok(())
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

    /// Sends what a new head brings, notice by notice: `send` may end it.
    ///
    /// # Errors
    /// That of `send`.
    pub(crate) fn on_block<E>(
        &self,
        new: &NewBlock,
        send: &mut impl FnMut(Output) -> Result<(), E>,
    ) -> Result<(), E> {
        let state = self.state.lock();
        let mut header = None;
        for (id, kind) in &state.subscriptions {
            match kind {
                Kind::Heads => {
                    let header = header.get_or_insert_with(|| header_json(&new.block));
                    send(notification(id, Answer::Shared(header.clone())))?;
                }
                Kind::Logs { filter, .. } => {
                    logs_of_block(new, filter, |log| send(notification(id, log.to_vec().into())))?;
                }
                Kind::Pending { .. } | Kind::Syncing => {}
            }
        }
        Ok(())
    }

    /// Sends a new pending transaction, notice by notice.
    ///
    /// # Errors
    /// That of `send`.
    pub(crate) fn on_pending<E>(
        &self,
        tx: &Tx,
        send: &mut impl FnMut(Output) -> Result<(), E>,
    ) -> Result<(), E> {
        let state = self.state.lock();
        for (id, kind) in &state.subscriptions {
            if let Kind::Pending { full } = kind {
                let mut json = Json::default();
                match full {
                    true => write_transaction(&mut json, tx, None),
                    false => json.hex(tx.hash().as_slice()),
                }
                send(notification(id, json.into()))?;
            }
        }
        Ok(())
    }
}

impl Kind {
    /// Addresses and topics.
    fn terms(&self) -> usize {
        match self {
            Self::Logs { filter, .. } => filter.terms(),
            _ => 0,
        }
    }
}

impl State {
    /// Opens the channel that `kind` needs, before the subscription's id is known to anyone: no block falls in between.
    fn feed(&mut self, context: &Context, kind: &Kind) {
        match kind {
            Kind::Heads | Kind::Logs { .. } if !self.feeds_heads => {
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
