//! `chlom lane serve`.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use chlom_operator::serve::{ServeLimits, Server};
use clap::Args;
use serde_json::json;

use super::{
    data::DataArgs,
    page::{Page, PageArgs},
    retention::{Keeper, RetentionArgs},
};
use crate::output;

/// Arguments of `chlom lane serve`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  KEY=$(chlom lane key add --data ./op --payer 0x… --source shop)
  chlom lane serve --data ./op &
  curl http://127.0.0.1:8650/v1/receipts -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' -d '[{…}]'

What is acknowledged is on disk. /openapi.json describes the interface, /metrics and /health are for operators. It speaks
plain HTTP: put a proxy that speaks TLS in front of it where others reach it. With Postgres, any number of machines may serve.

The page to look at is on an address of its own, so that such a proxy does not show it to anybody; it has counts, batches and
reasons, never a receipt or a key.")]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8650")]
    listen: SocketAddr,
    /// Connections at a time.
    #[arg(long, value_name = "N", default_value_t = 1_024)]
    connections: usize,
    /// Receipts that may wait to be written; beyond, requests are answered with 503.
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    queue: u32,
    /// Print one line of JSON when ready: {"http","page"}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    retention: RetentionArgs,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    data: DataArgs,
}

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// A store or an address that cannot be used.
pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    let store = args.data.store()?;
    let queue = usize::try_from(args.queue)?;
    let limits = ServeLimits { connections: args.connections, queue, ..ServeLimits::default() };
    let server = Server::bind(args.listen, &store, limits)?;
    let url = format!("http://{}", server.local_addr());
    let _retention = Keeper::start(&store, args.retention)?;
    let page = Page::open(&args.page, &args.data, &store, args.listen)?;
    let page_url = page.as_ref().map(Page::url);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("http").build();
    runtime.context("starting the async runtime")?.block_on(async {
        let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let shutdown = async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = end.recv() => {}
            }
        };
        if args.json {
            output::line(json!({"http": url, "page": page_url}));
        } else {
            output::line(format!("receipts to {url}/v1/receipts; Ctrl-C ends"));
            page_url.iter().for_each(|url| output::line(format!("look at it on {url}")));
        }
        if !args.listen.ip().is_loopback() {
            tracing::warn!(
                "keys go over the network in the clear unless a proxy speaks TLS in front of this"
            );
        }
        if let Some(page) = page {
            tokio::spawn(page.serve());
        }
        Ok(server.serve(shutdown).await?)
    })
}
