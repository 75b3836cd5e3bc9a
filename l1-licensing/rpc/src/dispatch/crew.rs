//! The threads that run heavy methods.
//!
//! Waking a thread costs as much as a small `eth_call`. So no more threads are awake than there are cores, each takes the
//! next job when it has done one, and under load none goes to sleep. Jobs that take long would then hold up short ones
//! behind them: they do not count, and another thread is woken in their place, up to the limit.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// A job that has run for this long is long: it no longer counts against the threads that are kept awake.
pub(super) const LONG: Duration = Duration::from_millis(5);

/// A thread with nothing to do for this long ends.
const REST: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// A crew; its threads end with it.
#[derive(Debug)]
pub(super) struct Crew(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    wake: Condvar,
    /// Threads kept awake for short jobs.
    awake: usize,
    /// Threads in all.
    most: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// When each running job began.
    running: Vec<Instant>,
    /// Threads that wait to be woken, and those of them that were and have not noticed yet.
    idle: usize,
    woken: usize,
    closed: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("awake", &self.awake).field("most", &self.most).finish_non_exhaustive()
    }
}

impl Crew {
    /// A crew of at most `most` threads. None runs yet.
    pub(super) fn new(most: usize) -> Self {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        Self::with_cores(most, cores)
    }

    fn with_cores(most: usize, cores: usize) -> Self {
        let most = most.max(1);
        let (state, wake) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Inner { state, wake, awake: cores.clamp(1, most), most }))
    }

    /// Queues a job. Jobs begin in the order of their arrival.
    pub(super) fn push(&self, job: Job) {
        let mut state = self.0.state.lock();
        state.jobs.push_back(job);
        self.0.staff(state);
    }

    /// Looks whether long jobs hold up others. Whoever waits for a job calls this every [`LONG`].
    pub(super) fn relieve(&self) {
        self.0.staff(self.0.state.lock());
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.0.state.lock().closed = true;
        self.0.wake.notify_all();
    }
}

impl State {
    /// Jobs that run and are not long.
    fn short(&self) -> usize {
        self.running.iter().filter(|begun| begun.elapsed() < LONG).count()
    }
}

impl Inner {
    /// Wakes or starts one more thread where one is needed.
    fn staff(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let busy = state.running.len() + state.woken;
        let needed = !state.jobs.is_empty() && busy < self.most;
        if !needed || (busy >= self.awake && state.short() + state.woken >= self.awake) {
            return;
        }
        state.woken += 1;
        if state.idle >= state.woken {
            drop(state);
            self.wake.notify_one();
            return;
        }
        drop(state);
        let inner = self.clone();
        let started = thread::Builder::new().name("rpc-heavy".into()).spawn(move || inner.work());
        if let Err(error) = started {
            // Those that run take the job later.
            tracing::warn!(%error, "a thread could not be started");
            self.state.lock().woken -= 1;
        }
    }

    /// A thread's life: jobs while there are any, then rest.
    fn work(&self) {
        let mut state = self.state.lock();
        state.woken = state.woken.saturating_sub(1);
        loop {
            state = self.run_all(state);
            if state.closed {
                return;
            }
            state.idle += 1;
            let rested = self.wake.wait_for(&mut state, REST).timed_out();
            state.idle -= 1;
            if state.woken > 0 {
                state.woken -= 1;
            } else if rested && state.jobs.is_empty() {
                return;
            }
        }
    }

    /// Runs jobs until there are none, or others suffice for them.
    fn run_all<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while !state.closed {
            let busy = state.running.len();
            if busy >= self.awake && (busy >= self.most || state.short() >= self.awake) {
                break;
            }
            let Some(job) = state.jobs.pop_front() else { break };
            let begun = Instant::now();
            state.running.push(begun);
            MutexGuard::unlocked(&mut state, || {
                if catch_unwind(AssertUnwindSafe(job)).is_err() {
                    tracing::error!("a job of the RPC server panicked");
                }
            });
            // Which of two that began at once is taken out makes no difference.
            if let Some(at) = state.running.iter().position(|other| *other == begun) {
                state.running.swap_remove(at);
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Queues a job that says that it began and waits to be let go.
    fn hold(crew: &Crew, begun: &Sender<usize>, n: usize) -> Sender<()> {
        let (release, wait) = channel::<()>();
        let begun = begun.clone();
        crew.push(Box::new(move || {
            begun.send(n).unwrap();
            let _ = wait.recv();
        }));
        release
    }

    /// Relieves as callers do, until a job says that it began.
    fn next(crew: &Crew, begun: &Receiver<usize>) -> Option<usize> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Ok(n) = begun.recv_timeout(LONG) {
                return Some(n);
            }
            crew.relieve();
        }
        None
    }

    #[test]
    fn every_job_runs_once_and_in_order_on_one_core() {
        let crew = Crew::with_cores(4, 1);
        let (done, results) = channel();
        for n in 0..1000 {
            let done = done.clone();
            crew.push(Box::new(move || done.send(n).unwrap()));
        }
        let got: Vec<i32> = (0..1000).map(|_| results.recv_timeout(PATIENCE).unwrap()).collect();
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn long_jobs_do_not_hold_up_those_behind_them() {
        let crew = Crew::with_cores(3, 1);
        let (begun, begins) = channel();
        let long: Vec<_> = (0..2).map(|n| hold(&crew, &begun, n)).collect();
        assert_eq!(next(&crew, &begins), Some(0));
        assert_eq!(next(&crew, &begins), Some(1), "the first became long");
        let last = hold(&crew, &begun, 2);
        assert_eq!(next(&crew, &begins), Some(2));
        drop((long, last));
    }

    #[test]
    fn no_more_jobs_run_at_once_than_allowed() {
        let crew = Crew::with_cores(2, 1);
        let (begun, begins) = channel();
        let first = hold(&crew, &begun, 0);
        let second = hold(&crew, &begun, 1);
        let third = hold(&crew, &begun, 2);
        assert_eq!((next(&crew, &begins), next(&crew, &begins)), (Some(0), Some(1)));
        for _ in 0..20 {
            crew.relieve();
            assert!(begins.recv_timeout(LONG).is_err(), "two run already");
        }
        drop(first);
        assert_eq!(next(&crew, &begins), Some(2));
        drop((second, third));
    }

    #[test]
    fn a_panic_costs_no_thread() {
        let crew = Crew::with_cores(1, 1);
        let (done, results) = channel();
        for _ in 0..10 {
            let done = done.clone();
            crew.push(Box::new(|| panic!("on purpose")));
            crew.push(Box::new(move || done.send(()).unwrap()));
        }
        for _ in 0..10 {
            results.recv_timeout(PATIENCE).unwrap();
        }
    }

    #[test]
    fn many_callers_at_once_lose_nothing() {
        let crew = Crew::with_cores(4, 2);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let (done, results) = channel();
                    for n in 0..2000 {
                        let done = done.clone();
                        crew.push(Box::new(move || done.send(n).unwrap()));
                        assert_eq!(results.recv_timeout(PATIENCE), Ok(n));
                    }
                });
            }
        });
    }
}
