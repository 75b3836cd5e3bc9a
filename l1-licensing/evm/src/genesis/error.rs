//! Why a genesis file is refused. Every error names the place in the file.

use alloy_primitives::Address;
use chlom_chain::staking::ValidatorSetError;
use chlom_primitives::params::ParamsError;
use chlom_state::StateError;

use super::contracts::ArtifactError;

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
    /// Nobody governs.
    #[error(
        "config.chlom.governance.authority: missing; name the address that governs the system contracts until the council \
         exists"
    )]
    NoAuthority,
    /// An address that nobody can have the key of.
    #[error("{path}: {address} is nobody's address")]
    Nobody {
        /// Place in the file.
        path: String,
        /// The address.
        address: Address,
    },
    /// A timelock's delay out of its bounds.
    #[error("{path}: {seconds} s is more than {most} s")]
    Delay {
        /// Place in the file.
        path: String,
        /// What it says.
        seconds: u64,
        /// The bound.
        most: u64,
    },
    /// A lane's window out of its bounds.
    #[error("{path}: {given} is not {least} to {most}")]
    LaneWindow {
        /// Place in the file.
        path: String,
        /// What it says.
        given: u64,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A system contract that could not be made.
    #[error("system contract {name} at {address}: {why}")]
    Contract {
        /// The contract.
        name: &'static str,
        /// Where.
        address: Address,
        /// Why not.
        why: String,
    },
    /// A system contract's constructor changed an account that is no system contract.
    #[error("the system contracts' constructors changed {address}, which is none of them")]
    Stray {
        /// The account.
        address: Address,
    },
    /// A committed artefact that cannot be read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The state could not be built.
    #[error(transparent)]
    State(#[from] StateError),
}
