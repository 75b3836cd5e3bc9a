//! Work that would hold up other connections runs on threads of its own ([`crew`](super::crew)): a bounded number at
//! once, each with a time limit, and a panic in it is an answer and not an end.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::timeout_at};

use crate::{
    dispatch::{
        Reply,
        crew::{Crew, LONG},
    },
    error::RpcError,
};

/// Admits work and times it.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    crew: Arc<Crew>,
    allowed: Duration,
}

/// When a piece of work must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// The moment.
    pub(crate) at: Instant,
    /// The time that it had from the start.
    pub(crate) allowed: Duration,
}

impl Deadline {
    /// True from the moment on.
    pub(crate) fn passed(&self) -> bool {
        Instant::now() >= self.at
    }
}

impl Gate {
    /// `slots` pieces of work at once, each within `allowed` including the wait for its slot.
    pub(crate) fn new(slots: usize, allowed: Duration) -> Self {
        Self { crew: Arc::new(Crew::new(slots)), allowed }
    }

    /// A deadline from now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline { at: Instant::now() + self.allowed, allowed: self.allowed }
    }

    /// Runs `work` off the connections' workers. When its time is up the caller is told so at once; work that has begun
    /// holds its slot until it notices, work that has not is dropped.
    ///
    /// # Errors
    /// [`crate::error::TIMED_OUT`]; [`crate::error::INTERNAL_ERROR`] where `work` panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RpcError> {
        let (done, mut result) = oneshot::channel();
        self.crew.push(Box::new(move || {
            // Nobody waits any more: the time was up, or the caller went away.
            if !done.is_closed() {
                let _ = done.send(work());
            }
        }));
        loop {
            let look = deadline.at.min(Instant::now() + LONG);
            match timeout_at(look.into(), &mut result).await {
                Ok(done) => return done.map_err(|_| crashed()),
                Err(_) if deadline.passed() => return Err(RpcError::timed_out(self.allowed)),
                Err(_) => self.crew.relieve(),
            }
        }
    }
}

/// Runs a method; a panic becomes an error and is logged with the method's name.
pub(crate) fn guarded(method: &'static str, run: impl FnOnce() -> Reply) -> Reply {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        tracing::error!(method, panic = message(&*panic), "a method panicked");
        Err(crashed())
    })
}

fn crashed() -> RpcError {
    RpcError::internal("method handler crashed; the node's log has the details")
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "no message",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{
        dispatch::Answer,
        error::{INTERNAL_ERROR, TIMED_OUT},
    };

    #[test]
    fn a_panic_is_an_answer() {
        let error = guarded("test_panic", || panic!("on purpose")).unwrap_err();
        assert_eq!(error.code, INTERNAL_ERROR);
        assert!(guarded("test_fine", || Ok(Answer::NULL)).is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn work_that_takes_too_long_is_reported_and_keeps_its_slot_until_it_ends() {
        let gate = Gate::new(1, Duration::from_millis(50));
        let (release, wait) = mpsc::channel::<()>();
        let slow = gate.run(gate.deadline(), move || wait.recv()).await;
        assert_eq!(slow.unwrap_err().code, TIMED_OUT);
        let blocked = gate.run(gate.deadline(), || ()).await;
        assert_eq!(blocked.unwrap_err().code, TIMED_OUT, "the slot is still taken");
        release.send(()).unwrap();
        let patient = Gate { allowed: Duration::from_secs(30), ..gate };
        patient.run(patient.deadline(), || ()).await.unwrap();
    }

    #[tokio::test]
    async fn work_that_panics_frees_its_slot() {
        let gate = Gate::new(1, Duration::from_secs(30));
        let result: Result<(), _> = gate.run(gate.deadline(), || panic!("on purpose")).await;
        assert_eq!(result.unwrap_err().code, INTERNAL_ERROR);
        gate.run(gate.deadline(), || ()).await.unwrap();
    }
}
