//! Why a genesis file is refused. Every error names the place in the file.

use alloy_primitives::Address;
use chlom_chain::staking::ValidatorSetError;
use chlom_primitives::params::ParamsError;
use chlom_state::StateError;

/// Why a genesis file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Not JSON.
    #[error("the genesis file is no JSON: {0}")]
    Json(String),
    /// A value of another kind than belongs there.
    #[error("{path}: expected {expected}, got {got}")]
    Kind {
        /// Place in the file.
        path: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        got: String,
    },
    /// A key that means nothing here: a slip of the pen would go unnoticed.
    #[error("{path}: unknown key")]
    UnknownKey {
        /// Place in the file.
        path: String,
    },
    /// Given twice, perhaps in another spelling.
    #[error("{path}: given twice")]
    Duplicate {
        /// Place in the file, of the second.
        path: String,
    },
    /// Something that must be there.
    #[error("{path}: missing")]
    Missing {
        /// Place in the file.
        path: String,
    },
    /// Two places that say one thing, differently.
    #[error("{first} is {first_value} and {second} is {second_value}; they mean the same")]
    Conflict {
        /// One place.
        first: &'static str,
        /// Its value.
        first_value: u64,
        /// The other.
        second: &'static str,
        /// Its value.
        second_value: u64,
    },
    /// An address that the protocol allocates itself.
    #[error("{path}: {address} is reserved for the protocol and cannot be allocated")]
    Reserved {
        /// Place in the file.
        path: String,
        /// The address.
        address: Address,
    },
    /// More wei than 2²⁵⁶ − 1 in all.
    #[error("{path}: the total supply exceeds 2^256 - 1 wei with this balance")]
    SupplyOverflow {
        /// Place in the file, of the balance that is too much.
        path: String,
    },
    /// Code that no contract can have (EIP-3541, EIP-7702).
    #[error("{path}: code that begins with 0xef is no contract and no EIP-7702 delegation")]
    Code {
        /// Place in the file.
        path: String,
    },
    /// Storage of an account that is no contract: a later creation at the address would find it there (EIP-7610).
    #[error("{path}: an account with storage needs code or a nonce")]
    StorageWithoutContract {
        /// Place in the file.
        path: String,
    },
    /// A parameter out of its bounds.
    #[error("config.chlom.params: {0}")]
    Params(#[from] ParamsError),
    /// A parameter whose value does not fit.
    #[error("config.chlom.params: {0}")]
    ParamValue(String),
    /// The validators are no validator set.
    #[error("config.chlom.validators: {0}")]
    Validators(#[from] ValidatorSetError),
    /// The state could not be built.
    #[error(transparent)]
    State(#[from] StateError),
}
