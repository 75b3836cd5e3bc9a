//! `chlom drill fraud`.

use anyhow::Result;
use chlom_lane::lane::{ADLUXE, lane_id};
use chlom_watcher::drill::{Plant, Planted, plant};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{connection::NodeArgs, output};

/// `chlom drill …`
#[derive(Subcommand, Debug)]
pub(crate) enum DrillCommand {
    /// Plant a wrong batch on a development chain, to see a watcher find it. It uses up 10,000 CHM of the node's accounts.
    Fraud(FraudArgs),
}

/// Arguments of `chlom drill fraud`.
#[derive(Args, Debug)]
pub(crate) struct FraudArgs {
    /// What is wrong: malformed, bad-order, double-count, double-count-earlier, wrong-sum, wrong-terms, bad-root, invalid-license,
    /// out-of-period, forged-source, unconsented-source; `right` for nothing.
    #[arg(long)]
    kind: Plant,
    /// The lane, by its name.
    #[arg(long, value_name = "NAME", default_value = ADLUXE)]
    lane: String,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// A chain that is no development chain, or whose accounts have too little.
pub(crate) fn run(args: &FraudArgs) -> Result<()> {
    chlom_crypto::kzg::expect_no_proofs();
    let chain = args.node.chain()?;
    let planted = plant(&chain, lane_id(&args.lane), args.kind)?;
    for Planted { plant, root, header, at_stake } in &planted {
        output::line(match args.json {
            true => json!({
                "kind": plant.name(),
                "fraud": plant.expected().map(|kind| kind as u8),
                "batch": root,
                "period": header.period.code(),
                "number": header.number,
                "atStake": at_stake.to_string(),
            })
            .to_string(),
            false => {
                format!("{plant}: batch {root} ({}/{}) is accepted", header.period.code(), header.number)
            }
        });
    }
    Ok(())
}
