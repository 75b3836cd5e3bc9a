//! The watcher as a process.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use chlom_watcher::{Config, Watcher, health::Health, serve, watcher::Stop};
use clap::Args;
use serde_json::json;

use crate::{
    connection::{NodeArgs, SignerArgs},
    exit::Usage,
    output, stop,
};

/// Arguments of the watcher itself.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// A directory of its own, where it keeps what it knows; it goes on from there.
    #[arg(long, value_name = "DIR", default_value = "./chlom-watch")]
    dir: PathBuf,
    /// Where `/health`, `/status` and `/metrics` answer; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", env = "CHLOM_WATCH_LISTEN", default_value = "127.0.0.1:9464")]
    listen: SocketAddr,
    /// JSON-RPC of another node that must say the same; may be given several times.
    #[arg(long, value_name = "URL")]
    witness: Vec<String>,
    /// Milliseconds between two looks at the chain while nothing happens.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(20..=60_000))]
    poll: u64,
    /// Without an answer or a new block for so many seconds it calls itself blind.
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    stale_after: u64,
    /// A batch that is not judged so many seconds after it was accepted makes it call itself behind.
    #[arg(long, value_name = "S", default_value_t = 300)]
    behind_after: u64,
    /// Send no heartbeats.
    #[arg(long)]
    no_heartbeat: bool,
    /// Print one line of JSON when ready: {"chainId","watcher","http","dir"}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// # Errors
/// What no patience mends.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    // Proofs are made for a cell or three, once in a while.
    chlom_crypto::kzg::expect_no_proofs();
    let signer = args.signer.signer_if_any()?;
    let address = signer.as_ref().map(chlom_client::Signer::address);
    let config = Config {
        witnesses: args.witness.clone(),
        poll: Duration::from_millis(args.poll),
        stale_after: Duration::from_secs(args.stale_after),
        behind_after: args.behind_after,
        heartbeat: !args.no_heartbeat,
        ..Config::new(args.dir.clone(), args.node.url().into())
    };
    let health = Arc::new(Health::new(config.stale_after));
    let mut watcher = Watcher::open(config, signer, health.clone())?;
    let http = serve::start(args.listen, health).map_err(|error| {
        Usage(format!("cannot listen on {}: {error}; give another --listen", args.listen))
    })?;
    let chain_id = watcher.chain_id();
    let dir = args.dir.display();
    output::line(match (args.json, address) {
        (true, _) => json!({ "chainId": chain_id, "watcher": address, "http": format!("http://{http}"), "dir": dir.to_string() })
            .to_string(),
        (false, Some(address)) => {
            format!("watching all lanes of chain {chain_id} as {address}\n  health  http://{http}/health\n  kept in {dir}")
        }
        (false, None) => format!(
            "watching all lanes of chain {chain_id}; without a key nothing is sent (--keystore, --key-file)\n  \
             health  http://{http}/health\n  kept in {dir}"
        ),
    });
    // It takes seconds: the first batch need not wait for it.
    std::thread::Builder::new()
        .name("kzg".into())
        .spawn(chlom_crypto::kzg::setup)
        .context("the KZG set-up")?;
    let stop = Arc::new(Stop::default());
    listen_for_the_end(stop.clone())?;
    Ok(watcher.run(&stop)?)
}

fn listen_for_the_end(stop: Arc<Stop>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().context("signals")?;
    let wait = move || {
        runtime.block_on(stop::signalled());
        stop.raise();
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).context("signals")?;
    Ok(())
}
