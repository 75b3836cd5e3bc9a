//! The genesis that `chlom dev` starts from: its own, or the user's file.

use std::path::Path;

use alloy_primitives::{Address, U256};
use anyhow::{Context, Result};
use chlom_chain::staking::Validator;
use chlom_crypto::validator::ValidatorKey;
use chlom_evm::genesis::{GenesisAccount, GenesisSpec, Governance};

use super::{accounts, args::DevArgs};
use crate::exit::Usage;

/// What each account of the mnemonic gets: 10,000 CHM.
const ENDOWMENT_CHM: u64 = 10_000;
/// 2026-01-01, so that every `chlom dev` has the same genesis hash.
const TIMESTAMP: u64 = 1_767_225_600;
/// A genesis file above this is refused unread: 1M accounts fit with room to spare.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// The specification that the arguments ask for.
///
/// # Errors
/// An unreadable or invalid file, parameters out of bounds.
pub(crate) fn spec(args: &DevArgs, endowed: &[Address]) -> Result<GenesisSpec> {
    let mut spec = match &args.genesis {
        Some(path) => from_file(path)?,
        None => GenesisSpec { timestamp: TIMESTAMP, ..GenesisSpec::default() },
    };
    let wei = U256::from(ENDOWMENT_CHM) * U256::from(10).pow(U256::from(18));
    for address in endowed {
        // An account that the file allocates stays as the file has it.
        spec.alloc.entry(*address).or_insert_with(|| GenesisAccount::with_balance(wei));
    }
    if spec.governance.is_none() {
        spec.governance = Some(Governance::dev(accounts::authority()?));
    }
    if spec.validators.is_empty() {
        spec.validators.push(validator()?);
    }
    enough_power(&spec.validators)?;
    if let Some(budget) = args.build_budget {
        spec.params.gas.build_budget_ms = u64::try_from(budget.as_millis())?;
    }
    if let Some(gas_limit) = args.gas_limit {
        spec.params.gas.block_gas_limit = gas_limit;
    }
    spec.params.check().map_err(|error| Usage(error.to_string()))?;
    Ok(spec)
}

/// A dev chain signs with one key: without more than ⅔ of power its second block would lack vote extensions [VOT-4].
fn enough_power(validators: &[Validator]) -> Result<()> {
    let key = validator_key().consensus_key().to_bytes();
    let power = |validator: &Validator| u128::from(validator.power);
    let own: u128 = validators.iter().filter(|v| v.consensus_key.0 == key).map(power).sum();
    let total: u128 = validators.iter().map(power).sum();
    if own * 3 > total * 2 {
        return Ok(());
    }
    let message = format!(
        "`chlom dev` signs with one validator key, {}, which has {own} of {total} power in the genesis file and needs more than \
         two thirds: leave `config.chlom.validators` out, or give it that power",
        validator_key().consensus_key()
    );
    Err(Usage(message).into())
}

fn from_file(path: &Path) -> Result<GenesisSpec> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| Usage(format!("genesis file {shown}: {e}")))?.len();
    if size > MAX_FILE_BYTES {
        return Err(Usage(format!("genesis file {shown} has {size} bytes, at most {MAX_FILE_BYTES}")).into());
    }
    let text = std::fs::read_to_string(path).map_err(|e| Usage(format!("genesis file {shown}: {e}")))?;
    let spec = GenesisSpec::parse(&text).map_err(|e| Usage(format!("genesis file {shown}: {e}")))?;
    for ignored in &spec.ignored {
        tracing::warn!(path = %ignored.path, reason = ignored.reason, "a part of the genesis file has no effect");
    }
    Ok(spec)
}

/// The key of the one validator of a dev chain.
pub(super) fn validator_key() -> ValidatorKey {
    ValidatorKey::from_seed(&accounts::validator_seed().0)
}

/// The one validator of a dev chain.
fn validator() -> Result<Validator> {
    let key = validator_key();
    let account = accounts::validator().context("validator account")?;
    Ok(Validator { consensus_key: key.consensus_key().to_bytes().into(), account: account.address, power: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validators_that_leave_the_dev_key_two_thirds_or_less_are_refused_with_the_figures() {
        let own = validator().unwrap();
        let other = Validator {
            consensus_key: ValidatorKey::from_seed(&[9; 32]).consensus_key().into(),
            account: Address::repeat_byte(9),
            power: 1,
        };
        assert!(enough_power(&[own]).is_ok());
        assert!(enough_power(&[Validator { power: 3, ..own }, other]).is_ok());
        let refused = enough_power(&[Validator { power: 2, ..own }, other]).unwrap_err().to_string();
        assert!(refused.contains("has 2 of 3 power"), "{refused}");
        assert!(enough_power(&[other]).is_err());
    }
}
