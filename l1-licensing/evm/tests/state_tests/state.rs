//! The state that a test begins with.

use alloy_eips::eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use chlom_state::{
    Account, AccountChange, MemoryState, SlotChange, StateDiff, StateError, StateReader, trie,
};

use crate::vector::{PreAccount, Test};

/// What the tests' BLOCKHASH answers: keccak256 of the number in decimal digits.
pub(crate) fn block_hash(number: u64) -> B256 {
    keccak256(number.to_string())
}

/// The state of a test, with a history contract's storage that answers every height.
pub(crate) struct TestState {
    state: MemoryState,
    height: u64,
}

impl TestState {
    pub(crate) fn new(test: &Test, height: u64) -> Self {
        let mut diff = StateDiff::default();
        for (address, pre) in &test.pre {
            diff.accounts.insert(*address, change(pre));
            diff.codes.insert(keccak256(&pre.code), pre.code.clone());
        }
        let mut state = MemoryState::default();
        let updates = trie::apply(&state, &mut diff).unwrap();
        state.commit(&diff, &updates);
        Self { state, height }
    }

    /// The root after a diff.
    pub(crate) fn root_after(&self, diff: &mut StateDiff) -> B256 {
        trie::apply(&self.state, diff).unwrap().state_root
    }
}

fn change(pre: &PreAccount) -> AccountChange {
    let (nonce, code_hash) = (pre.nonce.to(), keccak256(&pre.code));
    let slots = pre.storage.iter().filter(|(_, value)| !value.is_zero());
    AccountChange {
        before: None,
        after: Some(Account { nonce, balance: pre.balance, code_hash, ..Account::default() }),
        wiped: false,
        storage: slots
            .map(|(slot, after)| (*slot, SlotChange { before: U256::ZERO, after: *after }))
            .collect(),
    }
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
