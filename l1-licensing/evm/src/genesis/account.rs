//! One account of `alloc`.

use std::collections::BTreeMap;

use alloy_primitives::{Bytes, U256};
use revm::state::Bytecode;

use super::{error::GenesisError, json::Node, scalar::parse_slot};

/// One account of `alloc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Wei.
    pub balance: U256,
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Code; empty for none.
    pub code: Bytes,
    /// Storage, without zeroes.
    pub storage: BTreeMap<U256, U256>,
}

impl GenesisAccount {
    /// An account that only owns.
    pub fn with_balance(balance: U256) -> Self {
        Self { balance, ..Self::default() }
    }

    pub(super) fn parse(node: &Node<'_>) -> Result<Self, GenesisError> {
        let mut account = Self::default();
        for (key, field) in node.fields()? {
            match key {
                "balance" => account.balance = field.number()?,
                "nonce" => account.nonce = field.quantity()?,
                "code" => account.code = parse_code(&field)?,
                "storage" => account.storage = parse_storage(&field)?,
                _ => return Err(field.unknown()),
            }
        }
        if !account.storage.is_empty() && account.code.is_empty() && account.nonce == 0 {
            return Err(GenesisError::StorageWithoutContract { path: node.path.clone() });
        }
        Ok(account)
    }

    /// Empty as EIP-161 defines it: not in the state.
    pub(super) fn is_empty(&self) -> bool {
        self.balance.is_zero() && self.nonce == 0 && self.code.is_empty()
    }
}

fn parse_code(node: &Node<'_>) -> Result<Bytes, GenesisError> {
    let code = node.bytes()?;
    let delegation = Bytecode::new_eip7702_raw(code.clone()).is_ok();
    if code.first() == Some(&0xef) && !delegation {
        return Err(GenesisError::Code { path: node.path.clone() });
    }
    Ok(code)
}

fn parse_storage(node: &Node<'_>) -> Result<BTreeMap<U256, U256>, GenesisError> {
    let mut storage = BTreeMap::new();
    for (key, field) in node.fields()? {
        let Some(slot) = parse_slot(key) else {
            let (path, got) = (node.path.clone(), format!("{key:?}"));
            return Err(GenesisError::Kind { path, expected: "slots of at most 64 hex digits as keys", got });
        };
        let value = field.number()?;
        if storage.insert(slot, value).is_some() {
            return Err(GenesisError::Duplicate { path: field.path });
        }
    }
    storage.retain(|_, value| !value.is_zero());
    Ok(storage)
}
