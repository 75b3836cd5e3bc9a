//! `chlom lane retain`.

use anyhow::Result;
use chlom_operator::store::{MONTHS_KEPT, Retired, kept_from};
use clap::Args;
use serde_json::{Value, json};

use super::data::DataArgs;
use crate::{exit::Usage, license::date, output, table::table};

/// Arguments of `chlom lane retain`.
#[derive(Args, Debug)]
#[command(
    after_help = "`chlom lane run` and `chlom lane serve` do this once a day by themselves (--retain-months). It keeps the ids of receipts for ever,
so that none is taken twice, and a record of what was removed and when, which it prints."
)]
pub(crate) struct RetainArgs {
    /// Keep receipts for so many months after their period.
    #[arg(long, value_name = "N", default_value_t = MONTHS_KEPT, value_parser = clap::value_parser!(u64).range(3..=600))]
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
    let before = kept_from(chlom_operator::now(), args.months);
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
