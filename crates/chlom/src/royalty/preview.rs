//! `chlom royalty preview`: one revenue through the override path, from the chain's state at the period's start.

use alloy_primitives::{Address, B256};
use anyhow::{Context, Result};
use chlom_client::{
    Chain,
    contracts::{
        license_registry::ILicenseRegistry::{splitHashOfCall, termsAtCall},
        parameter_registry::IParameterRegistry::valueAtCall,
        split_registry::ISplitRegistry::{routeAtCall, vectorOfCall},
    },
};
use chlom_primitives::address::{LICENSE_REGISTRY, PARAMETER_REGISTRY, SPLIT_REGISTRY};
use chlom_royalty::{
    Account, Fee, Period, Share, SplitVector,
    base::royalty_due,
    route::{Step, chain as route_chain, stations},
};
use clap::Args;
use serde_json::{Value, json};

use crate::{connection::NodeArgs, exit::Usage, license::id_of, output, table::table};

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
    after_help = "What a first settlement of the period would pay if the routes had received nothing before: base \
is revenue × royalty, the fee is taken of the licence's own base, the rest passes up the override path, and what each \
licence keeps is divided by its split. Settlements later in a period pay floors of cumulative amounts; totals are the same."
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
    /// JSON instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// What one licence on the way gets.
struct Station {
    licence: B256,
    inflow: u128,
    passed_up: u128,
    kept: u128,
    payees: Vec<(Address, u128)>,
    residual: u128,
}

/// # Errors
/// An unknown licence or period, or no answer.
pub(crate) fn run(args: &PreviewArgs) -> Result<()> {
    let chain = args.node.chain()?;
    let period = match args.period {
        Some(code) => Period::new(code).map_err(|e| Usage(e.to_string()))?,
        None => Period::containing(chain.time()?).context("the chain's time is past the year 9999")?,
    };
    let licence = id_of(&args.id);
    let terms = chain.view(LICENSE_REGISTRY, &termsAtCall { id: licence, time: period.start() })?;
    let base = royalty_due(args.revenue, terms.royaltyBps).map_err(|e| Usage(e.to_string()))?;
    let fee = fee_at(&chain, period.start(), decimals(&chain, args.token)?)?.due(base);
    let stations = through(&chain, licence, period, base.saturating_sub(fee))?;
    if args.json {
        output::line(as_json(args, period, base, fee, &stations));
        return Ok(());
    }
    output::line(format!(
        "{} in {}: revenue {}, base {base}, fee {fee}\n",
        args.id,
        period.code(),
        args.revenue
    ));
    let rows: Vec<_> = stations
        .iter()
        .map(|s| {
            let licence = if s.licence == licence { args.id.clone() } else { s.licence.to_string() };
            [
                licence,
                s.inflow.to_string(),
                s.passed_up.to_string(),
                s.kept.to_string(),
                s.residual.to_string(),
            ]
            .into()
        })
        .collect();
    output::line(table(&["licence", "inflow", "passes up", "keeps", "residual"], &rows));
    let rows: Vec<_> = stations
        .iter()
        .flat_map(|s| s.payees.iter().map(|(payee, amount)| vec![payee.to_string(), amount.to_string()]))
        .collect();
    output::print(&table(&["payee", "amount"], &rows));
    Ok(())
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

fn through(chain: &Chain, licence: B256, period: Period, mut inflow: u128) -> Result<Vec<Station>> {
    let nodes = chain.view(SPLIT_REGISTRY, &routeAtCall { licence, time: period.start() })?;
    let steps: Vec<Step> = nodes
        .iter()
        .map(|node| Step {
            licence: node.licence,
            split_version: node.splitVersion,
            active: node.active,
            rate: (node.numer, node.denom),
        })
        .collect();
    let mut reached = Vec::new();
    for (node, rate) in stations(&route_chain(&steps)) {
        let mut account = Account::default();
        let passed_up = account.add(inflow, rate, period.code())?;
        let (licence, version) = (node.step.licence, node.step.split_version);
        let call = splitHashOfCall { id: licence, splitVersion: version };
        let split = vector_of(chain, chain.view(LICENSE_REGISTRY, &call)?)?;
        let payees =
            split.shares().iter().map(|share| share.payee).zip(split.entitlements(account.kept())).collect();
        let residual = split.residual(account.kept());
        reached.push(Station { licence, inflow, passed_up, kept: account.kept(), payees, residual });
        inflow = passed_up;
    }
    Ok(reached)
}

fn vector_of(chain: &Chain, hash: B256) -> Result<SplitVector> {
    let split = chain
        .view(SPLIT_REGISTRY, &vectorOfCall { splitHash: hash })
        .with_context(|| format!("split {hash}: only vectors are stored in full, sum trees are not"))?;
    let shares = split.payees.iter().zip(&split.weights);
    let shares = shares.map(|(payee, weight)| Share { payee: *payee, weight: weight.to() }).collect();
    Ok(SplitVector::new(shares, split.denom.to())?)
}

fn as_json(args: &PreviewArgs, period: Period, base: u128, fee: u128, stations: &[Station]) -> Value {
    let stations: Vec<Value> = stations
        .iter()
        .map(|s| {
            let payees = s.payees.iter();
            let payees: Vec<_> = payees
                .map(|(to, amount)| json!({ "address": to.to_string(), "amount": amount.to_string() }))
                .collect();
            json!({
                "licence": s.licence, "inflow": s.inflow.to_string(), "passedUp": s.passed_up.to_string(),
                "kept": s.kept.to_string(), "residual": s.residual.to_string(), "payees": payees,
            })
        })
        .collect();
    json!({
        "id": args.id, "period": period.code(), "revenue": args.revenue.to_string(), "base": base.to_string(),
        "fee": fee.to_string(), "licences": stations,
    })
}
