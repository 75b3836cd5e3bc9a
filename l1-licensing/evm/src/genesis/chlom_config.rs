//! `config.chlom`: parameters that differ from `spec/params.toml`, the validators, and who governs.

use alloy_primitives::B256;
use chlom_chain::staking::Validator;
use chlom_primitives::Params;
use serde_json::{Map, Value};

use super::{contracts::Governance, error::GenesisError, json::Node};

/// The parameters with what the file overrides, the validators, and the dotted names that were overridden.
pub(super) struct ChlomConfig {
    pub(super) params: Params,
    pub(super) validators: Vec<Validator>,
    pub(super) governance: Option<Governance>,
    overridden: Vec<String>,
}

impl ChlomConfig {
    pub(super) fn defaults() -> Self {
        Self { params: Params::default(), validators: Vec::new(), governance: None, overridden: Vec::new() }
    }

    pub(super) fn parse(node: &Node<'_>) -> Result<Self, GenesisError> {
        let mut config = Self::defaults();
        for (key, field) in node.fields()? {
            match key {
                "params" => config.override_params(&field)?,
                "validators" => {
                    config.validators =
                        field.elements()?.iter().map(parse_validator).collect::<Result<_, _>>()?;
                }
                "governance" => config.governance = Some(Governance::parse(&field)?),
                _ => return Err(field.unknown()),
            }
        }
        Ok(config)
    }

    /// Upholds [GEN-2].
    fn override_params(&mut self, node: &Node<'_>) -> Result<(), GenesisError> {
        let mut table = as_table(&self.params);
        for (key, field) in node.fields()? {
            let Some(Value::Object(chapter)) = table.get_mut(key) else { return Err(field.unknown()) };
            for (name, value) in field.fields()? {
                let Some(entry) = chapter.get_mut(name) else { return Err(value.unknown()) };
                *entry = value.quantity()?.into();
                self.overridden.push(format!("{key}.{name}"));
            }
        }
        // Numbers below 2⁶⁴ under known names: what can fail is a field narrower than that.
        self.params = serde_json::from_value(Value::Object(table))
            .map_err(|e| GenesisError::ParamValue(e.to_string()))?;
        Ok(())
    }

    /// Whether the file names a parameter.
    pub(super) fn overrides(&self, name: &str) -> bool {
        self.overridden.iter().any(|overridden| overridden == name)
    }
}

fn as_table(params: &Params) -> Map<String, Value> {
    match serde_json::to_value(params) {
        Ok(Value::Object(table)) => table,
        other => unreachable!("Params is a struct of structs of numbers, got {other:?}"),
    }
}

fn parse_validator(node: &Node<'_>) -> Result<Validator, GenesisError> {
    let (mut consensus_key, mut account, mut power) = (None, None, None);
    for (key, field) in node.fields()? {
        match key {
            "consensusKey" => consensus_key = Some(field.word()?),
            "account" => account = Some(field.address()?),
            "power" => power = Some(field.quantity()?),
            _ => return Err(field.unknown()),
        }
    }
    let missing = |key: &str| GenesisError::Missing { path: format!("{}.{key}", node.path) };
    let consensus_key: B256 = consensus_key.ok_or_else(|| missing("consensusKey"))?;
    let account = account.ok_or_else(|| missing("account"))?;
    Ok(Validator { consensus_key, account, power: power.ok_or_else(|| missing("power"))? })
}
