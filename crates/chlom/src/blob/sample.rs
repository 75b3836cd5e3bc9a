//! `chlom blob sample`: light clients' check.

use alloy_primitives::B256;
use anyhow::{Result, anyhow};
use chlom_client::blobs::{publish::Known, read};
use chlom_crypto::{
    kzg::{CellId, RowCount},
    sampling::choose_cells,
};
use clap::Args;
use serde_json::json;

use crate::progress::Progress;
use crate::{connection::NodeArgs, exit::Usage, output};

/// Arguments of `chlom blob sample`.
#[derive(Args, Debug)]
pub(crate) struct SampleArgs {
    /// The blob.
    id: B256,
    /// How many cells. 73 leave a chance below 2⁻³⁰ that the blob cannot be rebuilt.
    #[arg(long, default_value_t = 73)]
    samples: usize,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// When a cell is missing or wrong.
pub(crate) fn run(args: &SampleArgs) -> Result<()> {
    let chain = args.node.chain()?;
    let (known, _) = Known::ask(&chain, args.id)?;
    let chosen = choose(known.header.rows, args.samples)?;
    let mut progress = Progress::new(args.json);
    let mut said = |came: usize| progress.at("samples", came, chosen.len());
    let confidence = read::sample(&chain, args.id, &known, &chosen, &mut said)?;
    drop(progress);
    if args.json {
        let (bits, certain) = (confidence.bits(), confidence.is_certain());
        output::line(json!({ "id": args.id, "samples": chosen.len(), "bits": bits, "certain": certain }));
    } else if confidence.is_certain() {
        output::line(format!("{} samples, all right: the blob can be rebuilt", chosen.len()));
    } else {
        output::line(format!(
            "{} samples, all right: the chance that the blob cannot be rebuilt is at most 2^-{}",
            chosen.len(),
            confidence.bits()
        ));
    }
    Ok(())
}

/// Cells by entropy that nobody knows before they are asked for.
pub(crate) fn choose(rows: RowCount, count: usize) -> Result<Vec<CellId>> {
    let mut entropy = B256::ZERO;
    getrandom::fill(&mut entropy.0).map_err(|error| anyhow!("the system gives no entropy: {error}"))?;
    Ok(choose_cells(rows, count, &entropy).map_err(|error| Usage(error.to_string()))?)
}
