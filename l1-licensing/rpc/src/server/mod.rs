//! HTTP and WebSocket on one port.
//!
//! - [`listen`] accepts connections up to a cap, [`connection`] serves one and closes it when it only takes up room
//!   (judged by [`activity`]).
//! - [`http`] answers requests: JSON-RPC by POST, `/health` ([`health`]), `/metrics`, preflights ([`cors`]); [`payload`]
//!   is an answer's body, [`upload`] takes blobs' bodies. What browsers see besides is the business of [`Pages`].
//! - [`websocket`] serves an upgraded connection through its [`queue`].

mod activity;
mod connection;
mod cors;
mod health;
mod http;
mod listen;
mod payload;
mod queue;
mod upload;
mod websocket;

use std::{fmt, io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use chlom_primitives::Tx;
use hyper::{HeaderMap, Method, Response};
use prometheus_client::registry::Registry;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

pub use cors::Cors;
pub use health::Health;

use crate::{
    context::Context,
    dispatch::service::Service,
    metrics::{ChainCollector, ProcessCollector, RpcMetrics},
};

/// Pages for people, besides JSON-RPC; each binary knows what there is to see.
pub trait Pages: Send + Sync {
    /// The answer to a request, whose body is not read; `None` for what is no page. Must answer at once. No origin is let in by CORS.
    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>>;
}

/// What an operator chooses besides [`crate::Limits`].
pub struct ServerOptions {
    /// Web pages that may use the endpoint.
    pub cors: Cors,
    /// What `/health` asks.
    pub health: Arc<dyn Health>,
    /// What `/metrics` shows; the server adds its own metrics, the chain's, the pool's and the process's.
    pub registry: Registry,
    /// What browsers are shown, where there is something.
    pub pages: Option<Arc<dyn Pages>>,
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "{0} is taken: another program listens there (an earlier chlom, anvil, hardhat or geth?). Stop it, or choose \
         another port with --port"
    )]
    Taken(SocketAddr),
    /// Ports below 1024 belong to the administrator.
    #[error("no permission to listen on {0}: choose a port from 1024 on with --port")]
    Denied(SocketAddr),
    /// The address is none of this machine's.
    #[error(
        "{0} is no address of this machine: listen on 127.0.0.1, or on 0.0.0.0 to be reached from outside"
    )]
    NotOurs(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {addr}: {source}")]
    Other {
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    fn new(addr: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::Taken(addr),
            io::ErrorKind::PermissionDenied => Self::Denied(addr),
            io::ErrorKind::AddrNotAvailable => Self::NotOurs(addr),
            _ => Self::Other { addr, source },
        }
    }
}

/// How far a server is with ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It serves.
    Open,
    /// Requests in progress are finished, no more are taken.
    Closing,
    /// Connections end now.
    Closed,
}

/// What all connections share.
struct Shared {
    service: Arc<Service>,
    cors: Cors,
    health: Arc<dyn Health>,
    registry: Registry,
    pages: Option<Arc<dyn Pages>>,
    phase: watch::Receiver<Phase>,
}

/// A listening endpoint.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    slots: Arc<Semaphore>,
    _pending: chlom_pool::Subscription,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Server {
    /// Listens on `addr` (port 0 picks a free one). Connections are accepted once [`Server::serve`] runs; until then they
    /// wait.
    ///
    /// # Errors
    /// See [`BindError`].
    pub async fn bind(
        addr: SocketAddr,
        context: Arc<Context>,
        options: ServerOptions,
    ) -> Result<Self, BindError> {
        let listener = TcpListener::bind(addr).await.map_err(|e| BindError::new(addr, e))?;
        let bound = listener.local_addr().map_err(|e| BindError::new(addr, e))?;
        let mut registry = options.registry;
        let metrics = RpcMetrics::new(&mut registry);
        registry.register_collector(Box::new(ChainCollector(context.clone())));
        registry.register_collector(Box::new(ProcessCollector));
        let (phase, watched) = watch::channel(Phase::Open);
        let limits = &context.limits;
        let slots = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
        let shared = Shared {
            cors: options.cors,
            health: options.health,
            registry,
            pages: options.pages,
            phase: watched,
            service: Service::new(context.clone(), metrics),
        };
        let pending = announce_pending(&context);
        Ok(Self { listener, addr: bound, shared: Arc::new(shared), phase, slots, _pending: pending })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Passes the pool's new pending transactions on to whoever subscribed.
fn announce_pending(context: &Context) -> chlom_pool::Subscription {
    let sender = context.pending.clone();
    context.pool.on_pending(move |txs: &[Arc<Tx>]| {
        for tx in txs {
            // Nobody listens: nothing to do.
            let _ = sender.send(tx.clone());
        }
    })
}
