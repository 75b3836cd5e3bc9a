//! `chlom royalty withdraw`: what payees are owed of licences goes to them.

use std::path::PathBuf;

use alloy_primitives::{Address, B256, U256};
use anyhow::{Context as _, Result};
use chlom_client::{
    Chain, Request,
    contracts::royalty_ledger::IRoyaltyLedger::{Payout, payoutReceiptCall},
    lanes::{Lane, money},
};
use chlom_primitives::address::ROYALTY_LEDGER;
use chlom_royalty::Period;
use clap::Args;
use serde_json::{Value, json};

use crate::{
    amount,
    connection::{NodeArgs, SignerArgs},
    exit::Usage,
    license::{self, id_of},
    output, place,
    table::table,
};

/// Of one transaction: each may need 925,000 gas, a transaction has 2²⁴.
const AT_ONCE: usize = 14;

/// Arguments of `chlom royalty withdraw`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chlom royalty withdraw FIRST-1 --lane adluxe --period 2026-11-W02 --from 0x…
  chlom royalty withdraw --licenses licenses.json --lane adluxe --period 2026-11-W02 --keystore anyone.json

What was withdrawn before is not paid again. A licence whose payees are a sum tree pays each of them by a proof of its own, not
by this command.")]
pub(crate) struct WithdrawArgs {
    /// The licences: their ids' text, or 32 bytes in hex.
    #[arg(value_name = "ID", required_unless_present = "licenses")]
    ids: Vec<String>,
    /// All licences of this file, which `chlom license import` takes.
    #[arg(long, value_name = "FILE")]
    licenses: Option<PathBuf>,
    /// The period of the royalties.
    #[arg(long, value_name = "PERIOD", value_parser = place::period)]
    period: u32,
    /// The lane whose token it is, by name or id.
    #[arg(long, value_name = "NAME", value_parser = place::lane)]
    lane: Address,
    /// JSON; amounts in the token's smallest unit.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// What one payee gets of a licence.
struct Due {
    licence: String,
    payee: Address,
    amount: U256,
    payout: Payout,
}

/// # Errors
/// A licence that the chain does not know, or what it refuses.
pub(crate) fn run(args: &WithdrawArgs) -> Result<()> {
    let signer = args.signer.signer()?;
    let names = names(args)?;
    let period = Period::new(args.period).map_err(|error| Usage(format!("--period: {error}")))?;
    let chain = args.node.chain()?;
    let (_, terms) = Lane::new(&chain, args.lane).parameters_at(period.start())?;
    let mut all = Vec::new();
    for name in &names {
        all.extend(due(&chain, terms.token, name, id_of(name), period)?);
    }
    let requests: Vec<Request> = all
        .chunks(AT_ONCE)
        .map(|some| money::withdraw_batch(some.iter().map(|due| due.payout.clone()).collect()))
        .collect();
    chain.send_all(&signer, &requests)?;
    // One that fails stops no other: what is left to it says so.
    for due in &all {
        let (left, _) = money::withdrawable(&chain, &due.payout)?;
        if !left.is_zero() {
            let left = amount::shown(left, terms.tokenDecimals);
            let (licence, payee) = (&due.licence, due.payee);
            return Err(
                Usage(format!("{left} of {licence} did not reach {payee}: it refuses the money")).into()
            );
        }
    }
    say(args.json, &all, terms.tokenDecimals);
    Ok(())
}

fn names(args: &WithdrawArgs) -> Result<Vec<String>> {
    let mut names = args.ids.clone();
    if let Some(file) = &args.licenses {
        for entry in license::read(file).map_err(Usage)? {
            let id = entry.object.get("id").and_then(Value::as_str);
            names.push(id.with_context(|| format!("{}: a licence without an id", entry.place))?.to_owned());
        }
    }
    Ok(names)
}

fn due(chain: &Chain, token: Address, name: &str, licence: B256, period: Period) -> Result<Vec<Due>> {
    let key = money::route_key(chain, licence, period.code())?;
    let receipt = chain.view(ROYALTY_LEDGER, &payoutReceiptCall { token, key: key.clone() })?;
    let mut all = Vec::new();
    for (index, share) in (0u32..).zip(receipt.allocations) {
        let payout = Payout { key: key.clone(), token, index };
        let (amount, _) = money::withdrawable(chain, &payout)?;
        if !amount.is_zero() {
            all.push(Due { licence: name.to_owned(), payee: share.to, amount, payout });
        }
    }
    Ok(all)
}

fn say(as_json: bool, all: &[Due], decimals: u8) {
    if as_json {
        let one = |due: &Due| json!({ "licence": due.licence, "payee": due.payee, "amount": due.amount.to_string() });
        output::line(json!({ "paid": all.iter().map(one).collect::<Vec<_>>() }));
        return;
    }
    if all.is_empty() {
        output::line("nothing is left to withdraw");
        return;
    }
    let row =
        |due: &Due| vec![due.licence.clone(), due.payee.to_string(), amount::shown(due.amount, decimals)];
    let rows: Vec<_> = all.iter().map(row).collect();
    output::print(&table(&["licence", "payee", "paid"], &rows));
}
