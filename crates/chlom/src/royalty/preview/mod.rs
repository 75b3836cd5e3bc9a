//! `chlom royalty preview`: one revenue through the override path, from what the chain's routes hold.

mod division;
mod route;
mod shown;

pub(crate) use division::read_tree;

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use anyhow::{Context, Result};
use chlom_client::{
    Chain,
    contracts::{
        license_registry::ILicenseRegistry::termsAtCall, parameter_registry::IParameterRegistry::valueAtCall,
        royalty_ledger::IRoyaltyLedger::accrualOfCall,
    },
};
use chlom_primitives::address::{LICENSE_REGISTRY, PARAMETER_REGISTRY, ROYALTY_LEDGER};
use chlom_royalty::{Accrual, Fee, Period};
use clap::Args;

use crate::{connection::NodeArgs, exit::Usage, license::id_of, output, place::lane};
use route::Route;

mod erc20 {
    alloy_sol_types::sol! {
        /// ERC-20's optional metadata.
        function decimals() external view returns (uint8);
    }
}

/// CHM's.
const CHM_DECIMALS: u8 = 18;

/// Arguments of `chlom royalty preview`.
#[derive(Args, Debug)]
#[command(
    after_help = "What settling this revenue next would pay, from what the chain's routes have received so far: base is revenue × \
royalty, the fee is taken of the licence's own base, the rest passes up the override path, and what each licence keeps is divided \
by its split. All of it is in floors of cumulative amounts, so a row adds the difference to what was there.

With --lane, revenue that the lane settled in the period counts towards base, fee and the fee's cap; without, none does."
)]
pub(crate) struct PreviewArgs {
    /// The licence: its id's text, or 32 bytes in hex.
    id: String,
    /// What the receipts say, in the token's minor unit.
    #[arg(long, value_name = "N")]
    revenue: u128,
    /// Period as yyyymm0w: 20250901 is 1 to 7 September 2025 [default: the current one].
    #[arg(long, value_name = "P")]
    period: Option<u32>,
    /// The ERC-20 that is settled in; without it, CHM. The fee's cap is in whole units of it.
    #[arg(long, value_name = "ADDRESS")]
    token: Option<Address>,
    /// The lane that settles, by name or id.
    #[arg(long, value_parser = lane, value_name = "LANE")]
    lane: Option<Address>,
    /// A sum tree's leaves as CSV lines payee,weight, in their order: what each of them gets is shown then. Repeatable, one for
    /// each tree on the way.
    #[arg(long, value_name = "FILE")]
    leaves: Vec<PathBuf>,
    /// JSON instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// An unknown licence or period, leaves that are no tree of a licence on the way, or no answer.
pub(crate) fn run(args: &PreviewArgs) -> Result<()> {
    let trees = args.leaves.iter().map(|file| division::read_tree(file)).collect::<Result<Vec<_>>>()?;
    let chain = args.node.chain()?;
    let period = match args.period {
        Some(code) => Period::new(code).map_err(|e| Usage(e.to_string()))?,
        None => Period::containing(chain.time()?).context("the chain's time is past the year 9999")?,
    };
    let licence = id_of(&args.id);
    let mut accrual = accrual(&chain, args, licence, period)?;
    let before = accrual.revenue();
    let due = accrual.add(args.revenue).map_err(|e| Usage(e.to_string()))?;
    let route = Route { chain: &chain, token: args.token.unwrap_or_default(), period, trees: &trees };
    let stations = route.through(licence, due.inflow())?;
    route.check_trees(&stations)?;
    if args.json {
        output::line(shown::as_json(args, period, before, due, &stations));
    } else {
        shown::tables(args, period, before, due, &stations);
    }
    Ok(())
}

/// What the lane settled of the licence in the period, at the rates that its first row fixed or would fix now.
fn accrual(chain: &Chain, args: &PreviewArgs, licence: B256, period: Period) -> Result<Accrual> {
    let terms = chain.view(LICENSE_REGISTRY, &termsAtCall { id: licence, time: period.start() })?;
    let fresh = || -> Result<Accrual> {
        let fee = fee_at(chain, period.start(), decimals(chain, args.token)?)?;
        Ok(Accrual::new(terms.royaltyBps, fee)?)
    };
    let Some(lane) = args.lane else { return fresh() };
    let token = args.token.unwrap_or_default();
    let call = accrualOfCall { token, licence, lane: lane.into_array().into(), period: period.code() };
    let known = chain.view(ROYALTY_LEDGER, &call)?;
    if known.feeBps == 0 {
        return fresh();
    }
    let mut accrual =
        Accrual::new(known.royaltyBps, Fee::new(known.feeBps.into(), known.feeCap.to::<u128>())?)?;
    accrual.add(known.revenue)?;
    Ok(accrual)
}

fn decimals(chain: &Chain, token: Option<Address>) -> Result<u8> {
    token.map_or(Ok(CHM_DECIMALS), |token| Ok(chain.view(token, &erc20::decimalsCall {})?))
}

/// REF C5, as the parameters said at the period's start.
fn fee_at(chain: &Chain, time: u64, decimals: u8) -> Result<Fee> {
    let parameter = |name: &str| -> Result<u128> {
        let mut key = B256::ZERO;
        key[..name.len()].copy_from_slice(name.as_bytes());
        let value = chain.view(PARAMETER_REGISTRY, &valueAtCall { key, time })?;
        u128::try_from(value).with_context(|| format!("the parameter {name}"))
    };
    let unit = 10u128.checked_pow(decimals.into()).context("the token has too many decimals")?;
    let cap = parameter("fee.cap_units")?.checked_mul(unit).context("the fee's cap")?;
    Ok(Fee::new(parameter("fee.dynamic_bps")?, cap)?)
}
