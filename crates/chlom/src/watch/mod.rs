//! `chlom watch`: follows every lane, and proves what is wrong. `chlom drill`: plants it, on a development chain.

mod drill;
mod run;
mod status;

use anyhow::Result;
use clap::{Args, Subcommand};

pub(crate) use drill::DrillCommand;

/// Arguments of `chlom watch`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  chlom watch --dir ./watch --key-file ./watcher.key     follow all lanes; commit, challenge and claim with this key
  chlom watch --dir ./watch                              only tell: nothing is sent
  chlom watch --dir ./watch --rpc http://a:8545 --witness http://b:8545
  chlom watch status                                     what the watcher on http://127.0.0.1:9464 does

/health answers 503 while an alarm stands: blind (no answer, no block, or a node that contradicts itself), behind (a batch
that nobody judged), sending (a fraud that cannot be challenged), missed (a fraud that is final), store, witness.")]
pub(crate) struct WatchArgs {
    #[command(subcommand)]
    command: Option<WatchCommand>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Subcommand, Debug)]
enum WatchCommand {
    /// What a watcher does: its alarms, its counts, the batches that it follows.
    Status(status::StatusArgs),
}

/// # Errors
/// See each command.
pub(crate) fn run(args: &WatchArgs) -> Result<()> {
    match &args.command {
        Some(WatchCommand::Status(args)) => status::run(args),
        None => run::run(&args.run),
    }
}

/// # Errors
/// See each command.
pub(crate) fn run_drill(command: &DrillCommand) -> Result<()> {
    match command {
        DrillCommand::Fraud(args) => drill::run(args),
    }
}
