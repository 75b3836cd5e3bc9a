//! `chlom contracts`: where the system contracts are, and their ABI.

use anyhow::Result;
use chlom_evm::genesis::contracts::SYSTEM_CONTRACTS;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::{output, table::table};

/// Arguments of `chlom contracts`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chlom contracts                                             a table
  chlom contracts --json | jq -r .LicenseRegistry.address     where to call it
  chlom contracts --json | jq .RoyaltyLedger.abi              what it takes

The addresses are the same on every CHLOM network. A contract behind a proxy shows its implementation's ABI.")]
pub(crate) struct ContractsArgs {
    /// {\"Name\":{\"address\",\"implementation\",\"abi\"}} instead of a table.
    #[arg(long)]
    json: bool,
}

/// # Errors
/// When an artefact of this build cannot be read.
pub(crate) fn run(args: &ContractsArgs) -> Result<()> {
    if args.json {
        output::line(json()?);
    } else {
        output::print(&text());
    }
    Ok(())
}

fn json() -> Result<Value> {
    let mut all = Map::new();
    for contract in SYSTEM_CONTRACTS {
        let artifact = contract.artifact()?;
        let abi: Value = serde_json::from_str(artifact.abi.get())?;
        let mut entry = json!({ "address": contract.address.to_string(), "abi": abi });
        if let Some(implementation) = contract.implementation {
            entry["implementation"] = implementation.to_string().into();
        }
        all.insert(contract.name.into(), entry);
    }
    Ok(all.into())
}

fn text() -> String {
    let mut contracts: Vec<_> = SYSTEM_CONTRACTS.iter().collect();
    contracts.sort_by_key(|contract| contract.address);
    let rows: Vec<Vec<String>> = contracts
        .into_iter()
        .map(|contract| {
            let implementation = contract.implementation.map_or_else(|| "-".into(), |at| at.to_string());
            vec![contract.name.to_owned(), contract.address.to_string(), implementation]
        })
        .collect();
    table(&["name", "address", "implementation"], &rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_proxied_contract_shows_its_implementations_abi_at_the_proxys_address() {
        let all = json().unwrap();
        let splits = &all["SplitRegistry"];
        assert_eq!(splits["address"], "0x0000000000000000000000000000000000002002");
        let names: Vec<_> =
            splits["abi"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
        assert!(names.contains(&"registerVector".into()), "{names:?}");
        assert_eq!(all.as_object().unwrap().len(), SYSTEM_CONTRACTS.len());
        assert!(text().lines().count() == SYSTEM_CONTRACTS.len() + 1);
    }
}
