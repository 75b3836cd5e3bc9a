//! `chlom lane retain`.

use anyhow::Result;
use chlom_operator::store::Retired;
use chlom_royalty::{Period, period::SUBMISSION_WINDOW};
use clap::Args;
use serde_json::{Value, json};

use super::data::DataArgs;
use crate::{exit::Usage, license::date, output, table::table};

/// Seconds of a month, by the year of 365.2425 days.
const MONTH: u64 = 2_629_746;

/// Arguments of `chlom lane retain`.
#[derive(Args, Debug)]
#[command(
    after_help = "Run it once a day, by cron or a timer. It keeps the ids of receipts for ever, so that none is taken twice, and a
record of what it removed and when, which it prints."
)]
pub(crate) struct RetainArgs {
    /// Keep receipts for so many months after their period.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(3..=600))]
    months: u64,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// # Errors
/// A store that cannot be used.
pub(crate) fn run(args: &RetainArgs) -> Result<()> {
    let (store, lane) = args.data.lane()?;
    // Three months at least: batches may come until 60 days after their period, and contents are needed for them.
    let age = (args.months * MONTH).max(SUBMISSION_WINDOW);
    let before = chlom_operator::now().checked_sub(age).and_then(Period::containing);
    let before = before.ok_or_else(|| Usage("there is no period so long ago".into()))?;
    let _removed_now = store.retire(&lane, before)?;
    let all = store.retired(&lane)?;
    if args.json {
        let of = |one: &Retired| -> Value {
            json!({"at": one.at, "before": one.before.code(), "receipts": one.receipts})
        };
        output::line(json!({"before": before.code(), "removed": all.iter().map(of).collect::<Vec<_>>()}));
        return Ok(());
    }
    let row =
        |one: &Retired| vec![date::shown(one.at), one.before.code().to_string(), one.receipts.to_string()];
    output::print(&table(
        &["removed at", "periods before", "receipts"],
        &all.iter().map(row).collect::<Vec<_>>(),
    ));
    Ok(())
}
