//! Batches: calls are answered in their order, neighbours of a kind are run together.
//!
//! - `eth_sendRawTransaction` after `eth_sendRawTransaction`: one recovery in parallel, one lock of the pool.
//! - Methods after methods: one job on one thread, unless they are few and light.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::{
    dispatch::{
        Class, Reply, answer,
        blocking::Deadline,
        budget::{Budget, Share},
        envelope::{Call, Item},
        output,
        service::{Held, Response, Service},
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
    ) -> Option<Response> {
        if items.is_empty() {
            let error = RpcError::new(crate::error::INVALID_REQUEST, "empty batch");
            return Some(self.response(output::refusal(error), Share::default()));
        }
        let known: Vec<Known<'_, '_>> = items.iter().map(|item| (self.entry(item), item)).collect();
        let mut replies = Replies::new(items.len(), self.context.limits.response_bytes, &self.budget);
        let deadline = self.gate.deadline();
        for group in known.chunk_by(|a, b| kind(a.0) != Kind::Alone && kind(a.0) == kind(b.0)) {
            // What would have no room is not done either.
            if let Some(full) = replies.full.clone() {
                replies.extend(vec![Err(full); group.len()]);
                continue;
            }
            match kind(group[0].0) {
                Kind::Raw => replies.extend(self.raw_group(group, deadline).await),
                Kind::Methods => self.method_group(group, deadline, &mut replies).await,
                Kind::Alone => replies.push_held(self.item(group[0].1, session, Some(deadline)).await),
            }
        }
        if replies.starved {
            self.metrics.refused("memory");
        }
        replies.write(items, self)
    }

    fn entry(&self, item: &Item<'_>) -> Option<&Entry> {
        match item {
            Item::Call(call) => self.table.get(&call.method),
            Item::Invalid { .. } => None,
        }
    }

    async fn raw_group(self: &Arc<Self>, group: &[Known<'_, '_>], deadline: Deadline) -> Vec<Reply> {
        let start = Instant::now();
        let replies = self.send_raw(group.iter().map(|(_, item)| raw::parse(params(item))), deadline).await;
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
        let calls = job.len();
        let done = Arc::new(Mutex::new(Replies {
            limit: replies.limit,
            ..Replies::new(calls, replies.room, &self.budget)
        }));
        let (service, into) = (self.clone(), done.clone());
        let work = move || {
            for (name, params) in job {
                if deadline.passed() || into.lock().full.is_some() {
                    break;
                }
                let reply = service.timed(name, params.as_deref(), deadline);
                into.lock().push(reply);
            }
        };
        let end = self.gate.run(deadline, work).await;
        // A job that is late finds no room for what it still brings.
        let done = std::mem::replace(&mut *done.lock(), Replies::new(0, 0, &self.budget));
        let missing = calls - done.list.len();
        let error = match (end, &done.full) {
            (Err(error), _) => error,
            (Ok(()), Some(full)) => full.clone(),
            (Ok(()), None) => RpcError::timed_out(deadline.allowed),
        };
        replies.append(done);
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

/// Replies so far, the memory that they take, and how many more bytes they may have.
struct Replies {
    list: Vec<Reply>,
    budget: Budget,
    share: Share,
    used: usize,
    room: usize,
    limit: usize,
    /// Why no more replies are kept.
    full: Option<RpcError>,
    /// True where that was for want of memory.
    starved: bool,
}

impl Replies {
    fn new(calls: usize, room: usize, budget: &Budget) -> Self {
        let (list, budget) = (Vec::with_capacity(calls), budget.clone());
        Self { list, budget, share: Share::default(), used: 0, room, limit: room, full: None, starved: false }
    }

    /// Keeps a reply, or an error in its place where it, or one before it, was too much.
    fn push(&mut self, reply: Reply) {
        let length = answer::length(&reply);
        if self.full.is_none() && length > self.room {
            self.full = Some(RpcError::too_large(self.limit));
        }
        if self.full.is_none() && !self.budget.grow(&mut self.share, self.used + length) {
            self.full = Some(self.budget.busy());
            self.starved = true;
        }
        if let Some(full) = &self.full {
            return self.list.push(Err(full.clone()));
        }
        self.used += length;
        self.room -= length;
        self.list.push(reply);
    }

    /// [`Replies::push`] of a reply that has its memory already.
    fn push_held(&mut self, held: Held) {
        self.share.absorb(held.share);
        self.push(held.reply);
    }

    fn extend(&mut self, replies: Vec<Reply>) {
        replies.into_iter().for_each(|reply| self.push(reply));
    }

    /// Adds replies that were kept apart within this one's room.
    fn append(&mut self, mut other: Self) {
        self.share.absorb(other.share);
        self.used += other.used;
        self.room = other.room;
        self.full = self.full.take().or(other.full);
        self.starved |= other.starved;
        self.list.append(&mut other.list);
    }

    fn write(self, items: &[Item<'_>], service: &Service) -> Option<Response> {
        let wanted = |item: &Item<'_>| !matches!(item, Item::Call(call) if call.id.is_none());
        let answered = items.iter().zip(self.list).filter(|(item, _)| wanted(item));
        let responses: Vec<_> = answered.map(|(item, reply)| (item.id(), reply)).collect();
        (!responses.is_empty()).then(|| service.response(output::list(responses), self.share))
    }
}
