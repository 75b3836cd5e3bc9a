//! Runs calls.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::{
    context::Context,
    dispatch::{
        Class, Params, Reply,
        blocking::{Deadline, Gate, guarded},
        envelope::{self, Call, Item, Request},
        output::{self, Output},
        table::{Entry, Handler, Table},
    },
    error::RpcError,
    filters::Filters,
    methods::{
        raw::{self, Submitter},
        sync,
    },
    metrics::RpcMetrics,
    subscribe::Session,
};

/// What all connections of a server share.
pub(crate) struct Service {
    /// The chain.
    pub(crate) context: Arc<Context>,
    /// The methods.
    pub(crate) table: Table,
    /// Installed filters.
    pub(crate) filters: Filters,
    /// Counters.
    pub(crate) metrics: RpcMetrics,
    /// Bounds work off the connections' workers.
    pub(crate) gate: Gate,
    /// Gathers raw transactions.
    pub(crate) submitter: Submitter,
    /// Held while `eth_sendTransaction` picks a nonce and submits, so that two calls do not pick the same.
    pub(crate) sending: Mutex<()>,
}

impl Service {
    /// A service without connections.
    pub(crate) fn new(context: Arc<Context>, metrics: RpcMetrics) -> Arc<Self> {
        let limits = &context.limits;
        Arc::new(Self {
            table: Table::new(&context, &metrics),
            filters: Filters::new(limits),
            gate: Gate::new(limits.heavy_calls, limits.call_time),
            submitter: Submitter::default(),
            sending: Mutex::new(()),
            metrics,
            context,
        })
    }

    /// Answers one body or message; `None` where it holds notifications only. `session` is the WebSocket connection's.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        body: &Bytes,
        session: Option<&Arc<Session>>,
    ) -> Option<Output> {
        let limits = &self.context.limits;
        match envelope::parse(body, limits) {
            Ok(Request::One(item)) => {
                let reply = self.item(&item, session).await;
                let wanted = !matches!(&item, Item::Call(call) if call.id.is_none());
                wanted.then(|| output::single(item.id(), self.bounded(reply)))
            }
            Ok(Request::Batch(items)) => self.batch(&items, session).await,
            Ok(Request::TooMany { given, first }) => {
                self.metrics.refused("batch");
                let most = limits.batch_calls;
                let error = RpcError::new(
                    crate::error::INVALID_REQUEST,
                    format!("batch too large: {given} calls, the limit is {most}"),
                );
                Some(output::list([(first, Err(error))]))
            }
            Err(error) => {
                self.metrics.refused("parse");
                Some(output::refusal(error))
            }
        }
    }

    /// Replaces an answer that is longer than allowed.
    fn bounded(&self, reply: Reply) -> Reply {
        let limit = self.context.limits.response_bytes;
        match reply {
            Ok(answer) if answer.len() > limit => Err(RpcError::too_large(limit)),
            reply => reply,
        }
    }

    async fn item(self: &Arc<Self>, item: &Item<'_>, session: Option<&Arc<Session>>) -> Reply {
        match item {
            Item::Call(call) => self.call(call, session).await,
            Item::Invalid { why, .. } => {
                self.metrics.refused("request");
                Err(RpcError::invalid_request(why))
            }
        }
    }

    /// Runs one call.
    pub(crate) async fn call(self: &Arc<Self>, call: &Call<'_>, session: Option<&Arc<Session>>) -> Reply {
        let Some(entry) = self.table.get(&call.method) else {
            self.metrics.refused("method");
            return Err(RpcError::unknown_method(&call.method));
        };
        let start = Instant::now();
        let reply = self.dispatch(entry, call.params, session).await;
        self.metrics.record(&entry.meter, start.elapsed(), reply.as_ref().err());
        reply
    }

    async fn dispatch(
        self: &Arc<Self>,
        entry: &Entry,
        params: Option<&RawValue>,
        session: Option<&Arc<Session>>,
    ) -> Reply {
        match entry.handler {
            Handler::Chain(Class::Light, _) | Handler::Server(Class::Light, _) => {
                self.run(entry.name, entry.handler, params, None)
            }
            Handler::Chain(Class::Heavy, _) | Handler::Server(Class::Heavy, _) => {
                self.run_apart(entry, params).await
            }
            Handler::SendRaw => {
                let mut replies = self.send_raw([raw::parse(params)]).await;
                replies.pop().unwrap_or_else(|| Err(RpcError::internal("a transaction without a result")))
            }
            Handler::SendRawSync => sync::send(self, params).await,
            Handler::Subscribe => match session {
                Some(session) => session.subscribe(&Params::parse(params)?),
                None => Err(no_notifications()),
            },
            Handler::Unsubscribe => match session {
                Some(session) => session.unsubscribe(&Params::parse(params)?),
                None => Err(no_notifications()),
            },
        }
    }

    /// Runs a method on this thread.
    pub(crate) fn run(
        self: &Arc<Self>,
        name: &'static str,
        handler: Handler,
        params: Option<&RawValue>,
        deadline: Option<Deadline>,
    ) -> Reply {
        guarded(name, || {
            let mut params = Params::parse(params)?;
            if let Some(deadline) = deadline {
                params = params.expiring(deadline.at, deadline.allowed);
            }
            match handler {
                Handler::Chain(_, method) => method(&self.context, &params),
                Handler::Server(_, method) => method(self, &params),
                _ => Err(RpcError::internal(format!("{name} is not run as a method"))),
            }
        })
    }

    async fn run_apart(self: &Arc<Self>, entry: &Entry, params: Option<&RawValue>) -> Reply {
        let (service, name, handler) = (self.clone(), entry.name, entry.handler);
        let params = params.map(ToOwned::to_owned);
        let deadline = self.gate.deadline();
        let work = move || service.run(name, handler, params.as_deref(), Some(deadline));
        self.gate.run(deadline, work).await?
    }

    /// Runs another method of the table on this thread, for methods that build on it.
    ///
    /// # Errors
    /// The method's.
    pub(crate) fn run_by_name(self: &Arc<Self>, name: &'static str, params: &RawValue) -> Reply {
        let entry = self.table.get(name).ok_or_else(|| RpcError::unknown_method(name))?;
        self.run(entry.name, entry.handler, Some(params), None)
    }
}

fn no_notifications() -> RpcError {
    RpcError::new(
        crate::error::METHOD_NOT_FOUND,
        "notifications not supported: subscribe over WebSocket (ws:// on the same port)",
    )
}
