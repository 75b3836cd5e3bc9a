//! `eth_sendRawTransaction`.
//!
//! Calls that arrive while a submission runs are submitted together when it ends, whichever connections they came on: one
//! recovery over all cores, one lock of the pool, and one sync of its journal for all of them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use alloy_primitives::{B256, Bytes};
use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::{sync::oneshot, task::spawn_blocking, time::timeout_at};

use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply, blocking::Deadline, service::Service},
    error::RpcError,
};

/// What the pool said of one transaction.
pub(crate) type Submitted = Result<B256, RpcError>;

/// Submissions that run at once: while one waits for the journal, the next one recovers senders.
const JOBS: usize = 2;

/// Transactions of one job; the rest wait for the next.
const JOB_TXS: usize = 4_096;

/// Gathers submissions.
#[derive(Debug, Default)]
pub(crate) struct Submitter(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    groups: Vec<Group>,
    jobs: usize,
}

/// What one call or one batch submits.
#[derive(Debug)]
struct Group {
    raw: Vec<Bytes>,
    done: oneshot::Sender<Vec<Submitted>>,
}

/// Reads a call's transaction.
///
/// # Errors
/// Parameters of the wrong number or type.
pub(crate) fn parse(params: Option<&RawValue>) -> Result<Bytes, RpcError> {
    let params = Params::parse(params)?;
    params.at_most(1)?;
    params.required(0)
}

/// A hash as the answer of a call.
pub(crate) fn answer(hash: B256) -> Answer {
    let mut text = Vec::with_capacity(68);
    text.extend_from_slice(b"\"0x");
    text.extend_from_slice(alloy_primitives::hex::encode(hash).as_bytes());
    text.push(b'"');
    text.into()
}

impl Service {
    /// Submits the good ones of `parsed` together; one reply each, in order.
    pub(crate) async fn send_raw(
        self: &Arc<Self>,
        parsed: impl IntoIterator<Item = Result<Bytes, RpcError>>,
        deadline: Deadline,
    ) -> Vec<Reply> {
        let mut replies: Vec<Option<RpcError>> = Vec::new();
        let mut raw = Vec::new();
        for tx in parsed {
            match tx {
                Ok(tx) => {
                    raw.push(tx);
                    replies.push(None);
                }
                Err(error) => replies.push(Some(error)),
            }
        }
        let mut submitted = self.submit(raw, deadline).await.into_iter();
        let missing = || Err(RpcError::internal("a transaction without a result"));
        let take = |refused: Option<RpcError>| match refused {
            Some(error) => Err(error),
            None => submitted.next().unwrap_or_else(missing).map(answer),
        };
        replies.into_iter().map(take).collect()
    }

    /// Submits transactions and waits for the pool's word on each.
    pub(crate) async fn submit(self: &Arc<Self>, raw: Vec<Bytes>, deadline: Deadline) -> Vec<Submitted> {
        if raw.is_empty() {
            return Vec::new();
        }
        let count = raw.len();
        let (done, result) = oneshot::channel();
        if self.submitter.join(Group { raw, done }) {
            let service = self.clone();
            spawn_blocking(move || service.submitter.work(&service.context));
        }
        let error = match timeout_at(deadline.at.into(), result).await {
            Ok(Ok(submitted)) => return submitted,
            Ok(Err(_)) => RpcError::internal("submission crashed; the node's log has the details"),
            Err(_) => RpcError::timed_out(deadline.allowed),
        };
        std::iter::repeat_n(error, count).map(Err).collect()
    }
}

impl Submitter {
    /// Adds a group; true when the caller must start a job for it.
    fn join(&self, group: Group) -> bool {
        let mut waiting = self.0.lock();
        waiting.groups.push(group);
        let start = waiting.jobs < JOBS;
        waiting.jobs += usize::from(start);
        start
    }

    /// Submits what waits until nothing does. A submission that panics answers its own callers only.
    fn work(&self, context: &Context) {
        while let Some(groups) = self.take() {
            let sizes: Vec<usize> = groups.iter().map(|group| group.raw.len()).collect();
            let (raw, done): (Vec<_>, Vec<_>) =
                groups.into_iter().map(|group| (group.raw, group.done)).unzip();
            let raw = raw.into_iter().flatten().collect();
            let Ok(submitted) = catch_unwind(AssertUnwindSafe(|| context.submit(raw))) else {
                tracing::error!(transactions = sizes.iter().sum::<usize>(), "a submission panicked");
                continue;
            };
            let mut submitted = submitted.into_iter();
            for (size, done) in sizes.into_iter().zip(done) {
                // A caller that went away does not need to know.
                let _ = done.send(submitted.by_ref().take(size).collect());
            }
        }
    }

    /// The next groups in the order of their arrival. `None` ends the job: under the same lock, so that a group which
    /// joins now starts another.
    fn take(&self) -> Option<Vec<Group>> {
        let mut waiting = self.0.lock();
        let mut txs = 0;
        let fits = waiting.groups.iter().take_while(|group| {
            let first = txs == 0;
            txs += group.raw.len();
            first || txs <= JOB_TXS
        });
        let count = fits.count();
        if count == 0 {
            waiting.jobs -= 1;
            return None;
        }
        Some(waiting.groups.drain(..count).collect())
    }
}
