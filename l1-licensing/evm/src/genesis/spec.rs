//! What a chain begins with.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use chlom_chain::staking::Validator;
use chlom_primitives::Params;

use super::{account::GenesisAccount, contracts::Governance};

/// A part of a genesis file that has no effect on CHLOM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Place in the file.
    pub path: String,
    /// Why it has no effect.
    pub reason: &'static str,
}

/// What a chain begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisSpec {
    /// The parameters, checked.
    pub params: Params,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// The mix that the first block's is made from.
    pub mix_hash: B256,
    /// Accounts that the file allocates.
    pub alloc: BTreeMap<Address, GenesisAccount>,
    /// The first validators. A file may leave them out for `chlom dev`, which brings its own; [`GenesisSpec::state`] needs
    /// at least one.
    pub validators: Vec<Validator>,
    /// Who owns and runs the system contracts. A file may leave it out for `chlom dev`, as it may the validators;
    /// [`GenesisSpec::state`] needs it.
    pub governance: Option<Governance>,
    /// What the file says and CHLOM does not heed, to be told to whoever wrote it.
    pub ignored: Vec<Ignored>,
}

impl GenesisSpec {
    /// A development chain: default parameters, accounts with balances in wei, its validators, and the first of those to
    /// govern.
    pub fn dev(
        accounts: impl IntoIterator<Item = (Address, U256)>,
        validators: Vec<Validator>,
        timestamp: u64,
    ) -> Self {
        let alloc = accounts
            .into_iter()
            .map(|(address, balance)| (address, GenesisAccount::with_balance(balance)))
            .collect();
        let governance = validators.first().map(|validator| Governance::dev(validator.account));
        Self { alloc, validators, governance, timestamp, ..Self::default() }
    }
}
