//! The one thread that writes: whatever waits is one commit. Upholds [OPR-22].

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::metrics::Metrics;
use crate::{
    Store, StoreError,
    store::{Answer, Lane, Outcome, Request},
};

/// Receipts of one commit: about what a fifth of a second writes.
const AT_ONCE: usize = 20_000;

/// What to answer, given the outcomes.
pub(super) type Describe = Box<dyn Fn(&[Outcome]) -> String + Send>;

/// A request on its way to the disk.
pub(super) struct Job {
    pub(super) lane: Lane,
    pub(super) request: Request,
    pub(super) describe: Describe,
    to: oneshot::Sender<Result<Answer, Failed>>,
    /// Its room in the queue.
    _room: OwnedSemaphorePermit,
}

/// A commit failed; nothing of it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// Whether trying again may help.
    pub(super) passing: bool,
}

pub(super) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    room: Arc<Semaphore>,
}

impl Writer {
    /// Starts the thread; it ends when the writer is dropped and all that waits is written.
    pub(super) fn start(store: Store, queue: usize, metrics: Metrics) -> Self {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(queue.clamp(1, Semaphore::MAX_PERMITS)));
        let _detached = std::thread::Builder::new()
            .name("receipts".into())
            .spawn(move || write_all(&store, waiting, &metrics))
            .inspect_err(|error| tracing::error!(%error, "the writing thread could not be started"));
        Self { jobs, room }
    }

    /// Queues a request and waits until it is on disk; `None` when the queue is full.
    pub(super) async fn write(
        &self,
        lane: Lane,
        request: Request,
        describe: Describe,
    ) -> Option<Result<Answer, Failed>> {
        let wanted = u32::try_from(request.receipts.len().max(1)).ok()?;
        let _room = Arc::clone(&self.room).try_acquire_many_owned(wanted).ok()?;
        let (to, answer) = oneshot::channel();
        let gone = Failed { passing: false };
        if self.jobs.send(Job { lane, request, describe, to, _room }).is_err() {
            return Some(Err(gone));
        }
        Some(answer.await.unwrap_or(Err(gone)))
    }
}

fn write_all(store: &Store, mut waiting: mpsc::UnboundedReceiver<Job>, metrics: &Metrics) {
    while let Some(first) = waiting.blocking_recv() {
        let mut count = first.request.receipts.len();
        let mut lanes: BTreeMap<String, Vec<Job>> = BTreeMap::new();
        lanes.entry(first.lane.name.clone()).or_default().push(first);
        while count < AT_ONCE
            && let Ok(job) = waiting.try_recv()
        {
            count += job.request.receipts.len();
            lanes.entry(job.lane.name.clone()).or_default().push(job);
        }
        metrics.queued.set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
        for jobs in lanes.into_values() {
            let begun = Instant::now();
            commit(store, jobs);
            metrics.commit.observe(begun.elapsed().as_secs_f64());
        }
    }
}

fn commit(store: &Store, mut jobs: Vec<Job>) {
    let Some(lane) = jobs.first().map(|job| job.lane.clone()) else { return };
    let take = |job: &mut Job| std::mem::replace(&mut job.request, Request::empty());
    let requests: Vec<Request> = jobs.iter_mut().map(take).collect();
    let result = store.carry_out(&lane, &requests, |number, outcomes| (jobs[number].describe)(outcomes));
    let failed = |error: &StoreError| {
        tracing::error!(%error, requests = requests.len(), "a commit failed; its requests are answered so");
        Failed { passing: error.is_passing() }
    };
    let answers = match result {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(failed(&error)); jobs.len()],
    };
    for (job, answer) in jobs.into_iter().zip(answers) {
        // Whoever asked may have left.
        let _gone = job.to.send(answer);
    }
}
