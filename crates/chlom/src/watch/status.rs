//! `chlom watch status`.

use std::time::Duration;

use anyhow::Result;
use chlom_watcher::health::Report;
use clap::Args;

use crate::{
    exit::{Refused, Usage},
    output,
    table::table,
};

/// For one answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A report names what is open and the last that is over.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Arguments of `chlom watch status`.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// Where the watcher answers.
    #[arg(long, value_name = "URL", env = "CHLOM_WATCH_URL", default_value = "http://127.0.0.1:9464")]
    url: String,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// # Errors
/// When no watcher answers; exit code 6 when an alarm stands.
pub(crate) fn run(args: &StatusArgs) -> Result<()> {
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT));
    let agent: ureq::Agent = config.build().into();
    let url = format!("{}/status", args.url.trim_end_matches('/'));
    let silent = |error: ureq::Error| Usage(format!("no watcher answers on {url}: {error}; give its --url"));
    let mut answer = agent.get(&url).call().map_err(silent)?;
    let text = answer.body_mut().with_config().limit(MOST_BYTES).read_to_string().map_err(silent)?;
    let report: Report =
        serde_json::from_str(&text).map_err(|error| Usage(format!("{url} is no watcher's: {error}")))?;
    if args.json {
        output::line(&text);
    } else {
        output::print(&shown(&report));
    }
    match report.troubles.is_empty() {
        true => Ok(()),
        false => Err(Refused(format!("{} alarms stand", report.troubles.len())).into()),
    }
}

fn shown(report: &Report) -> String {
    let counts = &report.counts;
    let mut out = format!(
        "{}: head {}, followed to {}\nsince its start: {} batches right ({} receipts), {} wrong, {} missed\n",
        report.status,
        report.head,
        report.reached,
        counts.right,
        counts.receipts,
        counts.wrong,
        counts.missed
    );
    for (kind, what) in &report.troubles {
        out.push_str(&format!("ALARM {kind}: {what}\n"));
    }
    let row = |batch: &chlom_watcher::health::ShownBatch| {
        let said = batch.fraud.clone().or_else(|| batch.reward.as_ref().map(|wei| format!("paid {wei} wei")));
        vec![
            batch.order.to_string(),
            batch.lane.to_string(),
            format!("{}/{}", batch.period, batch.number),
            batch.stage.clone(),
            said.unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = report.batches.iter().map(row).collect();
    if !rows.is_empty() {
        out.push_str(&table(&["order", "lane", "batch", "stage", ""], &rows));
    }
    out
}
