//! What a connection is doing, so that one that only takes up room is closed.
//!
//! Every request would need two timers (for its head, for its answer to be taken). Instead the connection notes what it
//! does in a few atomics, and one slow timer per connection looks at them.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::dispatch::budget::{Budget, Share};

/// What reading fails with where a message that is still arriving has no room.
pub(super) const NO_MEMORY: &str = "no memory for a message that is still arriving";

/// A connection's notes. Times are milliseconds since it was opened, plus one, so that zero can say "never".
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    requests: AtomicUsize,
    last_request: AtomicU64,
    blocked_since: AtomicU64,
    /// Of a WebSocket: what of its next message has arrived.
    arriving: Mutex<Option<Arriving>>,
    budget: Budget,
}

/// Bytes of a message that is not complete, and their share of the memory.
#[derive(Debug, Default)]
struct Arriving {
    bytes: usize,
    share: Share,
}

/// A request between its head's arrival and the end of its answer.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Activity {
    /// A connection opened now.
    pub(super) fn new(budget: Budget) -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            requests: AtomicUsize::new(0),
            last_request: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            arriving: Mutex::default(),
            budget,
        })
    }

    /// From now on the connection is a WebSocket, whose messages are put together out of our sight.
    pub(super) fn frames(&self) {
        *self.arriving.lock() = Some(Arriving::default());
    }

    /// A message is complete: its share of the memory goes with it.
    pub(super) fn heard(&self) -> Share {
        self.arriving.lock().as_mut().map(std::mem::take).unwrap_or_default().share
    }

    /// Counts what a message has so far.
    fn read(&self, bytes: usize) -> io::Result<()> {
        let mut arriving = self.arriving.lock();
        let Some(arriving) = &mut *arriving else { return Ok(()) };
        arriving.bytes += bytes;
        match self.budget.grow(&mut arriving.share, arriving.bytes) {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::OutOfMemory, NO_MEMORY)),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn since(&self, moment: u64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(moment))
    }

    /// Notes a request.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Relaxed);
        Busy(self.clone())
    }

    /// How long no request has been in progress.
    pub(super) fn idle(&self) -> Duration {
        match self.requests.load(Relaxed) {
            0 => self.since(self.last_request.load(Relaxed)),
            _ => Duration::ZERO,
        }
    }

    /// How long the peer has not accepted a byte that was ready for it.
    pub(super) fn blocked(&self) -> Duration {
        match self.blocked_since.load(Relaxed) {
            0 => Duration::ZERO,
            moment => self.since(moment),
        }
    }

    fn wrote<T>(&self, result: Poll<T>) -> Poll<T> {
        match result {
            Poll::Pending if self.blocked_since.load(Relaxed) == 0 => {
                self.blocked_since.store(self.now(), Relaxed);
            }
            Poll::Ready(_) if self.blocked_since.load(Relaxed) != 0 => self.blocked_since.store(0, Relaxed),
            _ => {}
        }
        result
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.last_request.store(self.0.now(), Relaxed);
        self.0.requests.fetch_sub(1, Relaxed);
    }
}

/// A stream whose writes are noted.
#[derive(Debug)]
pub(super) struct Noted<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Noted<S> {
    /// Notes `stream`'s writes in `activity`.
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match buffer.filled().len() - before {
            0 => result,
            bytes => result.map(|read| read.and_then(|()| self.activity.read(bytes))),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.activity.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.activity.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_busy_until_its_last_answer_is_gone() {
        let activity = Activity::new(Budget::new(0));
        let (first, second) = (activity.begin(), activity.begin());
        drop(first);
        assert_eq!(activity.idle(), Duration::ZERO);
        drop(second);
        assert_eq!(activity.requests.load(Relaxed), 0);
        assert!(activity.last_request.load(Relaxed) > 0);
    }

    #[test]
    fn a_message_that_is_still_arriving_takes_room_until_it_is_complete() {
        let budget = Budget::new(100 * 1024);
        let activity = Activity::new(budget.clone());
        activity.read(1_000_000).expect("the bodies of requests are counted elsewhere");
        activity.frames();
        activity.read(60 * 1024).expect("room");
        assert_eq!(budget.used(), 60 * 1024);
        assert!(activity.read(60 * 1024).unwrap_err().to_string().contains(NO_MEMORY));
        drop(activity.heard());
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_write_that_the_peer_does_not_take_is_noted_until_it_does() {
        let activity = Activity::new(Budget::new(0));
        let _: Poll<()> = activity.wrote(Poll::Pending);
        assert!(activity.blocked_since.load(Relaxed) > 0);
        let _ = activity.wrote(Poll::Ready(()));
        assert_eq!(activity.blocked(), Duration::ZERO);
    }
}
