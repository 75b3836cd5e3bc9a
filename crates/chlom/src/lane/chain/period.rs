//! `chlom lane period`: which week of royalties it is.

use anyhow::{Context as _, Result};
use chlom_royalty::Period;
use clap::Args;
use serde_json::json;

use crate::{connection::NodeArgs, license::date, output};

/// Arguments of `chlom lane period`.
#[derive(Args, Debug)]
pub(crate) struct PeriodArgs {
    /// The one before: the last that is over, of which batches are made.
    #[arg(long)]
    last: bool,
    /// JSON, with its first and last second.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// When no node answers.
pub(super) fn run(args: &PeriodArgs) -> Result<()> {
    let time = args.node.chain()?.time()?;
    let far = "the chain's time is past the year 9999";
    let mut period = Period::containing(time).context(far)?;
    if args.last {
        period = Period::containing(period.start().saturating_sub(1)).context(far)?;
    }
    let (start, end) = (period.start(), period.end().saturating_sub(1));
    if args.json {
        let (from, until) = (date::shown_with_time(start), date::shown_with_time(end));
        output::line(json!({
            "period": period.code(), "start": start, "end": period.end(), "from": from, "until": until,
        }));
    } else {
        output::line(period.code());
    }
    Ok(())
}
