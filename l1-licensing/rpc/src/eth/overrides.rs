//! State and block overrides: what a caller wants to be otherwise than it is.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256};
use chlom_evm::DbError;
use chlom_module::ModuleSet;
use revm::{
    Database,
    context::BlockEnv,
    context_interface::block::BlobExcessGasAndPrice,
    precompile::{PrecompileSpecId, Precompiles},
    state::Bytecode,
};
use serde::Deserialize;

use super::{code_cache::CallDb, precompiles::Moves};
use crate::error::RpcError;

/// `movePrecompileToAddress` names its own address.
const MOVE_TO_SELF: i64 = -38022;
/// Two precompiles are moved to one address.
const MOVE_TWICE: i64 = -38023;

/// Overrides by account, in the order of the addresses, so that messages do not depend on a map's order.
pub(crate) type StateOverride = BTreeMap<Address, AccountOverride>;

/// What is otherwise about one account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct AccountOverride {
    /// Wei.
    pub(crate) balance: Option<U256>,
    /// Nonce.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub(crate) nonce: Option<u64>,
    /// Code.
    pub(crate) code: Option<Bytes>,
    /// All storage: what is not named is zero.
    pub(crate) state: Option<BTreeMap<B256, B256>>,
    /// Some storage: what is not named stays.
    pub(crate) state_diff: Option<BTreeMap<B256, B256>>,
    /// Where a precompile answers instead.
    #[serde(alias = "MovePrecompileToAddress")]
    pub(crate) move_precompile_to_address: Option<Address>,
}

/// What is otherwise about a block. geth's and the older clients' names are taken.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BlockOverrides {
    /// Height.
    #[serde(alias = "blockNumber")]
    pub(crate) number: Option<U256>,
    /// Without effect, as on every chain with `prevrandao`.
    pub(crate) difficulty: Option<U256>,
    /// Seconds since the epoch.
    #[serde(alias = "timestamp", with = "alloy_serde::quantity::opt")]
    pub(crate) time: Option<u64>,
    /// Block gas limit.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub(crate) gas_limit: Option<u64>,
    /// Receives the tips.
    #[serde(alias = "coinbase")]
    pub(crate) fee_recipient: Option<Address>,
    /// The beacon's mix.
    #[serde(alias = "random")]
    pub(crate) prev_randao: Option<B256>,
    /// Wei.
    #[serde(alias = "baseFee")]
    pub(crate) base_fee_per_gas: Option<U256>,
    /// Wei.
    pub(crate) blob_base_fee: Option<U256>,
    /// Refused: this chain has none.
    #[serde(alias = "parentBeaconBlockRoot")]
    pub(crate) beacon_root: Option<B256>,
    /// Refused unless empty: this chain has none.
    pub(crate) withdrawals: Option<Vec<serde::de::IgnoredAny>>,
}

impl BlockOverrides {
    /// Refuses what this chain's blocks do not have.
    ///
    /// # Errors
    /// [`crate::error::SERVER_ERROR`], with geth's messages.
    pub(crate) fn check(&self) -> Result<(), RpcError> {
        let unsupported = |name: &str| {
            RpcError::server(format!("block override \"{name}\" is not supported for this RPC method"))
        };
        if self.beacon_root.is_some_and(|root| !root.is_zero()) {
            return Err(unsupported("beaconRoot"));
        }
        if self.withdrawals.as_ref().is_some_and(|list| !list.is_empty()) {
            return Err(unsupported("withdrawals"));
        }
        Ok(())
    }

