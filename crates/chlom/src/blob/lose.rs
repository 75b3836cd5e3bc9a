//! `chlom blob drop`: a `chlom dev` node loses cells, as a failing disk would.

use alloy_primitives::B256;
use anyhow::Result;
use chlom_client::blobs::publish::Known;
use clap::Args;

use super::sample::choose;
use crate::{connection::NodeArgs, output};

/// Arguments of `chlom blob drop`.
#[derive(Args, Debug)]
pub(crate) struct DropArgs {
    /// The blob.
    id: B256,
    /// How many of its cells in a hundred, drawn by lot. The largest share that any blob survives wherever they are is 25.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u8).range(1..=100), value_name = "PERCENT")]
    share: u8,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// A node that has nothing of the blob, or is no `chlom dev`.
pub(crate) fn run(args: &DropArgs) -> Result<()> {
    let chain = args.node.chain()?;
    let (known, _) = Known::ask(&chain, args.id)?;
    let rows = known.header.rows;
    let chosen = choose(rows, rows.cells() * usize::from(args.share) / 100)?;
    let places: Vec<_> = chosen.iter().map(|at| (at.row, at.column)).collect();
    let dropped = chain.rpc().drop_cells(args.id, &places)?;
    output::line(format!("{dropped} of {} cells deleted", rows.cells()));
    Ok(())
}
