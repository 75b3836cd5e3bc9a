//! Proofs of accounts and slots (EIP-1186), at the newest height and earlier ones.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use chlom_state::{Account, NodeReader, StateError, TrieId, account::EMPTY_ROOT, trie};

use crate::{
    earlier::{Patience, expired_or},
    encoding::{damaged, whole},
    error::StoreError,
    layer::hash_slot,
    shared::Shared,
    view::StateView,
};

/// An account at a height with the nodes that prove it (EIP-1186).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// The account; `None` when it is not in the state, which is then what is proved.
    pub account: Option<Account>,
    /// Nodes from the state root towards keccak256(address).
    pub account_proof: Vec<Bytes>,
    /// The slots in the order in which they were asked for.
    pub storage: Vec<SlotProof>,
}

/// A slot with the nodes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// The slot.
    pub slot: U256,
    /// Its value; zero when it is not set, which is then what is proved.
    pub value: U256,
    /// Nodes from the account's storage root towards keccak256(slot).
    pub proof: Vec<Bytes>,
}

impl Shared {
    pub(crate) fn prove(
        self: &Arc<Self>,
        height: u64,
        address: Address,
        slots: &[U256],
        patience: Patience,
    ) -> Result<AccountProof, StoreError> {
        let Some(head) = self.head() else { return Err(StoreError::Future { height, tip: None }) };
        let newest = head.height();
        if height > newest {
            return Err(StoreError::Future { height, tip: Some(newest) });
        }
        if height == newest {
            return Ok(prove(&StateView::newest(self, &head), address, slots)?);
        }
        let earlier = self.earlier.at(self, &head, height, patience)?;
        prove(&earlier.reader(self, patience), address, slots)
            .map_err(|error| expired_or(error, height, patience))
    }
}

fn prove<R: NodeReader>(reader: &R, address: Address, slots: &[U256]) -> Result<AccountProof, StateError> {
    let hashed = keccak256(address);
    let account: Option<Account> = leaf(reader, &TrieId::Accounts, &hashed)?;
    let account_proof = trie::prove(reader, &TrieId::Accounts, &hashed)?;
    let storage_trie = TrieId::Storage(hashed);
    let has_storage = account.is_some_and(|account| account.storage_root != EMPTY_ROOT);
    let storage = slots.iter().map(|slot| {
        if !has_storage {
            return Ok(SlotProof { slot: *slot, value: U256::ZERO, proof: Vec::new() });
        }
        let key = hash_slot(slot);
        let value: U256 = leaf(reader, &storage_trie, &key)?.unwrap_or_default();
        Ok(SlotProof { slot: *slot, value, proof: trie::prove(reader, &storage_trie, &key)? })
    });
    let storage = storage.collect::<Result<_, StateError>>()?;
    Ok(AccountProof { account, account_proof, storage })
}

fn leaf<T: alloy_rlp::Decodable>(
    reader: &impl NodeReader,
    trie: &TrieId,
    key: &B256,
) -> Result<Option<T>, StateError> {
    let Some(bytes) = reader.leaf(trie, key)? else { return Ok(None) };
    Ok(Some(whole(&bytes).map_err(|error| damaged("a leaf", error))?))
}
