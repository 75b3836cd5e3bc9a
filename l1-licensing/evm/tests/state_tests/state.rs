//! The state that a test begins with.

use alloy_eips::eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles};
use chlom_state::{Account, MemoryState, StateDiff, StateError, StateReader, TrieUpdates};

use crate::vector::Test;

/// What the tests' BLOCKHASH answers: keccak256 of the number in decimal digits.
pub(crate) fn block_hash(number: u64) -> B256 {
    keccak256(number.to_string())
}

/// The state of a test, with a history contract's storage that answers every height.
pub(crate) struct TestState {
    pub(crate) state: MemoryState,
    pub(crate) height: u64,
}

impl TestState {
    pub(crate) fn new(test: &Test, height: u64) -> Self {
        let mut state = MemoryState::default();
        for (address, pre) in &test.pre {
            let hashed = keccak256(address);
            let code_hash = keccak256(&pre.code);
            state.codes.insert(code_hash, pre.code.clone());
            for (slot, value) in pre.storage.iter().filter(|(_, value)| !value.is_zero()) {
                state.storage.insert((hashed, keccak256(slot.to_be_bytes::<32>())), *value);
            }
            let nonce = pre.nonce.to();
            state
                .accounts
                .insert(hashed, Account { nonce, balance: pre.balance, code_hash, ..Account::default() });
        }
        rebuild_roots(&mut state);
        Self { state, height }
    }

    /// The root after a diff.
    pub(crate) fn root_after(&self, diff: &StateDiff) -> B256 {
        let mut state = self.state.clone();
        state.commit(diff, &TrieUpdates::default());
        rebuild_roots(&mut state);
        state.state_root()
    }
}

/// All roots from nothing but the flat state.
fn rebuild_roots(state: &mut MemoryState) {
    let storage = &state.storage;
    let mut root = HashBuilder::default();
    for (hashed, account) in &mut state.accounts {
        let mut storage_root = HashBuilder::default();
        for ((_, slot), value) in storage.range((*hashed, B256::ZERO)..=(*hashed, B256::repeat_byte(0xff))) {
            storage_root.add_leaf(Nibbles::unpack(slot), &alloy_rlp::encode(value));
        }
        account.storage_root = storage_root.root();
        root.add_leaf(Nibbles::unpack(hashed), &alloy_rlp::encode(*account));
    }
    state.state_root = Some(root.root());
}

impl StateReader for TestState {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        self.state.account(address)
    }

    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        if *address == HISTORY_STORAGE_ADDRESS {
            let window = HISTORY_SERVE_WINDOW as u64;
            let behind = (self.height + window - slot.to::<u64>()) % window;
            return Ok(self.height.checked_sub(behind).map_or(U256::ZERO, |n| block_hash(n).into()));
        }
        self.state.storage(address, slot)
    }

    fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        self.state.code(hash)
    }

    fn storage_entries(&self, hashed_address: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        self.state.storage_entries(hashed_address)
    }
}
