//! `chlom lane collateral`: what stands behind a submitter's batches; a watcher's rewards are kept there too.

use alloy_primitives::{Address, U256};
use anyhow::Result;
use chlom_client::lanes::money;
use clap::{Args, Subcommand};
use serde_json::json;

use super::send;
use crate::{
    amount,
    connection::{NodeArgs, SignerArgs},
    exit::Usage,
    output,
};

/// CHM's.
const DECIMALS: u8 = 18;

/// `chlom lane collateral …`
#[derive(Subcommand, Debug)]
pub(crate) enum CollateralCommand {
    /// Add CHM: ten units stand behind each open batch, at least 10,000 CHM.
    Add(AddArgs),
    /// What is free, and what is locked.
    Show(ShowArgs),
    /// Take back what is free, rewards included.
    Withdraw(WithdrawArgs),
}

/// Arguments of `chlom lane collateral add`.
#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// How much CHM.
    #[arg(long, value_name = "AMOUNT")]
    chm: String,
    /// Whose collateral [default: that of whoever signs].
    #[arg(long, value_name = "ADDRESS")]
    account: Option<Address>,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Arguments of `chlom lane collateral show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Whose.
    account: Address,
    /// JSON; amounts in wei.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// Arguments of `chlom lane collateral withdraw`.
#[derive(Args, Debug)]
pub(crate) struct WithdrawArgs {
    /// How much CHM, or `all` that is free.
    #[arg(long, value_name = "AMOUNT|all")]
    chm: String,
    /// Where to [default: to whoever signs].
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

fn wei(text: &str) -> Result<U256> {
    Ok(amount::parse(text, DECIMALS).map_err(|error| Usage(format!("--chm: {error}")))?)
}

/// # Errors
/// An amount that is none, or what the chain refuses.
pub(super) fn run(command: &CollateralCommand) -> Result<()> {
    match command {
        CollateralCommand::Add(args) => add(args),
        CollateralCommand::Show(args) => show(args),
        CollateralCommand::Withdraw(args) => withdraw(args),
    }
}

fn add(args: &AddArgs) -> Result<()> {
    let (wei, signer) = (wei(&args.chm)?, args.signer.signer()?);
    let chain = args.node.chain()?;
    let account = args.account.unwrap_or_else(|| signer.address());
    let done = format!("{} CHM more stand behind {account}", amount::shown(wei, DECIMALS));
    send(&chain, &signer, &[money::add_collateral(account, wei)], args.json, &done)
}

fn show(args: &ShowArgs) -> Result<()> {
    let found = money::collateral(&args.node.chain()?, args.account)?;
    if args.json {
        let (free, locked) = (found.free.to_string(), found.locked.to_string());
        output::line(json!({ "account": args.account, "free": free, "locked": locked }));
    } else {
        let chm = |wei: u128| amount::shown(U256::from(wei), DECIMALS);
        output::line(format!(
            "{} CHM free, {} locked behind open batches",
            chm(found.free),
            chm(found.locked)
        ));
    }
    Ok(())
}

fn withdraw(args: &WithdrawArgs) -> Result<()> {
    let signer = args.signer.signer()?;
    let chain = args.node.chain()?;
    let wei = match args.chm.as_str() {
        "all" => U256::from(money::collateral(&chain, signer.address())?.free),
        text => wei(text)?,
    };
    let to = args.to.unwrap_or_else(|| signer.address());
    let done = format!("{} CHM went to {to}", amount::shown(wei, DECIMALS));
    send(&chain, &signer, &[money::withdraw_collateral(wei, to)], args.json, &done)
}
