//! One WebSocket: calls, batches and subscriptions.
//!
//! Calls of one connection execute side by side up to a limit; then, or while the peer does not read its answers, nothing
//! more is read from it. What it did not ask for (notifications) cannot be held back, so a peer that does not read those
//! is disconnected.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use chlom_primitives::Tx;
use futures_util::{
    StreamExt,
    stream::{FuturesUnordered, SplitStream},
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, MissedTickBehavior, interval, timeout},
};

use crate::{
    context::NewBlock,
    dispatch::{
        budget::Share,
        service::{Response, Service},
    },
    server::{
        Phase,
        activity::NO_MEMORY,
        connection::Connection,
        queue::{Queue, TooSlow},
    },
    subscribe::Session,
};

/// A quiet peer is asked whether it is still there this often.
const PING: Duration = Duration::from_secs(30);
/// A peer that has said nothing for this long, not even to a ping, is gone.
const SILENCE: Duration = Duration::from_secs(100);
/// How long the last messages may take to be written.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The peer left or broke off.
    Gone,
    /// We say why.
    Told { code: u16, reason: String },
    /// It does not read: telling it anything is useless.
    Stuck,
}

impl From<TooSlow> for End {
    fn from(_: TooSlow) -> Self {
        Self::Stuck
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve(socket: WebSocket, connection: Arc<Connection>) {
    let metrics = connection.shared.service.metrics.clone();
    metrics.sockets.inc();
    connection.activity.frames();
    let (sink, stream) = socket.split();
    let (queue, drain) = Queue::new(connection.shared.clone());
    let mut writer = tokio::spawn(drain.run(sink));
    let mut socket = Socket::new(connection, queue);
    let end = tokio::select! {
        end = socket.run(stream) => end,
        _ = &mut writer => End::Gone,
    };
    socket.count(0);
    metrics.sockets.dec();
    match end {
        End::Stuck => metrics.refused("slow_socket"),
        End::Gone => {}
        End::Told { code, reason } => {
            socket.queue.send(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
            drop(socket);
            let _ = timeout(FAREWELL, &mut writer).await;
        }
    }
    writer.abort();
}

/// A message and the memory that it takes.
struct Heard {
    body: Bytes,
    share: Share,
}

struct Socket {
    connection: Arc<Connection>,
    session: Arc<Session>,
    queue: Queue,
    heads: Option<Receiver<NewBlock>>,
    pending: Option<Receiver<Arc<Tx>>>,
    heard: Instant,
    pinged: Instant,
    counted: i64,
}

impl Socket {
    fn new(connection: Arc<Connection>, queue: Queue) -> Self {
        let service = &connection.shared.service;
        let session = Session::new(service.context.clone(), service.filters.terms.clone());
        let now = Instant::now();
        Self { connection, session, queue, heads: None, pending: None, heard: now, pinged: now, counted: 0 }
    }

    async fn run(&mut self, mut stream: SplitStream<WebSocket>) -> End {
        let mut running = FuturesUnordered::new();
        let mut phase = self.connection.shared.phase.clone();
        let mut look = self.timer();
        let most = self.connection.shared.service.context.limits.ws_calls.max(1);
        loop {
            let room = self.queue.has_room();
            let step = tokio::select! {
                biased;
                _ = phase.wait_for(|phase| *phase > Phase::Open) => Err(End::Told {
                    code: close_code::AWAY,
                    reason: "the node is shutting down".into(),
                }),
                Some(output) = running.next(), if room && !running.is_empty() => self.answered(output),
                head = next(&mut self.heads) => self.on_block(head),
                tx = next(&mut self.pending) => self.on_pending(tx),
                message = stream.next(), if room && running.len() < most => match self.heard(message) {
                    Ok(Some(heard)) => self.begin(heard).map(|work| running.push(work)),
                    Ok(None) => Ok(()),
                    Err(end) => Err(end),
                },
                () = self.queue.drained(), if !room => Ok(()),
                _ = look.tick() => self.look(),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn timer(&self) -> Interval {
        let mut look = interval(self.connection.look_every());
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look
    }

    /// What a message asks; `None` where it asks nothing.
    fn heard(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<Option<Heard>, End> {
        self.heard = Instant::now();
        let share = self.connection.activity.heard();
        match message {
            Some(Ok(Message::Text(text))) => Ok(Some(Heard { body: text.into(), share })),
            Some(Ok(Message::Binary(bytes))) => Ok(Some(Heard { body: bytes, share })),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            Some(Err(error)) => Err(self.broken(&error)),
        }
    }

    fn broken(&self, error: &axum::Error) -> End {
        let service = &self.connection.shared.service;
        if error.to_string().contains(NO_MEMORY) {
            return self.busy();
        }
        // The library says so in words only.
        if error.to_string().to_lowercase().contains("too l") {
            service.metrics.refused("body");
            let limit = service.context.limits.body_bytes;
            return End::Told {
                code: close_code::SIZE,
                reason: format!("message too large: the limit is {limit} bytes"),
            };
        }
        End::Gone
    }

    /// Starts the work that a message asks for.
    fn begin(
        &self,
        Heard { body, mut share }: Heard,
    ) -> Result<impl Future<Output = Option<Response>> + use<>, End> {
        let service = &self.connection.shared.service;
        // It may have arrived together with the one before.
        match service.budget.grow(&mut share, body.len()) {
            true => Ok(answer(service.clone(), self.session.clone(), body, share)),
            false => Err(self.busy()),
        }
    }

    fn busy(&self) -> End {
        self.connection.shared.service.metrics.refused("memory");
        End::Told { code: close_code::AGAIN, reason: "the node is busy; try again later".into() }
    }

    fn answered(&mut self, response: Option<Response>) -> Result<(), End> {
        if let Some(response) = response {
            self.queue.answer(response);
        }
        for greeting in self.session.take_greetings() {
            self.queue.notify(greeting)?;
        }
        let (heads, pending) = self.session.take_feeds();
        self.heads = heads.or(self.heads.take());
        self.pending = pending.or(self.pending.take());
        self.count(self.session.count());
        Ok(())
    }

    fn on_block(&mut self, received: Result<NewBlock, RecvError>) -> Result<(), End> {
        match received {
            Ok(new) => Ok(self.session.on_block(&new, &mut |notice| self.queue.notify(notice))?),
            Err(RecvError::Lagged(missed)) => Err(behind(missed, "blocks")),
            Err(RecvError::Closed) => {
                self.heads = None;
                Ok(())
            }
        }
    }

    fn on_pending(&mut self, received: Result<Arc<Tx>, RecvError>) -> Result<(), End> {
        match received {
            Ok(tx) => Ok(self.session.on_pending(&tx, &mut |notice| self.queue.notify(notice))?),
            Err(RecvError::Lagged(missed)) => Err(behind(missed, "pending transactions")),
            Err(RecvError::Closed) => {
                self.pending = None;
                Ok(())
            }
        }
    }

    fn look(&mut self) -> Result<(), End> {
        if self.connection.is_stuck() {
            return Err(End::Stuck);
        }
        if self.heard.elapsed() >= SILENCE {
            return Err(End::Gone);
        }
        if self.heard.elapsed() >= PING && self.pinged.elapsed() >= PING {
            self.pinged = Instant::now();
            self.queue.send(Message::Ping(Bytes::new()));
        }
        Ok(())
    }

    /// Corrects the gauge of subscriptions.
    fn count(&mut self, subscriptions: usize) {
        let now = i64::try_from(subscriptions).unwrap_or(i64::MAX);
        self.connection.shared.service.metrics.subscriptions.inc_by(now - self.counted);
        self.counted = now;
    }
}

async fn answer(service: Arc<Service>, session: Arc<Session>, body: Bytes, share: Share) -> Option<Response> {
    let response = service.answer(&body, Some(&session)).await;
    drop((body, share));
    response
}

fn behind(missed: u64, what: &str) -> End {
    let reason = format!("this connection fell {missed} {what} behind; subscribe again");
    End::Told { code: close_code::AGAIN, reason }
}

/// The next of a channel; never, where there is none.
async fn next<T: Clone>(receiver: &mut Option<Receiver<T>>) -> Result<T, RecvError> {
    match receiver {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}
