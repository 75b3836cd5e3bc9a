//! `chlom lane`: what an operator of lanes does.
//!
//! - [`data`]: the data directory: which database, which lanes.
//! - [`page`]: the page that `serve` shows.
//! - [`init`], [`ingest`], [`generate`], [`status`], [`key`], [`serve`], [`sequence`],
//!   [`export`], [`retain`]: the commands. [`retention`]: what those that stay do of the last by themselves.
//! - [`chain`]: commands that need no data directory: collateral, pots, allowances, submitters, periods.

mod chain;
mod data;
mod export;
mod generate;
mod ingest;
mod init;
mod key;
mod page;
mod retain;
mod retention;
mod sequence;
mod serve;
mod status;

use anyhow::Result;
use clap::Subcommand;

/// `chlom lane …`
#[derive(Subcommand, Debug)]
#[command(after_help = "An operator's day:
  chlom lane init --data ./op --lane adluxe --rpc http://127.0.0.1:8545
  chlom lane collateral add --chm 12000 --keystore submitter.json
  chlom lane ingest --data ./op --payer 0x… --source shop receipts.csv
  chlom lane run --data ./op --rpc http://127.0.0.1:8545 --keystore submitter.json
  chlom lane status --data ./op

A payer's:
  chlom lane pot deposit --lane adluxe --amount 2500.00 --keystore payer.json
  chlom lane allowance set --lane adluxe --period 2026-11-W02 --limit 2500.00 --source shop --keystore payer.json")]
pub(crate) enum LaneCommand {
    /// Make a data directory, or add a lane to it.
    Init(init::InitArgs),
    /// Take receipts from files: CSV, NDJSON or JSON arrays. Run again, it changes nothing.
    Ingest(ingest::IngestArgs),
    /// Write receipts and licences that nobody ever had, for trying things out.
    Generate(generate::GenerateArgs),
    /// What there is: receipts by period and state, batches, imports.
    Status(status::StatusArgs),
    /// Keys for those who report over HTTP.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Take receipts over HTTP from those who have a key.
    Serve(serve::ServeArgs),
    /// Build the next batch of receipts that wait.
    Batch(sequence::StepArgs),
    /// Publish the batch that was built, and wait until it is available.
    Publish(sequence::StepArgs),
    /// Submit the batch that was published.
    Submit(sequence::StepArgs),
    /// Do all of it on a schedule: batch, publish, submit, finalise, settle.
    Run(sequence::RunArgs),
    /// What stands behind a submitter's batches.
    #[command(subcommand)]
    Collateral(chain::CollateralCommand),
    /// What a payer has put by for a lane's batches.
    #[command(subcommand)]
    Pot(chain::PotCommand),
    /// A payer's standing consent to a submitter's batches.
    #[command(subcommand)]
    Allowance(chain::AllowanceCommand),
    /// Who submits a lane's batches.
    #[command(subcommand)]
    Submitter(chain::SubmitterCommand),
    /// The chain's current period, as the other commands take it.
    Period(chain::PeriodArgs),
    /// Write statements for payees: what they are owed and why, every number proven against the chain.
    Export(export::ExportArgs),
    /// Remove the contents of receipts that are older than they must be kept.
    Retain(retain::RetainArgs),
}

/// # Errors
/// See each command.
pub(crate) fn run(command: &LaneCommand) -> Result<()> {
    match command {
        LaneCommand::Init(args) => init::run(args),
        LaneCommand::Ingest(args) => ingest::run(args),
        LaneCommand::Generate(args) => generate::run(args),
        LaneCommand::Status(args) => status::run(args),
        LaneCommand::Key(command) => key::run(command),
        LaneCommand::Serve(args) => serve::run(args),
        LaneCommand::Batch(args) => sequence::step(args, sequence::Step::Batch),
        LaneCommand::Publish(args) => sequence::step(args, sequence::Step::Publish),
        LaneCommand::Submit(args) => sequence::step(args, sequence::Step::Submit),
        LaneCommand::Run(args) => sequence::run(args),
        LaneCommand::Collateral(command) => chain::run_collateral(command),
        LaneCommand::Pot(command) => chain::run_pot(command),
        LaneCommand::Allowance(command) => chain::run_allowance(command),
        LaneCommand::Submitter(command) => chain::run_submitter(command),
        LaneCommand::Period(args) => chain::run_period(args),
        LaneCommand::Export(args) => export::run(args),
        LaneCommand::Retain(args) => retain::run(args),
    }
}
