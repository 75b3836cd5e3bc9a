//! `chlom license show`: everything that the chain knows of a licence, in words.

use alloy_primitives::{B256, U256};
use anyhow::Result;
use chlom_client::contracts::{
    license_registry::ILicenseRegistry::{checkpointCountCall, usageOfCall},
    split_registry::ISplitRegistry::{kindOfCall, vectorOfCall},
};
use chlom_primitives::address::{LICENSE_REGISTRY, SPLIT_REGISTRY};
use clap::Args;
use serde_json::{Value, json};

use super::{
    date,
    document::{Words, id_of},
    rate,
    registry::{Licences, state_shown, territory_shown},
};
use crate::{connection::NodeArgs, exit::Refused, output, table::table};

/// `ISplitRegistry.Kind.Vector`.
const VECTOR: u8 = 1;

/// Arguments of `chlom license show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The licence: its id's text, or 32 bytes in hex.
    id: String,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// When there is no such licence, or no answer.
pub(crate) fn run(args: &ShowArgs) -> Result<()> {
    let chain = args.node.chain()?;
    let licences = Licences::new(&chain);
    let id = id_of(&args.id);
    let json = describe(&licences, id, &args.id)?;
    if args.json {
        output::line(&json);
        return Ok(());
    }
    let mut rows = Vec::new();
    if let Value::Object(fields) = &json {
        for (name, value) in fields.iter().filter(|(name, _)| *name != "splits") {
            rows.push(vec![name.clone(), plain(value)]);
        }
    }
    output::print(&table(&["field", "value"], &rows));
    let shares: Vec<Vec<String>> = json["splits"]
        .as_array()
        .map(|shares| shares.iter().map(|share| vec![plain(&share["to"]), plain(&share["weight"])]).collect())
        .unwrap_or_default();
    if !shares.is_empty() {
        output::line("");
        output::print(&table(&["payee", "weight"], &shares));
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn describe(licences: &Licences<'_>, id: B256, name: &str) -> Result<Value> {
    let chain = licences.chain;
    let Some(held) = licences.held(id)? else {
        return Err(Refused(format!("there is no licence {name} ({id}) on this chain")).into());
    };
    let usage = chain.view(LICENSE_REGISTRY, &usageOfCall { id })?;
    let checkpoints = chain.view(LICENSE_REGISTRY, &checkpointCountCall { id })?;
    let (data, terms) = (&held.data, &held.terms);
    let bps = u16::try_from(data.royaltyBps).unwrap_or(u16::MAX);
    let mut json = json!({
        "id": name, "hash": id, "state": state_shown(held.status.state), "reason": held.status.reason,
        "owner": data.owner.to_string(), "licensee": data.licensee.to_string(),
        "royaltyPercent": rate::shown(bps),
        "start": date::shown(data.startTs),
        // The last day that it includes, when it ends with a day.
        "endsBefore": date::shown(data.endTs),
        "policy": data.acePolicyHash, "metaHash": data.metaHash,
        "exclusive": data.flags & 2 != 0, "ratesPrivate": data.flags & 1 != 0,
        "transferable": data.flags & 4 != 0, "auditRights": data.flags & 8 != 0,
        "used": usage.used.to_string(),
        "cap": if usage.cap == U256::MAX { "none".to_owned() } else { usage.cap.to_string() },
        "checkpoints": checkpoints.to_string(), "split": data.adeSplitHash,
    });
    if !terms.parent.is_zero() {
        json["parent"] = terms.parent.to_string().into();
        json["passesUp"] = format!("{}/{}", terms.numer, terms.denom).into();
    }
    if !terms.rightsHash.is_zero() {
        for (name, list) in words(&licences.words_of(terms.rightsHash)?) {
            json[name] = list.into();
        }
    }
    if chain.view(SPLIT_REGISTRY, &kindOfCall { splitHash: data.adeSplitHash })? == VECTOR {
        let split = chain.view(SPLIT_REGISTRY, &vectorOfCall { splitHash: data.adeSplitHash })?;
        let shares = split.payees.iter().zip(&split.weights);
        json["splits"] = shares
            .map(|(to, weight)| json!({ "to": to.to_string(), "weight": weight.to_string() }))
            .collect();
    }
    Ok(json)
}

fn words(words: &Words) -> [(&'static str, Vec<String>); 4] {
    let everywhere = || vec!["*".to_owned()];
    let territories = words.territories.as_ref().map(|codes| codes.iter().map(territory_shown).collect());
    [
        ("rights", words.rights.clone()),
        ("channels", words.channels.clone()),
        ("languages", words.languages.clone().unwrap_or_else(everywhere)),
        ("territories", territories.unwrap_or_else(everywhere)),
    ]
}
