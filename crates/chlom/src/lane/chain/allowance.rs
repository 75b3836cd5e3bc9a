//! `chlom lane allowance`: a payer's standing consent to a submitter's batches of one period.

use alloy_primitives::{Address, B256, U256, aliases::U120};
use anyhow::Result;
use chlom_client::{
    Chain,
    lanes::{
        Lane,
        registry::{self, Consent},
    },
};
use chlom_lane::{lane::source_id, receipt::Name};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Where, period, send, shown};
use crate::{connection::SignerArgs, exit::Usage, output, place};

/// `chlom lane allowance …`
#[derive(Subcommand, Debug)]
pub(crate) enum AllowanceCommand {
    /// Consent to a submitter's batches of a period, up to a limit, of these sources.
    Set(SetArgs),
    /// What was allowed, and what batches have used of it.
    Show(ShowArgs),
}

/// Arguments of `chlom lane allowance set`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  chlom lane allowance set --lane adluxe --period 2026-11-W02 --limit 2500.00 --source shop --unsigned-sources --keystore payer.json

Set again, the limit is the new one; sources are only ever added, and admission of sources without a key is never taken back.")]
pub(crate) struct SetArgs {
    /// The period: 2026-11-W02.
    #[arg(long, value_name = "PERIOD", value_parser = place::period)]
    period: u32,
    /// The most that batches of the period may owe, in whole units of the lane's token.
    #[arg(long, value_name = "AMOUNT")]
    limit: String,
    /// A source of one's own, by name; repeatable.
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// Admit named sources that have no key: whoever submits says what they reported, and nobody can check it.
    #[arg(long)]
    unsigned_sources: bool,
    /// Who may submit [default: whoever submits to the lane now].
    #[arg(long, value_name = "ADDRESS")]
    submitter: Option<Address>,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Arguments of `chlom lane allowance show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Whose.
    payer: Address,
    /// The period: 2026-11-W02.
    #[arg(long, value_name = "PERIOD", value_parser = place::period)]
    period: u32,
    /// Say of these sources whether they are admitted; repeatable.
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// For whom [default: whoever submits to the lane now].
    #[arg(long, value_name = "ADDRESS")]
    submitter: Option<Address>,
    /// JSON; amounts in the token's smallest unit.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// # Errors
/// Amounts, names and periods that are none, or what the chain refuses.
pub(super) fn run(command: &AllowanceCommand) -> Result<()> {
    match command {
        AllowanceCommand::Set(args) => set(args),
        AllowanceCommand::Show(args) => show(args),
    }
}

fn submitter(chain: &Chain, at: &Where, given: Option<Address>) -> Result<Address> {
    let active = || -> Result<Address> {
        let active = Lane::new(chain, at.lane).active()?.submitter;
        if active.is_zero() {
            return Err(Usage("nobody submits to the lane now: name a --submitter".into()).into());
        }
        Ok(active)
    };
    given.map_or_else(active, Ok)
}

fn sources(at: &Where, payer: Address, names: &[String]) -> Result<Vec<B256>> {
    let one = |name: &String| {
        let name = Name::new(name).map_err(|error| Usage(format!("--source: {error}")))?;
        Ok(source_id(&at.lane, &payer, name.as_str()))
    };
    names.iter().map(one).collect()
}

fn set(args: &SetArgs) -> Result<()> {
    let signer = args.signer.signer()?;
    let sources = sources(&args.at, signer.address(), &args.source)?;
    let chain = args.at.chain()?;
    let period = period(args.period)?;
    let terms = args.at.terms(&chain, Some(period))?;
    let limit = super::money(&terms, &args.limit, "--limit")?;
    let least = U256::from(U120::MAX);
    if limit > least {
        return Err(Usage(format!("--limit: at most {}", shown(&terms, least))).into());
    }
    let submitter = submitter(&chain, &args.at, args.submitter)?;
    let consent = Consent {
        lane: args.at.lane,
        period: args.period,
        submitter,
        limit: U120::from(limit),
        unsigned_sources: args.unsigned_sources,
        sources,
    };
    let done = format!("{submitter} may submit up to {} of period {}", shown(&terms, limit), args.period);
    send(&chain, &signer, &[registry::set_allowance(&consent)], args.json, &done)
}

fn show(args: &ShowArgs) -> Result<()> {
    let chain = args.at.chain()?;
    let terms = args.at.terms(&chain, Some(period(args.period)?))?;
    let submitter = submitter(&chain, &args.at, args.submitter)?;
    let lane = Lane::new(&chain, args.at.lane);
    let allowance = lane.allowance(args.payer, args.period, submitter)?;
    let mut admitted = Vec::new();
    for (name, id) in args.source.iter().zip(sources(&args.at, args.payer, &args.source)?) {
        admitted.push((name, lane.source_consent(args.payer, args.period, submitter, id)?.0));
    }
    let (limit, used) = (U256::from(allowance.limit), U256::from(allowance.used));
    if args.json {
        let sources: Vec<_> =
            admitted.iter().map(|(name, named)| json!({ "name": name, "named": named })).collect();
        output::line(json!({
            "payer": args.payer, "submitter": submitter, "period": args.period, "limit": limit.to_string(),
            "used": used.to_string(), "unsignedSources": allowance.unsignedSources, "sources": sources,
        }));
        return Ok(());
    }
    output::line(format!("{} allowed, {} used of it", shown(&terms, limit), shown(&terms, used)));
    for (name, named) in admitted {
        output::line(format!("source {name} is {}", if named { "named" } else { "not named" }));
    }
    if allowance.unsignedSources {
        output::line("sources without a key are admitted");
    }
    Ok(())
}
