//! What waits to be written to a WebSocket.
//!
//! Answers are bounded by not reading further calls while many wait. Notices (pings, notifications) are not asked for one
//! by one: they are bounded by ending a connection that does not take them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::{dispatch::output::Output, server::Shared};

/// Below this a connection is read from; above it the peer must first take what it asked for.
const ENOUGH: usize = 1024 * 1024;

/// The peer does not read what it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

/// The sending end of a connection's queue. It is bounded in bytes, not messages, so the channel need not be.
pub(super) struct Queue {
    sender: UnboundedSender<Queued>,
    level: Arc<Level>,
    shared: Arc<Shared>,
}

/// A message and whether its peer asked for it.
struct Queued {
    message: Message,
    notice: bool,
}

/// How full a queue is, in bytes.
#[derive(Debug, Default)]
struct Level {
    all: AtomicUsize,
    notices: AtomicUsize,
    drained: Notify,
}

/// The other end; runs until the queue is dropped and empty, or the connection breaks.
pub(super) struct Drain {
    receiver: UnboundedReceiver<Queued>,
    level: Arc<Level>,
    shared: Arc<Shared>,
}

impl Queue {
    /// Both ends of a queue.
    pub(super) fn new(shared: Arc<Shared>) -> (Self, Drain) {
        let (sender, receiver) = unbounded_channel();
        let level = Arc::new(Level::default());
        let drain = Drain { receiver, level: level.clone(), shared: shared.clone() };
        (Self { sender, level, shared }, drain)
    }

    /// Queues an answer.
    pub(super) fn answer(&self, output: Output) {
        if let Some(text) = text(output) {
            self.add(Queued { message: Message::Text(text), notice: false });
        }
    }

    /// Queues a notification.
    ///
    /// # Errors
    /// [`TooSlow`] where more of them wait than the limits allow: for this connection, or for all of them while this one
    /// is among those that are behind.
    pub(super) fn notify(&self, output: Output) -> Result<(), TooSlow> {
        let limits = &self.shared.service.context.limits;
        let waiting = self.level.notices.load(Relaxed);
        let all = self.shared.queued.load(Relaxed);
        if waiting > limits.ws_queue_bytes || (waiting > ENOUGH && all > limits.memory_bytes) {
            return Err(TooSlow);
        }
        if let Some(text) = text(output) {
            self.add(Queued { message: Message::Text(text), notice: true });
        }
        Ok(())
    }

    /// Queues a ping or a farewell.
    pub(super) fn send(&self, message: Message) {
        self.add(Queued { message, notice: true });
    }

    fn add(&self, queued: Queued) {
        self.level.add(&self.shared, &queued);
        if let Err(refused) = self.sender.send(queued) {
            self.level.done(&self.shared, &refused.0);
        }
    }

    /// True where the peer has little to catch up with.
    pub(super) fn has_room(&self) -> bool {
        self.level.all.load(Relaxed) < ENOUGH
    }

    /// Resolves when some was written.
    pub(super) async fn drained(&self) {
        self.level.drained.notified().await;
    }
}

impl Level {
    fn add(&self, shared: &Shared, queued: &Queued) {
        let (all, notices) = queued.sizes();
        self.all.fetch_add(all, Relaxed);
        self.notices.fetch_add(notices, Relaxed);
        shared.queued.fetch_add(all, Relaxed);
    }

    fn done(&self, shared: &Shared, queued: &Queued) {
        self.subtract(shared, queued.sizes());
    }

    fn subtract(&self, shared: &Shared, (all, notices): (usize, usize)) {
        self.all.fetch_sub(all, Relaxed);
        self.notices.fetch_sub(notices, Relaxed);
        shared.queued.fetch_sub(all, Relaxed);
    }
}

impl Queued {
    /// Bytes, and bytes of notices.
    fn sizes(&self) -> (usize, usize) {
        let size = size(&self.message);
        (size, if self.notice { size } else { 0 })
    }
}

impl Drain {
    /// Writes what is queued, as much at once as there is.
    pub(super) async fn run(mut self, mut sink: SplitSink<WebSocket, Message>) {
        while let Some(queued) = self.receiver.recv().await {
            let mut written = queued.sizes();
            let mut ok = sink.feed(queued.message).await.is_ok();
            while ok && let Ok(queued) = self.receiver.try_recv() {
                let (all, notices) = queued.sizes();
                written = (written.0 + all, written.1 + notices);
                ok = sink.feed(queued.message).await.is_ok();
            }
            ok = ok && sink.flush().await.is_ok();
            self.level.subtract(&self.shared, written);
            self.level.drained.notify_one();
            if !ok {
                return;
            }
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.receiver.close();
        while let Ok(queued) = self.receiver.try_recv() {
            self.level.done(&self.shared, &queued);
        }
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

fn text(mut output: Output) -> Option<Utf8Bytes> {
    let bytes = match output.len() {
        0 => return None,
        1 => output.remove(0),
        _ => Bytes::from(output.concat()),
    };
    // Every piece was written by us from strings.
    Utf8Bytes::try_from(bytes).ok()
}
