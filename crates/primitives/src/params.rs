//! The parameters that consensus agrees on. Their one source is `spec/params.toml`; a genesis file overrides values under
//! `config.chlom`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The text of `spec/params.toml`, compiled in.
const SPEC: &str = include_str!("../../../spec/params.toml");

static DEFAULT: LazyLock<Params> =
    LazyLock::new(|| toml::from_str(SPEC).expect("spec/params.toml is parsed by a test in every build"));

/// All parameters, by chapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Identity and pace.
    pub chain: ChainParams,
    /// Blocks' gas and fees.
    pub gas: GasParams,
    /// How far back nodes answer.
    pub state: StateParams,
    /// Validators.
    pub staking: StakingParams,
    /// Data availability.
    pub da: DaParams,
}

/// Identity and pace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainParams {
    /// EIP-155 chain id.
    pub evm_chain_id: u64,
    /// Target milliseconds between blocks.
    pub block_time_ms: u64,
}

/// Blocks' gas and fees (EIP-1559, base fee burned).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasParams {
    /// Gas that one block may use.
    pub block_gas_limit: u64,
    /// Base fee of the genesis block, wei.
    pub initial_base_fee_wei: u64,
    /// The base fee never falls below this, wei.
    pub min_base_fee_wei: u64,
    /// Gas limit over gas target.
    pub elasticity: u64,
    /// A full block raises the base fee by 1/denominator at elasticity 2.
    pub base_fee_change_denominator: u64,
    /// Bytes of one block's transactions (EIP-7934).
    pub max_block_bytes: u64,
    /// The proposer stops adding transactions after this many milliseconds of execution.
    pub build_budget_ms: u64,
}

/// How far back nodes answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateParams {
    /// Heights of balances, storage, code and calls.
    pub history_heights: u64,
    /// Heights of proofs.
    pub proof_heights: u64,
}

/// Validators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakingParams {
    /// Least self-bond, whole CLOM.
    pub min_stake_clom: u64,
    /// Size cap of the validator set.
    pub max_validators: u32,
}

/// Data availability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaParams {
    /// Seconds that a published blob is kept.
    pub retention_seconds: u64,
    /// Most rows of data of one blob; a power of two, at most 32.
    pub max_rows: u64,
    /// Rows of data a height at which the price stands still.
    pub target_rows_per_block: u64,
    /// Most rows of data that one height publishes.
    pub max_rows_per_block: u64,
    /// Wei a row when demand is at or below the target.
    pub min_fee_per_row_wei: u64,
    /// Rows of excess that multiply the price by e.
    pub fee_update_rows: u64,
}

/// A parameter outside of its bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter {name} is {value}, it must be {bound}")]
pub struct ParamsError {
    /// Dotted name as in `spec/params.toml`.
    pub name: &'static str,
    /// Value found.
    pub value: u64,
    /// What is allowed.
    pub bound: &'static str,
}

impl Default for Params {
    fn default() -> Self {
        DEFAULT.clone()
    }
}

impl Params {
    /// The parameters that change what a block means, by name in the order of the names: what genesis binds. The pace, the
    /// proposer's time budget and how far back a node answers are each node's own affair. Upholds [GEN-11].
    pub fn consensus(&self) -> [(&'static str, u64); 15] {
        let Self { chain, gas, staking, da, state: _ } = self;
        [
            ("chain.evm_chain_id", chain.evm_chain_id),
            ("da.fee_update_rows", da.fee_update_rows),
            ("da.max_rows", da.max_rows),
            ("da.max_rows_per_block", da.max_rows_per_block),
            ("da.min_fee_per_row_wei", da.min_fee_per_row_wei),
            ("da.retention_seconds", da.retention_seconds),
            ("da.target_rows_per_block", da.target_rows_per_block),
            ("gas.base_fee_change_denominator", gas.base_fee_change_denominator),
            ("gas.block_gas_limit", gas.block_gas_limit),
            ("gas.elasticity", gas.elasticity),
            ("gas.initial_base_fee_wei", gas.initial_base_fee_wei),
            ("gas.max_block_bytes", gas.max_block_bytes),
            ("gas.min_base_fee_wei", gas.min_base_fee_wei),
            ("staking.max_validators", staking.max_validators.into()),
            ("staking.min_stake_clom", staking.min_stake_clom),
        ]
    }

    /// Checks every bound that code relies on.
    ///
    /// # Errors
    /// Names the first parameter out of bounds.
    pub fn check(&self) -> Result<(), ParamsError> {
        let at_least = |name, value, min, bound| {
            if value < min { Err(ParamsError { name, value, bound }) } else { Ok(()) }
        };
        at_least("chain.evm_chain_id", self.chain.evm_chain_id, 1, "at least 1")?;
        at_least("chain.block_time_ms", self.chain.block_time_ms, 1, "at least 1")?;
        at_least("gas.block_gas_limit", self.gas.block_gas_limit, 5_000_000, "at least 5,000,000")?;
        at_least("gas.min_base_fee_wei", self.gas.min_base_fee_wei, 1, "at least 1")?;
        at_least("gas.elasticity", self.gas.elasticity, 1, "at least 1")?;
        at_least("gas.base_fee_change_denominator", self.gas.base_fee_change_denominator, 1, "at least 1")?;
        at_least("gas.build_budget_ms", self.gas.build_budget_ms, 1, "at least 1")?;
        at_least("da.retention_seconds", self.da.retention_seconds, 1, "at least 1")?;
        at_least("da.min_fee_per_row_wei", self.da.min_fee_per_row_wei, 1, "at least 1")?;
        at_least("da.fee_update_rows", self.da.fee_update_rows, 1, "at least 1")?;
        let rows = self.da.max_rows;
        if !rows.is_power_of_two() || rows > 32 {
            return Err(ParamsError { name: "da.max_rows", value: rows, bound: "a power of two up to 32" });
        }
        at_least("da.max_rows_per_block", self.da.max_rows_per_block, rows, "at least da.max_rows")?;
        if self.gas.initial_base_fee_wei < self.gas.min_base_fee_wei {
            return Err(ParamsError {
                name: "gas.initial_base_fee_wei",
                value: self.gas.initial_base_fee_wei,
                bound: "at least gas.min_base_fee_wei",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_file_parses_and_is_in_bounds() {
        let params: Params = toml::from_str(SPEC).expect("spec/params.toml");
        params.check().expect("bounds");
        assert_eq!(params.chain.evm_chain_id, 7272);
        assert_eq!(params.gas.block_gas_limit, 200_000_000);
    }

    #[test]
    fn gen_11_every_parameter_is_bound_by_genesis_or_a_nodes_own_affair() {
        let own =
            ["chain.block_time_ms", "gas.build_budget_ms", "state.history_heights", "state.proof_heights"];
        let file: toml::Table = toml::from_str(SPEC).expect("spec/params.toml");
        let mut named: Vec<(String, u64)> = Vec::new();
        for (chapter, values) in &file {
            for (name, value) in values.as_table().expect("a chapter") {
                let value = value.as_integer().expect("a number");
                named.push((format!("{chapter}.{name}"), u64::try_from(value).expect("not negative")));
            }
        }
        named.retain(|(name, _)| !own.contains(&name.as_str()));
        named.sort_unstable();
        let bound = Params::default().consensus().map(|(name, value)| (name.to_owned(), value));
        assert_eq!(named, bound);
    }

    #[test]
    fn an_unknown_parameter_is_refused() {
        let text = format!("{SPEC}\nsurprise = 1\n");
        assert!(toml::from_str::<Params>(&text).is_err());
    }
}
