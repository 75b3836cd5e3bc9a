//! One connection, from its acceptance to its end.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{MissedTickBehavior, interval},
};

use crate::server::{
    Phase, Shared,
    activity::{Activity, Noted},
    http,
};

/// Bytes buffered of a request's head; hyper's own default would let idle connections hold 400 KB each.
const HEAD_BYTES: usize = 64 * 1024;

/// A connection's share of the server.
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) activity: Arc<Activity>,
    /// Counts against the cap until the connection, or the WebSocket that it became, is gone.
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    /// A connection that was just accepted.
    pub(super) fn new(shared: Arc<Shared>, slot: OwnedSemaphorePermit) -> Arc<Self> {
        shared.service.metrics.connections.inc();
        let activity = Activity::new(shared.service.budget.clone());
        Arc::new(Self { shared, activity, _slot: slot })
    }

    /// How often to look whether it only takes up room.
    pub(super) fn look_every(&self) -> Duration {
        let limits = &self.shared.service.context.limits;
        let shortest = limits.idle_time.min(limits.write_time);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(10))
    }

    /// True where the peer has taken nothing of what was ready for it for too long; counted.
    pub(super) fn is_stuck(&self) -> bool {
        let service = &self.shared.service;
        let stuck = self.activity.blocked() >= service.context.limits.write_time;
        if stuck {
            service.metrics.refused("slow_reader");
        }
        stuck
    }

    fn is_idle(&self) -> bool {
        let service = &self.shared.service;
        let idle = self.activity.idle() >= service.context.limits.idle_time;
        if idle {
            service.metrics.refused("idle");
        }
        idle
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.service.metrics.connections.dec();
    }
}

/// Serves HTTP until the peer leaves, does nothing for too long, or becomes a WebSocket.
pub(super) async fn serve(stream: TcpStream, connection: Arc<Connection>) {
    let io = TokioIo::new(Noted::new(stream, connection.activity.clone()));
    let requests = {
        let connection = connection.clone();
        service_fn(move |request| http::handle(connection.clone(), request))
    };
    let mut builder = http1::Builder::new();
    // One timer per connection instead of one per request: see `activity`.
    builder.header_read_timeout(None).max_buf_size(HEAD_BYTES);
    let mut served = pin!(builder.serve_connection(io, requests).with_upgrades());
    let mut phase = connection.shared.phase.clone();
    let mut look = interval(connection.look_every());
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut closing = false;
    loop {
        tokio::select! {
            biased;
            // An error here is the peer's: it left, or it does not speak HTTP.
            _ = served.as_mut() => return,
            now = phase.wait_for(|phase| *phase > if closing { Phase::Closing } else { Phase::Open }) => {
                match now.as_deref() {
                    Ok(Phase::Closing) => {
                        closing = true;
                        served.as_mut().graceful_shutdown();
                    }
                    _ => return,
                }
            }
            _ = look.tick() => if connection.is_stuck() || connection.is_idle() {
                return;
            }
        }
    }
}
