//! What lanes' people do on the chain without an operator's store: submitters and their collateral, payers' pots and allowances, periods.

mod allowance;
mod collateral;
mod period;
mod pot;
mod submitter;

use alloy_primitives::{Address, U256};
use anyhow::Result;
use chlom_client::{
    Chain, Request, Signer,
    lanes::{Lane, registry::Parameters},
};
use chlom_royalty::Period;
use clap::Args;
use serde_json::{Value, json};

pub(super) use allowance::AllowanceCommand;
pub(super) use collateral::CollateralCommand;
pub(super) use period::PeriodArgs;
pub(super) use pot::PotCommand;
pub(super) use submitter::SubmitterCommand;

use crate::{amount, connection::NodeArgs, exit::Usage, output, place};

/// # Errors
/// See each command.
pub(super) fn run_collateral(command: &CollateralCommand) -> Result<()> {
    collateral::run(command)
}

/// # Errors
/// See each command.
pub(super) fn run_pot(command: &PotCommand) -> Result<()> {
    pot::run(command)
}

/// # Errors
/// See each command.
pub(super) fn run_allowance(command: &AllowanceCommand) -> Result<()> {
    allowance::run(command)
}

/// # Errors
/// See each command.
pub(super) fn run_submitter(command: &SubmitterCommand) -> Result<()> {
    submitter::run(command)
}

/// # Errors
/// See the command.
pub(super) fn run_period(args: &PeriodArgs) -> Result<()> {
    period::run(args)
}

/// Which lane of which chain.
#[derive(Args, Debug)]
struct Where {
    /// The lane, by name or id.
    #[arg(long, value_name = "NAME", value_parser = place::lane)]
    lane: Address,
    #[command(flatten)]
    node: NodeArgs,
}

impl Where {
    fn chain(&self) -> Result<Chain> {
        self.node.chain()
    }

    /// The lane's parameters for a period; without one, for the chain's current one.
    fn terms(&self, chain: &Chain, period: Option<Period>) -> Result<Parameters> {
        let start = match period {
            Some(period) => period.start(),
            None => chain.time()?,
        };
        Ok(Lane::new(chain, self.lane).parameters_at(start)?.1)
    }
}

fn period(code: u32) -> Result<Period> {
    Ok(Period::new(code).map_err(|error| Usage(format!("--period: {error}")))?)
}

/// In the token that a lane settles in.
fn money(terms: &Parameters, text: &str, argument: &str) -> Result<U256> {
    let parsed = amount::parse(text, terms.tokenDecimals);
    Ok(parsed.map_err(|error| Usage(format!("{argument}: {error}")))?)
}

fn shown(terms: &Parameters, amount: U256) -> String {
    amount::shown(amount, terms.tokenDecimals)
}

/// Sends, and says what was done.
fn send(chain: &Chain, signer: &Signer, requests: &[Request], as_json: bool, done: &str) -> Result<()> {
    let receipts = chain.send_all(signer, requests)?;
    let Some(last) = receipts.last() else { return Ok(()) };
    if as_json {
        let hashes: Vec<Value> = receipts.iter().map(|receipt| json!(receipt.hash)).collect();
        output::line(json!({ "done": done, "hashes": hashes, "height": last.height }));
    } else {
        output::line(format!("{done}, in block {} ({})", last.height, last.hash));
    }
    Ok(())
}

mod erc20 {
    alloy_sol_types::sol! {
        /// ERC-20.
        function approve(address spender, uint256 amount) external returns (bool);
        /// ERC-20.
        function allowance(address owner, address spender) external view returns (uint256);
    }
}

/// Lets a spender take so much of a token, where it cannot yet.
fn approval(
    chain: &Chain,
    token: Address,
    owner: Address,
    spender: Address,
    amount: U256,
) -> Result<Option<Request>> {
    if token.is_zero() || chain.view(token, &erc20::allowanceCall { owner, spender })? >= amount {
        return Ok(None);
    }
    Ok(Some(Request::call("allowing the ledger", token, &erc20::approveCall { spender, amount })))
}
