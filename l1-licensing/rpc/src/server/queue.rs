//! What waits to be written to a WebSocket.
//!
//! Answers are bounded by not reading further calls while many wait; each brings its share of the server's memory. Notices
//! (pings, notifications) are not asked for one by one: they take their memory here, and a connection that does not take
//! them is ended when it has too many, or when there is no memory for more.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use parking_lot::Mutex;
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::{
    dispatch::{budget::Share, output::Output, service::Response},
    server::Shared,
};

/// Below this a connection is read from; above it the peer must first take what it asked for.
const ENOUGH: usize = 256 * 1024;

/// The peer does not read what it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSlow;

/// The sending end of a connection's queue. It is bounded in bytes, not messages, so the channel need not be.
pub(super) struct Queue {
    sender: UnboundedSender<Queued>,
    level: Arc<Level>,
    shared: Arc<Shared>,
}

/// A message, whether its peer asked for it, and the memory that it takes.
struct Queued {
    message: Message,
    notice: bool,
    share: Share,
}

/// How full a queue is, in bytes.
#[derive(Debug, Default)]
struct Level {
    all: AtomicUsize,
    notices: AtomicUsize,
    /// The memory of all notices together: one alone is small.
    share: Mutex<Share>,
    drained: Notify,
}

/// The other end; runs until the queue is dropped and empty, or the connection breaks.
pub(super) struct Drain {
    receiver: UnboundedReceiver<Queued>,
    level: Arc<Level>,
}

impl Queue {
    /// Both ends of a queue.
    pub(super) fn new(shared: Arc<Shared>) -> (Self, Drain) {
        let (sender, receiver) = unbounded_channel();
        let level = Arc::new(Level::default());
        let drain = Drain { receiver, level: level.clone() };
        (Self { sender, level, shared }, drain)
    }

    /// Queues an answer.
    pub(super) fn answer(&self, response: Response) {
        if let Some(text) = text(response.text) {
            self.add(Queued { message: Message::Text(text), notice: false, share: response.share });
        }
    }

    /// Queues a notification.
    ///
    /// # Errors
    /// [`TooSlow`] where more of them wait than the limits allow, or than there is memory for.
    pub(super) fn notify(&self, output: Output) -> Result<(), TooSlow> {
        let service = &self.shared.service;
        let waiting = self.level.notices.load(Relaxed);
        if waiting > service.context.limits.ws_queue_bytes {
            return Err(TooSlow);
        }
        let Some(text) = text(output) else { return Ok(()) };
        if !service.budget.grow(&mut self.level.share.lock(), waiting + text.len()) {
            return Err(TooSlow);
        }
        self.send(Message::Text(text));
        Ok(())
    }

    /// Queues a ping or a farewell.
    pub(super) fn send(&self, message: Message) {
        self.add(Queued { message, notice: true, share: Share::default() });
    }

    fn add(&self, queued: Queued) {
        self.level.add(queued.sizes());
        if let Err(refused) = self.sender.send(queued) {
            self.level.subtract(refused.0.sizes());
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
    fn add(&self, (all, notices): (usize, usize)) {
        self.all.fetch_add(all, Relaxed);
        self.notices.fetch_add(notices, Relaxed);
    }

    fn subtract(&self, (all, notices): (usize, usize)) {
        self.all.fetch_sub(all, Relaxed);
        if notices > 0 {
            let mut share = self.share.lock();
            let left = self.notices.fetch_sub(notices, Relaxed) - notices;
            share.shrink(left);
        }
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
    /// Writes what is queued, as much at once as there is. What was handed over keeps its memory until it is flushed.
    pub(super) async fn run(mut self, mut sink: SplitSink<WebSocket, Message>) {
        while let Some(mut queued) = self.receiver.recv().await {
            let (mut written, mut shares) = ((0, 0), Share::default());
            let mut ok;
            loop {
                let (all, notices) = queued.sizes();
                written = (written.0 + all, written.1 + notices);
                shares.absorb(queued.share);
                ok = sink.feed(queued.message).await.is_ok();
                if !ok {
                    break;
                }
                match self.receiver.try_recv() {
                    Ok(next) => queued = next,
                    Err(_) => break,
                }
            }
            ok = ok && sink.flush().await.is_ok();
            self.level.subtract(written);
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
            self.level.subtract(queued.sizes());
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
