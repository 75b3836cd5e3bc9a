//! What waits to be written to a WebSocket.

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
    sender: UnboundedSender<Message>,
    level: Arc<Level>,
    shared: Arc<Shared>,
}

/// How full a queue is.
#[derive(Debug, Default)]
struct Level {
    bytes: AtomicUsize,
    drained: Notify,
}

/// The other end; runs until the queue is dropped and empty, or the connection breaks.
pub(super) struct Drain {
    receiver: UnboundedReceiver<Message>,
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

    /// Queues text.
    ///
    /// # Errors
    /// [`TooSlow`] where more waits than the limits allow: for this connection, or for all of them while this one is
    /// among those that are behind.
    pub(super) fn push(&self, output: Output) -> Result<(), TooSlow> {
        let limits = &self.shared.service.context.limits;
        let waiting = self.level.bytes.load(Relaxed);
        let all = self.shared.queued.load(Relaxed);
        if waiting > limits.ws_queue_bytes || (waiting > ENOUGH && all > limits.memory_bytes) {
            return Err(TooSlow);
        }
        if let Some(text) = text(output) {
            self.send(Message::Text(text));
        }
        Ok(())
    }

    /// Queues a message whatever waits: pings and farewells.
    pub(super) fn send(&self, message: Message) {
        let bytes = size(&message);
        self.level.bytes.fetch_add(bytes, Relaxed);
        self.shared.queued.fetch_add(bytes, Relaxed);
        if self.sender.send(message).is_err() {
            self.level.done(&self.shared, bytes);
        }
    }

    /// True where the peer has little to catch up with.
    pub(super) fn has_room(&self) -> bool {
        self.level.bytes.load(Relaxed) < ENOUGH
    }

    /// Resolves when some was written.
    pub(super) async fn drained(&self) {
        self.level.drained.notified().await;
    }
}

impl Level {
    fn done(&self, shared: &Shared, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
        shared.queued.fetch_sub(bytes, Relaxed);
    }
}

impl Drain {
    /// Writes what is queued, as much at once as there is.
    pub(super) async fn run(mut self, mut sink: SplitSink<WebSocket, Message>) {
        while let Some(message) = self.receiver.recv().await {
            let mut written = size(&message);
            let mut ok = sink.feed(message).await.is_ok();
            while ok && let Ok(message) = self.receiver.try_recv() {
                written += size(&message);
                ok = sink.feed(message).await.is_ok();
            }
            ok = ok && sink.flush().await.is_ok();
            self.level.done(&self.shared, written);
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
        while let Ok(message) = self.receiver.try_recv() {
            self.level.done(&self.shared, size(&message));
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
