//! The page on the port of JSON-RPC: a client of the node like any other.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use chlom_page::{Board, ChainSource, Site, chain::Names};
use hyper::{HeaderMap, Method, Response};
use serde_json::{Map, json};

/// What a page shows besides what the chain says.
pub(crate) struct Shown {
    /// Which command this is.
    pub(crate) kind: &'static str,
    /// Names of licences by id: the chain has their hashes only.
    pub(crate) names: Names,
}

impl Shown {
    /// Of `chlom dev`.
    pub(crate) fn dev() -> Self {
        Self { kind: "dev", names: Names::new() }
    }
}

/// The page, as the server asks for it.
pub(super) struct Pages(pub(super) Site);

impl chlom_rpc::Pages for Pages {
    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        self.0.answer(method, path, headers)
    }
}

/// Has the board show the chain of the node that listens on `addr`.
pub(super) fn start(board: &Arc<Board>, addr: SocketAddr, shown: Shown) -> Result<()> {
    let about = Map::from_iter([("kind".to_owned(), json!(shown.kind))]);
    let source = ChainSource::new(local_url(addr), shown.names);
    board.start(about, Box::new(source)).context("starting the page's thread")
}

/// How this machine reaches what listens on `addr`.
fn local_url(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, addr.port()))
}
