//! `chlom lane init`.

use std::path::PathBuf;

use anyhow::Result;
use chlom_client::{Chain, lanes::Lane};
use chlom_lane::lane::lane_id;
use clap::Args;
use serde_json::json;

use super::data;
use crate::{exit::Usage, output};

/// Arguments of `chlom lane init`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chlom lane init --data ./op --lane adluxe --rpc http://127.0.0.1:8545   SQLite, currency and places as the chain has them
  chlom lane init --data ./op --lane adluxe                               dollars with 6 places
  CHLOM_DATABASE=postgres://op:secret@db/receipts chlom lane init --data ./op --lane adluxe

A lane counts in one currency for ever, with as many places as the chain's lane has: receipts with more are refused.
The database's URL may hold a password: give it by the environment, not as an argument, where others can see processes.")]
pub(crate) struct InitArgs {
    /// The data directory to make.
    #[arg(long, value_name = "DIR", env = "CHLOM_LANE_DATA", default_value = "chlom-lane")]
    data: PathBuf,
    /// Name of the lane: adluxe, media-ott, retail-cpg or thriveseat.
    #[arg(long, value_name = "NAME")]
    lane: String,
    /// Take currency and places from the lane on the chain of this node.
    #[arg(long, value_name = "URL", conflicts_with_all = ["currency", "decimals"])]
    rpc: Option<String>,
    /// ISO 4217 code of the currency of its receipts.
    #[arg(long, value_name = "CODE", default_value = "USD")]
    currency: String,
    /// Places of amounts: the lane's on the chain.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(0..=18))]
    decimals: u8,
    /// Keep receipts in Postgres, not in a file of SQLite: postgres://USER:PASSWORD@HOST/NAME.
    #[arg(long, value_name = "URL", env = "CHLOM_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// JSON.
    #[arg(long)]
    json: bool,
}

/// # Errors
/// A name or currency that is none, a directory or database that cannot be used.
pub(crate) fn run(args: &InitArgs) -> Result<()> {
    chlom_lane::receipt::Name::new(&args.lane).map_err(|error| Usage(format!("--lane: {error}")))?;
    let (currency, decimals) = match &args.rpc {
        Some(url) => on_chain(url, &args.lane)?,
        None => (args.currency.clone(), args.decimals),
    };
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Usage(format!("--currency {currency}: three capital letters, as USD")).into());
    }
    let store = data::make(&args.data, args.database.as_deref())?;
    let lane = store.make_lane(&args.lane, &currency, decimals)?;
    let id = lane_id(&lane.name);
    if args.json {
        let shown = json!({
            "data": args.data, "database": store.kind(), "lane": lane.name, "id": id, "currency": lane.currency,
            "decimals": lane.decimals,
        });
        output::line(shown);
    } else {
        let (data, kind) = (args.data.display(), store.kind());
        output::line(format!("{data}: lane {} ({id}) in {}, receipts in {kind}", lane.name, lane.currency));
    }
    Ok(())
}

/// Currency and places of a lane now.
fn on_chain(url: &str, lane: &str) -> Result<(String, u8)> {
    let chain = Chain::connect(url)?;
    let (_, terms) = Lane::new(&chain, lane_id(lane)).parameters_at(chain.time()?)?;
    let currency = terms.currency.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
    Ok((currency, terms.decimals))
}
