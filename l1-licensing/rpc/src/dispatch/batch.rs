//! Batches: calls are answered in their order, neighbours of a kind are run together.
//!
//! - `eth_sendRawTransaction` after `eth_sendRawTransaction`: one recovery in parallel, one lock of the pool.
//! - Methods after methods: one job on one thread, unless they are few and light.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::{
    dispatch::{
        Class, Reply,
        blocking::Deadline,
        envelope::{Call, Item},
        output::{self, Output},
        service::Service,
        table::{Entry, Handler},
    },
    error::RpcError,
    methods::raw,
    subscribe::Session,
};

/// So many light calls run on the connection's worker; more go to a thread of their own.
const FEW_LIGHT: usize = 32;

/// Calls that are run together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Raw,
    Methods,
    Alone,
}

fn kind(entry: Option<&Entry>) -> Kind {
    match entry.map(|entry| entry.handler) {
        Some(Handler::SendRaw) => Kind::Raw,
        Some(Handler::Chain(..) | Handler::Server(..)) => Kind::Methods,
        _ => Kind::Alone,
    }
}

type Known<'s, 'a> = (Option<&'s Entry>, &'s Item<'a>);

impl Service {
    /// Answers a batch; `None` where it holds notifications only.
    pub(super) async fn batch(
        self: &Arc<Self>,
        items: &[Item<'_>],
        session: Option<&Arc<Session>>,
    ) -> Option<Output> {
        if items.is_empty() {
            return Some(output::refusal(RpcError::new(crate::error::INVALID_REQUEST, "empty batch")));
        }
        let known: Vec<Known<'_, '_>> = items.iter().map(|item| (self.entry(item), item)).collect();
        let mut replies = Replies::new(items.len(), self.context.limits.response_bytes);
        let deadline = self.gate.deadline();
        for group in known.chunk_by(|a, b| kind(a.0) != Kind::Alone && kind(a.0) == kind(b.0)) {
            match kind(group[0].0) {
                Kind::Raw => replies.extend(self.raw_group(group).await),
                Kind::Methods => self.method_group(group, deadline, &mut replies).await,
                Kind::Alone => replies.push(self.alone(group[0].1, session).await),
            }
        }
        replies.write(items)
    }

    fn entry(&self, item: &Item<'_>) -> Option<&Entry> {
        match item {
            Item::Call(call) => self.table.get(&call.method),
            Item::Invalid { .. } => None,
        }
    }

    async fn alone(self: &Arc<Self>, item: &Item<'_>, session: Option<&Arc<Session>>) -> Reply {
        match item {
            Item::Call(call) => self.call(call, session).await,
            Item::Invalid { why, .. } => Err(RpcError::invalid_request(why)),
        }
    }

    async fn raw_group(self: &Arc<Self>, group: &[Known<'_, '_>]) -> Vec<Reply> {
        let start = Instant::now();
        let replies = self.send_raw(group.iter().map(|(_, item)| raw::parse(params(item)))).await;
        if let Some(entry) = group[0].0 {
            self.metrics.record_group(&entry.meter, start.elapsed(), &replies);
        }
        replies
    }

    async fn method_group(
        self: &Arc<Self>,
        group: &[Known<'_, '_>],
        deadline: Deadline,
        replies: &mut Replies,
    ) {
        let light =
            |(entry, _): &Known<'_, '_>| matches!(entry.map(|e| class(e.handler)), Some(Class::Light));
        if group.len() <= FEW_LIGHT && group.iter().all(light) {
            for (entry, item) in group {
                let Some(entry) = entry else { continue };
                replies.push(self.timed(entry.name, params(item), deadline));
            }
            return;
        }
        let job: Vec<_> = group
            .iter()
            .filter_map(|(entry, item)| Some((entry.as_ref()?.name, params(item).map(ToOwned::to_owned))))
            .collect();
        self.method_job(job, deadline, replies).await;
    }

    /// Runs methods one after the other on a thread of its own. What is done when the time is up is kept.
    async fn method_job(
        self: &Arc<Self>,
        job: Vec<(&'static str, Option<Box<RawValue>>)>,
        deadline: Deadline,
        replies: &mut Replies,
    ) {
        let (calls, room) = (job.len(), replies.room);
        let done = Arc::new(Mutex::new(Replies::new(calls, room)));
        let (service, into) = (self.clone(), done.clone());
        let work = move || {
            for (name, params) in job {
                if deadline.passed() || into.lock().full {
                    break;
                }
                let reply = service.timed(name, params.as_deref(), deadline);
                into.lock().push(reply);
            }
        };
        let end = self.gate.run(deadline, work).await;
        let mut done = std::mem::replace(&mut *done.lock(), Replies::new(0, 0));
        let missing = calls - done.list.len();
        let error = match end {
            Err(error) => error,
            Ok(()) if done.full => RpcError::too_large(self.context.limits.response_bytes),
            Ok(()) => RpcError::timed_out(deadline.allowed),
        };
        replies.room = done.room;
        replies.full |= done.full;
        replies.list.append(&mut done.list);
        replies.list.extend(std::iter::repeat_n(error, missing).map(Err));
    }

    fn timed(self: &Arc<Self>, name: &'static str, params: Option<&RawValue>, deadline: Deadline) -> Reply {
        let Some(entry) = self.table.get(name) else { return Err(RpcError::unknown_method(name)) };
        let start = Instant::now();
        let reply = self.run(name, entry.handler, params, Some(deadline));
        self.metrics.record(&entry.meter, start.elapsed(), reply.as_ref().err());
        reply
    }
}

fn class(handler: Handler) -> Class {
    match handler {
        Handler::Chain(class, _) | Handler::Server(class, _) => class,
        _ => Class::Heavy,
    }
}

fn params<'a>(item: &Item<'a>) -> Option<&'a RawValue> {
    match item {
        Item::Call(Call { params, .. }) => *params,
        Item::Invalid { .. } => None,
    }
}

/// Replies so far, and how many more bytes they may take.
struct Replies {
    list: Vec<Reply>,
    room: usize,
    full: bool,
    limit: usize,
}

impl Replies {
    fn new(calls: usize, room: usize) -> Self {
        Self { list: Vec::with_capacity(calls), room, full: false, limit: room }
    }

    /// Keeps a reply, or an error in its place where it, or one before it, was too long.
    fn push(&mut self, reply: Reply) {
        let length = reply.as_ref().map_or(0, crate::dispatch::Answer::len);
        if self.full || length > self.room {
            self.full = true;
            return self.list.push(Err(RpcError::too_large(self.limit)));
        }
        self.room -= length;
        self.list.push(reply);
    }

    fn extend(&mut self, replies: Vec<Reply>) {
        replies.into_iter().for_each(|reply| self.push(reply));
    }

    fn write(self, items: &[Item<'_>]) -> Option<Output> {
        let wanted = |item: &Item<'_>| !matches!(item, Item::Call(call) if call.id.is_none());
        let answered = items.iter().zip(self.list).filter(|(item, _)| wanted(item));
        let responses: Vec<_> = answered.map(|(item, reply)| (item.id(), reply)).collect();
        (!responses.is_empty()).then(|| output::list(responses))
    }
}
