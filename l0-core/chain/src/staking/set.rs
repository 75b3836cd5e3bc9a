//! A validator, a checked set of them, and its hash.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolValue;
use chlom_crypto::ConsensusKey;
use chlom_primitives::params::StakingParams;

use super::{error::ValidatorSetError, interface::IStaking};

/// CometBFT refuses more total power: ⌊(2⁶³ − 1) / 8⌋, so that proposer priorities do not overflow.
pub const MAX_TOTAL_POWER: u64 = (i64::MAX / 8) as u64;

/// Who makes blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Ed25519 public key that signs CometBFT's votes.
    pub consensus_key: B256,
    /// Receives the tips of the blocks that it proposes.
    pub account: Address,
    /// Weight of its vote.
    pub power: u64,
}

impl From<Validator> for IStaking::Validator {
    fn from(validator: Validator) -> Self {
        let Validator { consensus_key, account, power } = validator;
        Self { consensusKey: consensus_key, account, power }
    }
}

/// A validator set: keys and accounts are unique, everyone has power.
///
/// # Invariants
/// Ordered by consensus key, ascending: one order for bitmaps, hashes and storage, whatever the powers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet(Vec<Validator>);

impl ValidatorSet {
    /// Checks and orders validators. Upholds [STK-1].
    ///
    /// # Errors
    /// See [`ValidatorSetError`].
    pub fn new(mut validators: Vec<Validator>, params: &StakingParams) -> Result<Self, ValidatorSetError> {
        check_count(validators.len(), params.max_validators)?;
        let (mut keys, mut accounts, mut total) = (BTreeSet::new(), BTreeSet::new(), 0_u128);
        for validator in &validators {
            check_validator(validator)?;
            if !keys.insert(validator.consensus_key) {
                return Err(ValidatorSetError::DuplicateKey { key: validator.consensus_key });
            }
            if !accounts.insert(validator.account) {
                return Err(ValidatorSetError::DuplicateAccount { account: validator.account });
            }
            total = total.saturating_add(u128::from(validator.power));
        }
        if total > u128::from(MAX_TOTAL_POWER) {
            return Err(ValidatorSetError::TotalPower { got: total, max: MAX_TOTAL_POWER });
        }
        validators.sort_unstable_by_key(|validator| validator.consensus_key);
        Ok(Self(validators))
    }

    /// A set as storage has it, where it was checked before it was written.
    pub(crate) fn from_storage(validators: Vec<Validator>) -> Self {
        Self(validators)
    }

    /// The validators, by consensus key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Validator> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true of a checked set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sum of all power.
    pub fn total_power(&self) -> u64 {
        // The sum was checked against MAX_TOTAL_POWER when the set was made.
        self.0.iter().fold(0, |sum, validator| sum.saturating_add(validator.power))
    }

    /// keccak256(abi.encode(Validator[])) of the set in its order, as a contract can compute it from `validatorSet(…)`;
    /// checkpoints commit to it. Upholds [STK-4].
    pub fn hash(&self) -> B256 {
        keccak256(self.to_abi().abi_encode())
    }

    /// The set as Solidity sees it.
    pub fn to_abi(&self) -> Vec<IStaking::Validator> {
        self.0.iter().map(|validator| (*validator).into()).collect()
    }
}

fn check_count(got: usize, max: u32) -> Result<(), ValidatorSetError> {
    if got == 0 {
        return Err(ValidatorSetError::Empty);
    }
    if u32::try_from(got).is_ok_and(|got| got <= max) {
        Ok(())
    } else {
        Err(ValidatorSetError::TooMany { got, max })
    }
}

fn check_validator(validator: &Validator) -> Result<(), ValidatorSetError> {
    let Validator { consensus_key: key, account, power } = *validator;
    ConsensusKey::from_bytes(key.0).map_err(|source| ValidatorSetError::ConsensusKey {
        key,
        account,
        source,
    })?;
    if account.is_zero() {
        return Err(ValidatorSetError::ZeroAccount { key });
    }
    if power == 0 {
        return Err(ValidatorSetError::ZeroPower { account });
    }
    Ok(())
}
