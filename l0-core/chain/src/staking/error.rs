//! Why a list of validators is no validator set.

use alloy_primitives::{Address, B256};
use chlom_crypto::ConsensusKeyError;

/// Why a list of validators is no validator set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// Nobody would make blocks.
    #[error("the validator set is empty")]
    Empty,
    /// More than the parameter allows.
    #[error("{got} validators, at most {max} are allowed (staking.max_validators)")]
    TooMany {
        /// Validators given.
        got: usize,
        /// Validators allowed.
        max: u32,
    },
    /// Bytes that are no Ed25519 public key.
    #[error("consensus key {key} of {account}: {source}")]
    ConsensusKey {
        /// The bytes.
        key: B256,
        /// Whose.
        account: Address,
        /// What is wrong with them.
        source: ConsensusKeyError,
    },
    /// Two validators with one key: each vote would count twice.
    #[error("consensus key {key} is given twice")]
    DuplicateKey {
        /// The key.
        key: B256,
    },
    /// Two validators with one account.
    #[error("account {account} is given twice")]
    DuplicateAccount {
        /// The account.
        account: Address,
    },
    /// Fees and stake need an owner.
    #[error("the validator with consensus key {key} has the zero address as its account")]
    ZeroAccount {
        /// Its key.
        key: B256,
    },
    /// A validator that cannot vote is none.
    #[error("validator {account} has no power")]
    ZeroPower {
        /// The validator.
        account: Address,
    },
    /// More power than CometBFT counts with.
    #[error("total power {got} exceeds {max}")]
    TotalPower {
        /// Sum of all.
        got: u128,
        /// [`super::MAX_TOTAL_POWER`].
        max: u64,
    },
}
