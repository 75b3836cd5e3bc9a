//! `chlom demo`: the whole story in one process, from receipts to money in payees' accounts, with a fraud on the way.
//!
//! Everything is what an operator, a payer, a watcher and a payee use: a chain with its contracts and modules, a node's JSON-RPC, and the
//! client library. Only time is warped.
//!
//! - [`input`]: receipts and licences from files. [`generate`]: receipts where no file is given.
//! - [`stage`]: the chain, who acts on it, the token, the lane, the licences.
//! - [`batches`]: receipts into batches, published, sampled, submitted. [`fraud`]: a wrong batch, and what becomes of it.
//! - [`payout`]: final, settled, withdrawn. [`report`]: who got what, for people and for programs.

mod batches;
mod fraud;
mod generate;
mod input;
mod payout;
mod report;
mod stage;
mod steps;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use self::{input::Input, stage::Stage, steps::Steps};
use crate::output;

/// Arguments of `chlom demo`.
#[derive(Args, Debug)]
#[command(after_help = "The receipts are CSV with a first line of columns, of conversions or of orders:
  event,ts,campaign,license_id,value,currency,txid              event is ad_conversion
  event,ts,order_id,license_id,gross,discount,net,currency      event is order
Amounts are in USD with at most six decimals; a receipt's revenue is value or net. Without --receipts there are 10,000 of them,
made by lot from --seed.

The licences are License Objects as `chlom license import` takes them (see its --help), every one with splits and denom.
Without --licenses there are 23, with up to four levels of overrides.

With --json the result is one object, amounts in 10⁻⁶ USD as decimal texts, slashed and reward in wei of CHM:
  {\"licenses\":[{\"id\",\"revenue\",\"base\",\"fee\",\"payees\":[{\"address\",\"amount\"}],\"residual\"}],
   \"fraud\":{\"kind\",\"gas_used\",\"slashed\",\"reward\"},\"totals\":{\"gross\",\"fees\",\"paid\",\"residual\"}}

Exit codes: 0 everybody was paid, 1 fault, 2 a file or an argument is wrong, 6 the chain refuses.")]
pub(crate) struct DemoArgs {
    /// Receipts, as CSV.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Licences, as JSON or CSV.
    #[arg(long, value_name = "FILE")]
    licenses: Option<PathBuf>,
    /// Number from which receipts are drawn where no file has them: the same number, the same receipts.
    #[arg(long, default_value_t = 7272, conflicts_with = "receipts", value_name = "N")]
    seed: u64,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Port of the page to look at, and of JSON-RPC; 0 picks a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
    /// Keep the chain and its page after the end of the story, until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

/// # Errors
/// What is wrong with the input; what went wrong on the way.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let mut steps = Steps::new(args.json);
    let input = Input::read(args.licenses.as_deref(), args.receipts.as_deref(), args.seed)?;
    steps.done(format!("{} receipts of {} licences read", input.receipts.len(), input.documents.len()));
    let stage = Stage::set(&input, args.port, &mut steps)?;
    let played = play(&stage, &input, &mut steps);
    if args.stay
        && let Ok(report) = &played
    {
        tell(args, report);
        stage.stay()?;
    }
    // What went wrong in the play matters more than what then goes wrong in ending.
    let ended = stage.end();
    let report = played?;
    ended?;
    if !args.stay {
        tell(args, &report);
    }
    Ok(())
}

fn tell(args: &DemoArgs, report: &report::Report) {
    if args.json {
        output::line(report.json());
    } else {
        output::print(&report.text());
    }
}

fn play(stage: &Stage, input: &Input, steps: &mut Steps) -> Result<report::Report> {
    let right = batches::submit_all(stage, input, steps)?;
    let caught = fraud::play(stage, input, steps)?;
    payout::play(stage, input, &right, caught, steps)
}
