//! A small chain in memory behind a real server on a real socket.

pub(crate) mod chain;
pub(crate) mod client;
pub(crate) mod socket;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chlom_blobs::BlobService;
use chlom_rpc::{Cors, Health, Limits, Pages, Server, ServerOptions};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use tokio::{sync::oneshot, task::JoinHandle};

use self::chain::Chain;
use self::client::Client;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A served chain; the server ends with it.
pub(crate) struct Node {
    pub(crate) chain: Arc<Chain>,
    pub(crate) addr: SocketAddr,
    pub(crate) trouble: Arc<Trouble>,
    shutdown: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

/// A health check that a test can make fail.
#[derive(Default)]
pub(crate) struct Trouble(Mutex<Option<String>>);

impl Trouble {
    pub(crate) fn set(&self, reason: Option<&str>) {
        *self.0.lock() = reason.map(ToOwned::to_owned);
    }
}

impl Health for Trouble {
    fn trouble(&self) -> Option<String> {
        self.0.lock().clone()
    }
}

impl Node {
    /// Default limits.
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::with_cors(limits, Cors::Nobody).await
    }

    pub(crate) async fn with_cors(limits: Limits, cors: Cors) -> Self {
        Self::with_all(limits, cors, None, None).await
    }

    /// A node that keeps blobs.
    pub(crate) async fn with_blobs(limits: Limits, blobs: Arc<BlobService>) -> Self {
        Self::with_all(limits, Cors::Nobody, Some(blobs), None).await
    }

    /// A node that has something to show to browsers, and lets scripts of all origins use JSON-RPC.
    pub(crate) async fn with_pages(pages: Arc<dyn Pages>) -> Self {
        Self::with_all(Limits::default(), Cors::Anybody, None, Some(pages)).await
    }

    async fn with_all(
        limits: Limits,
        cors: Cors,
        blobs: Option<Arc<BlobService>>,
        pages: Option<Arc<dyn Pages>>,
    ) -> Self {
        let chain = Chain::new(limits, blobs);
        let trouble = Arc::new(Trouble::default());
        let options =
            ServerOptions { cors, health: trouble.clone(), registry: Registry::with_prefix("chlom"), pages };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any, chain.context.clone(), options).await.unwrap();
        let addr = server.local_addr();
        let (shutdown, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Self { chain, addr, trouble, shutdown: Some(shutdown), serving: Some(serving) }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.addr).await
    }

    /// One call on a connection of its own: the response object.
    pub(crate) async fn call(&self, method: &str, params: &str) -> serde_json::Value {
        self.client().await.call(method, params).await
    }

    /// One call that must succeed: its result.
    pub(crate) async fn result(&self, method: &str, params: &str) -> serde_json::Value {
        let mut response = self.call(method, params).await;
        assert!(response.get("error").is_none(), "{method}{params}: {response}");
        response["result"].take()
    }

    /// The text of `/metrics`.
    pub(crate) async fn metrics(&self) -> String {
        self.client().await.get("/metrics").await.body
    }

    /// Bytes that large bodies, answers and notices take, as `/metrics` has them.
    pub(crate) async fn memory(&self) -> usize {
        let metrics = self.metrics().await;
        let line = metrics.lines().find_map(|line| line.strip_prefix("chlom_rpc_memory_bytes "));
        line.expect("a gauge").parse().unwrap()
    }

    /// Waits until `/metrics` has this text.
    pub(crate) async fn wait_for_metric(&self, text: &str) {
        let seen = async {
            while !self.metrics().await.contains(text) {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            panic!("{text} never appeared in\n{}", self.metrics().await);
        }
    }

    /// Tells the server to end.
    pub(crate) fn begin_shutdown(&mut self) {
        drop(self.shutdown.take());
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(&mut self) {
        let serving = self.serving.take().expect("ended once");
        tokio::time::timeout(PATIENCE, serving).await.expect("the server ends").unwrap();
    }
}

/// The result or error of one of a batch's responses.
pub(crate) fn find(batch: &serde_json::Value, id: u64) -> &serde_json::Value {
    let list = batch.as_array().unwrap_or_else(|| panic!("no batch: {batch}"));
    list.iter().find(|response| response["id"] == id).unwrap_or_else(|| panic!("no id {id} in {batch}"))
}