    /// Changes an environment.
    ///
    /// # Errors
    /// See [`BlockOverrides::check`]; a base fee above 64 bits.
    pub(crate) fn apply(&self, env: &mut BlockEnv) -> Result<(), RpcError> {
        self.check()?;
        if let Some(number) = self.number {
            env.number = number;
        }
        if let Some(time) = self.time {
            env.timestamp = U256::from(time);
        }
        if let Some(limit) = self.gas_limit {
            env.gas_limit = limit;
        }
        if let Some(recipient) = self.fee_recipient {
            env.beneficiary = recipient;
        }
        if let Some(mix) = self.prev_randao {
            env.prevrandao = Some(mix);
        }
        if let Some(fee) = self.base_fee_per_gas {
            env.basefee = self.narrow("baseFeePerGas", fee)?;
        }
        if let Some(fee) = self.blob_base_fee {
            let blob_gasprice = self.narrow("blobBaseFee", fee)?;
            env.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice });
        }
        Ok(())
    }

    fn narrow<T: TryFrom<U256>>(&self, name: &str, value: U256) -> Result<T, RpcError> {
        value
            .try_into()
            .map_err(|_| RpcError::invalid_params(format!("block override {name} is too large: {value}")))
    }
}

/// Changes state, and which precompiles answer where.
///
/// # Errors
/// Overrides that contradict themselves, with geth's messages; faults of the store.
pub(crate) fn apply(
    overrides: &StateOverride,
    db: &mut CallDb,
    modules: &ModuleSet,
) -> Result<Moves, RpcError> {
    let mut moves = Moves::default();
    let mut targets = BTreeSet::new();
    for (address, account) in overrides {
        if targets.contains(address) {
            return Err(RpcError::server(format!(
                "account {address} has already been overridden by a precompile"
            )));
        }
        move_precompile(overrides, *address, account, modules, &mut moves, &mut targets)?;
        apply_account(*address, account, db)?;
    }
    Ok(moves)
}

/// True for Ethereum's own precompiles.
pub(crate) fn is_precompile(address: &Address) -> bool {
    Precompiles::new(PrecompileSpecId::from_spec_id(chlom_evm::env::SPEC)).contains(address)
}

fn move_precompile(
    overrides: &StateOverride,
    address: Address,
    account: &AccountOverride,
    modules: &ModuleSet,
    moves: &mut Moves,
    targets: &mut BTreeSet<Address>,
) -> Result<(), RpcError> {
    if let Some(to) = account.move_precompile_to_address {
        if !is_precompile(&address) {
            return Err(RpcError::server(format!("account {address} is not a precompile")));
        }
        if to == address {
            return Err(RpcError::new(MOVE_TO_SELF, format!("precompile {address} is moved to itself")));
        }
        if overrides.contains_key(&to) {
            return Err(RpcError::server(format!("account {to} is already overridden")));
        }
        if !targets.insert(to) {
            return Err(RpcError::new(MOVE_TWICE, format!("two precompiles are moved to {to}")));
        }
        moves.moved.insert(to, address);
    }
    // An overridden precompile is an account like any other; a module stays what it is unless it is given code.
    if is_precompile(&address) || (account.code.is_some() && modules.get(&address).is_some()) {
        moves.gone.insert(address);
    }
    Ok(())
}

fn apply_account(address: Address, account: &AccountOverride, db: &mut CallDb) -> Result<(), RpcError> {
    if account.state.is_some() && account.state_diff.is_some() {
        return Err(RpcError::server(format!("account {address} has both 'state' and 'stateDiff'")));
    }
    let fault = |DbError(error)| RpcError::internal(error);
    if account.balance.is_some() || account.nonce.is_some() || account.code.is_some() {
        let mut info = db.basic(address).map_err(fault)?.unwrap_or_default();
        info.balance = account.balance.unwrap_or(info.balance);
        info.nonce = account.nonce.unwrap_or(info.nonce);
        if let Some(code) = &account.code {
            let code = Bytecode::new_raw_checked(code.clone())
                .map_err(|e| RpcError::invalid_params(format!("code of account {address}: {e}")))?;
            info.code_hash = code.hash_slow();
            info.code = Some(code);
        }
        db.insert_account_info(address, info);
    }
    let word = |(slot, value): (&B256, &B256)| (U256::from_be_bytes(slot.0), U256::from_be_bytes(value.0));
    if let Some(all) = &account.state {
        db.replace_account_storage(address, all.iter().map(word).collect()).map_err(fault)?;
    }
    for (slot, value) in account.state_diff.iter().flatten().map(word) {
        db.insert_account_storage(address, slot, value).map_err(fault)?;
    }
    Ok(())
}
