//! `chlom lane submitter`: who submits a lane's batches.

use alloy_primitives::Address;
use anyhow::Result;
use chlom_client::lanes::{Lane, registry};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Where, send};
use crate::{connection::SignerArgs, license::date, output};

/// `chlom lane submitter …`
#[derive(Subcommand, Debug)]
pub(crate) enum SubmitterCommand {
    /// Register one: the lane's keeper or the chain's owner. The first of a lane is active at once.
    Register(OfArgs),
    /// Make a registered one the active one: the lane's keeper or the chain's owner.
    Appoint(OfArgs),
    /// Take the lane over: a registered submitter, when the active one has been away for two whole periods.
    TakeOver(TakeOverArgs),
    /// Who is active, and since when.
    Show(ShowArgs),
}

/// Arguments of `chlom lane submitter register` and `appoint`.
#[derive(Args, Debug)]
pub(crate) struct OfArgs {
    /// Who.
    submitter: Address,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Arguments of `chlom lane submitter take-over`.
#[derive(Args, Debug)]
pub(crate) struct TakeOverArgs {
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Arguments of `chlom lane submitter show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// # Errors
/// What the chain refuses.
pub(super) fn run(command: &SubmitterCommand) -> Result<()> {
    match command {
        SubmitterCommand::Register(args) => {
            let request = registry::register_submitter(args.at.lane, args.submitter);
            let done = format!("{} is registered", args.submitter);
            send(&args.at.chain()?, &args.signer.signer()?, &[request], args.json, &done)
        }
        SubmitterCommand::Appoint(args) => {
            let request = registry::appoint(args.at.lane, args.submitter);
            let done = format!("{} submits from now on", args.submitter);
            send(&args.at.chain()?, &args.signer.signer()?, &[request], args.json, &done)
        }
        SubmitterCommand::TakeOver(args) => {
            let signer = args.signer.signer()?;
            let done = format!("{} submits from now on", signer.address());
            send(&args.at.chain()?, &signer, &[registry::take_over(args.at.lane)], args.json, &done)
        }
        SubmitterCommand::Show(args) => show(args),
    }
}

fn show(args: &ShowArgs) -> Result<()> {
    let chain = args.at.chain()?;
    let active = Lane::new(&chain, args.at.lane).active()?;
    let since = active.since.to::<u64>();
    output::line(match (args.json, active.submitter.is_zero()) {
        (true, _) => json!({ "submitter": active.submitter, "since": since }).to_string(),
        (false, true) => "nobody submits to the lane".into(),
        (false, false) => format!("{} since {}", active.submitter, date::shown_with_time(since)),
    });
    Ok(())
}
