//! The state of the genesis block, as changes of an empty state.

use std::collections::BTreeMap;

use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, U256, keccak256};
use chlom_chain::{
    blobs::BlobsGenesis,
    staking::{StakingGenesis, ValidatorSet},
};
use chlom_module::stub::stub_code;
use chlom_primitives::address::{DATA_AVAILABILITY, STAKING};
use chlom_state::{Account, AccountChange, SlotChange, StateDiff};

use super::{account::GenesisAccount, contracts::allocate, error::GenesisError, spec::GenesisSpec};
use crate::modules::system_modules;

impl GenesisSpec {
    /// The allocation, the modules' accounts (nonce 1 and stub code, with their storage), the system contracts
    /// and the history contract (EIP-2935). Depends on nothing but the spec. Upholds [GEN-4] and [MOD-1].
    ///
    /// # Errors
    /// When the parameters are out of bounds or the validators are no set.
    pub fn state(&self) -> Result<StateDiff, GenesisError> {
        self.params.check()?;
        let mut diff = StateDiff::default();
        for (address, account) in self.alloc.iter().filter(|(_, account)| !account.is_empty()) {
            insert(&mut diff, *address, account);
        }
        for module in system_modules().iter() {
            let storage = match module.address() {
                STAKING => self.staking_storage()?,
                DATA_AVAILABILITY => BlobsGenesis { params: self.params.da.clone() }.allocate()?,
                _ => BTreeMap::new(),
            };
            insert(&mut diff, module.address(), &protocol_account(stub_code(), storage));
        }
        let governance = self.governance.as_ref().ok_or(GenesisError::NoAuthority)?;
        for (address, account) in allocate(self, governance)? {
            insert(&mut diff, address, &account);
        }
        let history = protocol_account(HISTORY_STORAGE_CODE.clone(), BTreeMap::new());
        insert(&mut diff, HISTORY_STORAGE_ADDRESS, &history);
        Ok(diff)
    }

    fn staking_storage(&self) -> Result<BTreeMap<U256, U256>, GenesisError> {
        let validators = ValidatorSet::new(self.validators.clone(), &self.params.staking)?;
        Ok(StakingGenesis { validators }.allocate()?)
    }
}

/// Nonce 1, so that it is never empty and no creation can take its place.
fn protocol_account(code: Bytes, storage: BTreeMap<U256, U256>) -> GenesisAccount {
    GenesisAccount { balance: U256::ZERO, nonce: 1, code, storage }
}

fn insert(diff: &mut StateDiff, address: Address, account: &GenesisAccount) {
    let code_hash = if account.code.is_empty() { KECCAK256_EMPTY } else { keccak256(&account.code) };
    let after = Account { nonce: account.nonce, balance: account.balance, code_hash, ..Account::default() };
    let set = |(slot, value): (&U256, &U256)| (*slot, SlotChange { before: U256::ZERO, after: *value });
    let storage = account.storage.iter().map(set).collect();
    diff.accounts.insert(address, AccountChange { before: None, after: Some(after), wiped: false, storage });
    if !account.code.is_empty() {
        diff.codes.insert(code_hash, account.code.clone());
    }
}
