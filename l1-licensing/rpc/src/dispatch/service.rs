//! Runs calls.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::{
    context::Context,
    dispatch::{
        Class, Params, Reply, answer,
        blocking::{Deadline, Gate, guarded},
        budget::{Budget, Share},
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

/// A reply and the memory that it takes.
#[derive(Debug)]
pub(crate) struct Held {
    /// What the method said, or why that could not be kept.
    pub(crate) reply: Reply,
    /// Its share of the budget.
    pub(crate) share: Share,
}

/// Text on its way to a client, and the memory that it takes until it is written.
#[derive(Debug, Default)]
pub(crate) struct Response {
    /// The text.
    pub(crate) text: Output,
    /// Its share of the budget.
    pub(crate) share: Share,
}

impl From<Reply> for Held {
    /// A reply that is known to be small.
    fn from(reply: Reply) -> Self {
        Self { reply, share: Share::default() }
    }
}

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
    /// Bounds the memory of large bodies and answers.
    pub(crate) budget: Budget,
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
            budget: Budget::new(limits.memory_bytes),
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
    ) -> Option<Response> {
        let limits = &self.context.limits;
        match envelope::parse(body, limits) {
            Ok(Request::One(item)) => {
                let Held { reply, share } = self.item(&item, session, None).await;
                let wanted = !matches!(&item, Item::Call(call) if call.id.is_none());
                wanted.then(|| self.response(output::single(item.id(), reply), share))
            }
            Ok(Request::Batch(items)) => self.batch(&items, session).await,
            Ok(Request::TooMany { given, first }) => {
                self.metrics.refused("batch");
                let most = limits.batch_calls;
                let error = RpcError::new(
                    crate::error::INVALID_REQUEST,
                    format!("batch too large: {given} calls, the limit is {most}"),
                );
                Some(self.response(output::list([(first, Err(error))]), Share::default()))
            }
            Err(error) => {
                self.metrics.refused("parse");
                Some(self.response(output::refusal(error), Share::default()))
            }
        }
    }

    /// Text and its share; ids and brackets came on top of the replies.
    pub(crate) fn response(&self, text: Output, mut share: Share) -> Response {
        if self.budget.grow(&mut share, output::length(&text)) {
            return Response { text, share };
        }
        self.metrics.refused("memory");
        Response { text: output::refusal(self.budget.busy()), share: Share::default() }
    }

    /// Takes memory for a reply; an error is in its place where it is longer than allowed or there is no room for it.
    pub(crate) fn hold(&self, reply: Reply) -> Held {
        let (limit, length) = (self.context.limits.response_bytes, answer::length(&reply));
        if length > limit {
            return Err(RpcError::too_large(limit)).into();
        }
        match self.budget.take(length) {
            Some(share) => Held { reply, share },
            None => {
                self.metrics.refused("memory");
                Err(self.budget.busy()).into()
            }
        }
    }

    /// Answers one item; `deadline` is the batch's that it is in.
    pub(crate) async fn item(
        self: &Arc<Self>,
        item: &Item<'_>,
        session: Option<&Arc<Session>>,
        deadline: Option<Deadline>,
    ) -> Held {
        match item {
            Item::Call(call) => self.call(call, session, deadline).await,
            Item::Invalid { why, .. } => {
                self.metrics.refused("request");
                Err(RpcError::invalid_request(why)).into()
            }
        }
    }

    async fn call(
        self: &Arc<Self>,
        call: &Call<'_>,
        session: Option<&Arc<Session>>,
        deadline: Option<Deadline>,
    ) -> Held {
        let Some(entry) = self.table.get(&call.method) else {
            self.metrics.refused("method");
            return Err(RpcError::unknown_method(&call.method)).into();
        };
        let start = Instant::now();
        let held = self.dispatch(entry, call.params, session, deadline).await;
        self.metrics.record(&entry.meter, start.elapsed(), held.reply.as_ref().err());
        held
    }

    async fn dispatch(
        self: &Arc<Self>,
        entry: &Entry,
        params: Option<&RawValue>,
        session: Option<&Arc<Session>>,
        deadline: Option<Deadline>,
    ) -> Held {
        let within = || deadline.unwrap_or_else(|| self.gate.deadline());
        match entry.handler {
            Handler::Chain(Class::Light, _) | Handler::Server(Class::Light, _) => {
                self.hold(self.run(entry.name, entry.handler, params, None))
            }
            Handler::Chain(Class::Heavy, _) | Handler::Server(Class::Heavy, _) => {
                self.run_apart(entry, params, within()).await
            }
            Handler::SendRaw => {
                let mut replies = self.send_raw([raw::parse(params)], within()).await;
                let missing = || Err(RpcError::internal("a transaction without a result"));
                replies.pop().unwrap_or_else(missing).into()
            }
            Handler::SendRawSync => sync::send(self, params, deadline).await,
            Handler::Subscribe => of_session(session, params, Session::subscribe).into(),
            Handler::Unsubscribe => of_session(session, params, Session::unsubscribe).into(),
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
            let mut params = Params::parse(params)?.within(&self.budget);
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

    async fn run_apart(
        self: &Arc<Self>,
        entry: &Entry,
        params: Option<&RawValue>,
        deadline: Deadline,
    ) -> Held {
        let (service, name, handler) = (self.clone(), entry.name, entry.handler);
        let params = params.map(ToOwned::to_owned);
        // Held where it was made: until its connection asks for it, it waits.
        let work = move || service.hold(service.run(name, handler, params.as_deref(), Some(deadline)));
        self.gate.run(deadline, work).await.unwrap_or_else(|error| Err(error).into())
    }

    /// Runs another method of the table on this thread, for methods that build on it.
    pub(crate) fn run_by_name(self: &Arc<Self>, name: &'static str, params: &RawValue) -> Held {
        match self.table.get(name) {
            Some(entry) => self.hold(self.run(entry.name, entry.handler, Some(params), None)),
            None => Err(RpcError::unknown_method(name)).into(),
        }
    }
}

fn of_session(
    session: Option<&Arc<Session>>,
    params: Option<&RawValue>,
    method: fn(&Session, &Params<'_>) -> Reply,
) -> Reply {
    method(session.ok_or_else(no_notifications)?, &Params::parse(params)?)
}

fn no_notifications() -> RpcError {
    RpcError::new(
        crate::error::METHOD_NOT_FOUND,
        "notifications not supported: subscribe over WebSocket (ws:// on the same port)",
    )
}
