//! `chlom blob status`.

use alloy_primitives::B256;
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::{connection::NodeArgs, output, table::table};

/// Arguments of `chlom blob status`.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// The blob.
    id: B256,
    /// JSON, as `chlom_blobStatus` answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// No answer.
pub(crate) fn run(args: &StatusArgs) -> Result<()> {
    let chain = args.node.chain()?;
    if args.json {
        output::line(chain.rpc().ask::<Value>("chlom_blobStatus", json!([args.id]))?);
        return Ok(());
    }
    let status = chain.rpc().blob_status(args.id)?;
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![row("status", status.status.word().into())];
    if let Some(on_chain) = &status.chain {
        rows.extend([
            row("lane", on_chain.lane_id.to_string()),
            row("period", on_chain.period.to_string()),
            row("rows", on_chain.rows.to_string()),
            row("announced at height", on_chain.announced_at.to_string()),
            row("available at height", on_chain.available_at.to_string()),
            row("expires at second", on_chain.expires_at.to_string()),
        ]);
        if !on_chain.pending_expiry.is_zero() {
            rows.push(row("once attested, at second", on_chain.pending_expiry.to_string()));
        }
    }
    match &status.node {
        None => rows.push(row("node", "has nothing of it".into())),
        Some(node) => {
            let reason = node.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            rows.push(row("node", format!("{}, {} of {} cells{reason}", node.state, node.cells, node.of)));
        }
    }
    output::print(&table(&["blob", &args.id.to_string()], &rows));
    Ok(())
}
