//! Receipts over HTTP, durable when they are acknowledged (`spec/rpc/ingest.json` describes it to programs). Upholds [OPR-20].
//!
//! A request comes with a key, which says whose receipts it may hold ([`auth`]) and how many a second ([`rate`]). Its body is read by the
//! same reader as files ([`receipts`]). Then it waits in a queue of bounded length for the one thread that writes ([`writer`]): that takes
//! all that wait, commits them together, and only then is each answered. When the queue is full, the answer is 503 with the time after
//! which to try again; nothing is ever acknowledged that is not on disk.
//!
//! [`listen`]: connections, by number and time. [`answer`]: responses. [`metrics`]: what operators see.

pub mod answer;
mod auth;
mod listen;
mod metrics;
mod rate;
mod receipts;
mod writer;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use crate::{Store, StoreError};

/// Every bound that a caller can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// Connections at a time; more are closed at once.
    pub connections: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Receipts of a request.
    pub receipts: usize,
    /// Receipts that wait to be written; beyond, requests are turned away.
    pub queue: usize,
    /// Time for a request's body to arrive.
    pub body_time: Duration,
    /// Time for a request's head to arrive, from the end of the one before.
    pub head_time: Duration,
    /// Attempts a second, from one address, with keys that are none.
    pub forgeries: u64,
    /// How long a key that was revoked may still work.
    pub key_time: Duration,
    /// How far a receipt may be ahead of this machine's clock, in seconds.
    pub ahead: u64,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            body_bytes: 1024 * 1024,
            receipts: 1_000,
            queue: 50_000,
            body_time: Duration::from_secs(10),
            head_time: Duration::from_secs(60),
            forgeries: 10,
            key_time: Duration::from_secs(5),
            ahead: 3_600,
        }
    }
}

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// Which.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The store.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
}

/// What all requests share.
struct Shared {
    limits: ServeLimits,
    keys: auth::Keys,
    rates: Mutex<rate::Rates<i64>>,
    lanes: receipts::Lanes,
    writer: writer::Writer,
    metrics: metrics::Metrics,
    registry: Registry,
}

/// A listening endpoint.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    shared: Arc<Shared>,
    slots: Arc<Semaphore>,
}

impl Server {
    /// Listens on `addr` (port 0 picks a free one). Connections wait until [`Server::serve`] runs. To be called outside of an async
    /// runtime: it opens connections to the database, and waits for them.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub fn bind(addr: SocketAddr, store: &Store, limits: ServeLimits) -> Result<Self, ServeError> {
        let listen = |source| ServeError::Listen { addr, source };
        let listener = TcpListener::bind(addr).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        let mut registry = Registry::with_prefix("chlom_lane");
        let metrics = metrics::Metrics::new(&mut registry);
        let (keys, lanes, writing) = (store.again()?, store.again()?, store.again()?);
        let shared = Shared {
            limits,
            keys: auth::Keys::new(keys, limits),
            rates: Mutex::new(rate::Rates::default()),
            lanes: receipts::Lanes::new(lanes),
            writer: writer::Writer::start(writing, limits.queue, metrics.clone()),
            metrics,
            registry,
        };
        let slots = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self { listener, addr: bound, shared: Arc::new(shared), slots })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }
}
