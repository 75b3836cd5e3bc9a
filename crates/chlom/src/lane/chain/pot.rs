//! `chlom lane pot`: what a payer has put by for a lane's batches.

use alloy_primitives::{Address, U256};
use anyhow::Result;
use chlom_client::lanes::{Lane, money};
use chlom_primitives::address::ROYALTY_LEDGER;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Where, approval, send, shown};
use crate::{connection::SignerArgs, exit::Usage, output};

/// `chlom lane pot …`
#[derive(Subcommand, Debug)]
pub(crate) enum PotCommand {
    /// Put money by, in the token that the lane settles in: batches can reserve no more than is there.
    Deposit(DepositArgs),
    /// What is free, and what batches have reserved.
    Show(ShowArgs),
    /// Take back what is free.
    Withdraw(WithdrawArgs),
}

/// Arguments of `chlom lane pot deposit`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  chlom lane pot deposit --lane adluxe --amount 2500.00 --keystore payer.json")]
pub(crate) struct DepositArgs {
    /// How much, in whole units of the token: 2500.00. Of an ERC-20 the ledger is allowed to take it.
    #[arg(long, value_name = "AMOUNT")]
    amount: String,
    /// Whose pot [default: that of whoever signs].
    #[arg(long, value_name = "ADDRESS")]
    payer: Option<Address>,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Arguments of `chlom lane pot show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Whose.
    payer: Address,
    /// JSON; amounts in the token's smallest unit.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// Arguments of `chlom lane pot withdraw`.
#[derive(Args, Debug)]
pub(crate) struct WithdrawArgs {
    /// How much, in whole units of the token, or `all` that is free.
    #[arg(long, value_name = "AMOUNT|all")]
    amount: String,
    /// Where to [default: to whoever signs].
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    signer: SignerArgs,
}

/// # Errors
/// An amount that is none, or what the chain refuses.
pub(super) fn run(command: &PotCommand) -> Result<()> {
    match command {
        PotCommand::Deposit(args) => deposit(args),
        PotCommand::Show(args) => show(args),
        PotCommand::Withdraw(args) => withdraw(args),
    }
}

fn deposit(args: &DepositArgs) -> Result<()> {
    let signer = args.signer.signer()?;
    let chain = args.at.chain()?;
    let terms = args.at.terms(&chain, None)?;
    let amount = super::money(&terms, &args.amount, "--amount")?;
    if amount.is_zero() {
        return Err(Usage("--amount: nothing".into()).into());
    }
    let payer = args.payer.unwrap_or_else(|| signer.address());
    let mut requests = Vec::new();
    requests.extend(approval(&chain, terms.token, signer.address(), ROYALTY_LEDGER, amount)?);
    requests.push(money::deposit(args.at.lane, terms.token, payer, amount));
    let done = format!("{} more in the pot of {payer}", shown(&terms, amount));
    send(&chain, &signer, &requests, args.json, &done)
}

fn show(args: &ShowArgs) -> Result<()> {
    let chain = args.at.chain()?;
    let terms = args.at.terms(&chain, None)?;
    let pot = Lane::new(&chain, args.at.lane).pot(terms.token, args.payer)?;
    if args.json {
        let (free, reserved) = (pot.free.to_string(), pot.reserved.to_string());
        output::line(json!({
            "payer": args.payer, "token": terms.token, "decimals": terms.tokenDecimals, "free": free,
            "reserved": reserved,
        }));
    } else {
        output::line(format!(
            "{} free, {} reserved by batches that are not settled",
            shown(&terms, pot.free),
            shown(&terms, pot.reserved)
        ));
    }
    Ok(())
}

fn withdraw(args: &WithdrawArgs) -> Result<()> {
    let signer = args.signer.signer()?;
    let chain = args.at.chain()?;
    let terms = args.at.terms(&chain, None)?;
    let amount: U256 = match args.amount.as_str() {
        "all" => Lane::new(&chain, args.at.lane).pot(terms.token, signer.address())?.free,
        text => super::money(&terms, text, "--amount")?,
    };
    let to = args.to.unwrap_or_else(|| signer.address());
    let done = format!("{} out of the pot, to {to}", shown(&terms, amount));
    send(&chain, &signer, &[money::withdraw_pot(args.at.lane, terms.token, amount, to)], args.json, &done)
}
