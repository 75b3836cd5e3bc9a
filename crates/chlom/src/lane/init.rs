//! `chlom lane init`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::data;
use crate::{exit::Usage, output};

/// Arguments of `chlom lane init`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chlom lane init --data ./op --lane adluxe                         SQLite, dollars with 6 places
  CHLOM_DATABASE=postgres://op:secret@db/receipts chlom lane init --data ./op --lane adluxe

A lane counts in one currency for ever, with as many places as the token has that it is settled in.
The database's URL may hold a password: give it by the environment, not as an argument, where others can see processes.")]
pub(crate) struct InitArgs {
    /// The data directory to make.
    #[arg(long, value_name = "DIR", env = "CHLOM_LANE_DATA", default_value = "chlom-lane")]
    data: PathBuf,
    /// Name of the lane: adluxe, media-ott, retail-cpg or thriveseat.
    #[arg(long, value_name = "NAME")]
    lane: String,
    /// ISO 4217 code of the currency of its receipts.
    #[arg(long, value_name = "CODE", default_value = "USD")]
    currency: String,
    /// Places of the settlement token's minor unit.
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
    if args.currency.len() != 3 || !args.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Usage(format!("--currency {}: three capital letters, as USD", args.currency)).into());
    }
    let store = data::make(&args.data, args.database.as_deref())?;
    let lane = store.make_lane(&args.lane, &args.currency, args.decimals)?;
    let id = chlom_lane::lane::lane_id(&lane.name);
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
