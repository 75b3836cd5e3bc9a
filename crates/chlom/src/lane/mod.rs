//! `chlom lane`: what an operator of lanes does.
//!
//! - [`data`]: the data directory: which database, which lanes.
//! - [`init`], [`ingest`], [`generate`], [`status`], [`key`], [`serve`], [`sequence`],
//!   [`retain`]: the commands.

mod data;
mod generate;
mod ingest;
mod init;
mod key;
mod retain;
mod sequence;
mod serve;
mod status;

use anyhow::Result;
use clap::Subcommand;

/// `chlom lane …`
#[derive(Subcommand, Debug)]
#[command(after_help = "An operator's day:
  chlom lane init --data ./op --lane adluxe
  chlom lane ingest --data ./op --payer 0x… --source shop receipts.csv
  chlom lane run --data ./op --rpc http://127.0.0.1:8545 --keystore submitter.json
  chlom lane status --data ./op")]
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
        LaneCommand::Retain(args) => retain::run(args),
    }
}
