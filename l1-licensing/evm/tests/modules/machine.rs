//! A chain with the probe on it.

use std::{collections::BTreeMap, sync::Arc};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, Bytes, Log, Signature, TxKind, U256, keccak256};
use chlom_evm::{BlockEnv, BlockExecutor, ExecuteError, Executed};
use chlom_module::{ModuleSet, stub::stub_code};
use chlom_primitives::{Params, Tx};
use chlom_state::{Account, MemoryState, StateDiff, StateReader, TrieUpdates};

use crate::probe::{PROBE, Probe};

/// Sends all transactions. Gas is free here, so that balances are what calls make of them.
pub(crate) const SENDER: Address = Address::repeat_byte(0x5e);

pub(crate) const ENV: BlockEnv = BlockEnv {
    height: 9,
    timestamp: 1_000,
    beneficiary: Address::repeat_byte(0xbe),
    gas_limit: 200_000_000,
    base_fee: 0,
    mix_hash: alloy_primitives::B256::repeat_byte(0x3a),
    parent_hash: alloy_primitives::B256::repeat_byte(0x9a),
};

pub(crate) fn modules() -> ModuleSet {
    ModuleSet::new([Arc::new(Probe) as _]).unwrap()
}

/// A state with the probe, and the sender rich.
pub(crate) fn genesis() -> MemoryState {
    let mut state = MemoryState::default();
    insert(&mut state, PROBE, U256::from(500), 1, stub_code(), BTreeMap::new());
    insert(&mut state, SENDER, U256::from(1_000_000_000_u64), 0, Bytes::new(), BTreeMap::new());
    state
}

pub(crate) fn insert(
    state: &mut MemoryState,
    address: Address,
    balance: U256,
    nonce: u64,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
) {
    let (hashed, code_hash) = (keccak256(address), keccak256(&code));
    let mut account = Account { nonce, balance, code_hash, ..Account::default() };
    for (slot, value) in storage {
        state.storage.insert((hashed, keccak256(slot.to_be_bytes::<32>())), value);
        // No trie is kept here. Any root but the empty one says that there is storage.
        account.storage_root = keccak256("storage");
    }
    state.codes.insert(code_hash, code);
    state.accounts.insert(hashed, account);
}

pub(crate) fn contract(state: &mut MemoryState, address: Address, balance: u64, code: Bytes) {
    insert(state, address, U256::from(balance), 1, code, BTreeMap::new());
}

pub(crate) fn tx(to: Address, value: U256, input: Vec<u8>, gas_limit: u64, nonce: u64) -> Tx {
    let tx = TxEip1559 {
        chain_id: Params::default().chain.evm_chain_id,
        nonce,
        gas_limit,
        to: TxKind::Call(to),
        value,
        input: input.into(),
        ..TxEip1559::default()
    };
    // The sender is stated; nothing below the recovery looks at the signature.
    Tx::new(TxEnvelope::from(tx.into_signed(Signature::test_signature())), SENDER)
}

/// One transaction's end: what it answered, the logs, the state after, and the diff.
pub(crate) struct Ran {
    pub(crate) executed: Executed,
    pub(crate) logs: Vec<Log>,
    pub(crate) state: MemoryState,
    pub(crate) diff: StateDiff,
}

impl Ran {
    pub(crate) fn slot(&self, address: Address, slot: u64) -> U256 {
        self.state.storage(&address, &U256::from(slot)).unwrap()
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.state.account(&address).unwrap().unwrap_or_default().balance
    }
}

/// Executes a transaction in a block of its own.
pub(crate) fn run(state: &MemoryState, tx: &Tx) -> Result<Ran, ExecuteError> {
    let (params, modules) = (Params::default(), modules());
    let mut executor = BlockExecutor::new(state, &params, &modules, ENV)?;
    let executed = executor.execute(tx)?;
    let outcome = executor.finish()?;
    let mut state = state.clone();
    state.commit(&outcome.diff, &TrieUpdates::default());
    let logs = outcome.receipts.into_iter().flat_map(|receipt| receipt.logs).collect();
    Ok(Ran { executed, logs, state, diff: outcome.diff })
}

/// Calls from the sender's account, with plenty of gas.
pub(crate) fn send(state: &MemoryState, to: Address, value: u64, input: Vec<u8>) -> Ran {
    run(state, &tx(to, U256::from(value), input, 16_000_000, 0)).unwrap()
}
