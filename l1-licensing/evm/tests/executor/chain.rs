//! A chain in memory, on a genesis of the production modules.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip7702, TxEnvelope};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use chlom_chain::staking::Validator;
use chlom_crypto::{AccountKey, ValidatorKey};
use chlom_evm::{
    BlockEnv, BlockExecutor, BlockOutcome, GenesisSpec, genesis::GenesisAccount, system_modules,
};
use chlom_primitives::{Params, Tx};
use chlom_state::{MemoryState, StateDiff, StateReader, trie};

/// 1 gwei: tips and burned fees show in balances.
pub(crate) const PRICE: u64 = 1_000_000_000;

pub(crate) fn key(seed: u8) -> AccountKey {
    AccountKey::from_bytes([seed; 32]).unwrap()
}

pub(crate) fn account(seed: u8) -> Address {
    key(seed).address()
}

pub(crate) struct Chain {
    pub(crate) state: MemoryState,
    pub(crate) params: Params,
    pub(crate) height: u64,
    pub(crate) parent_hash: B256,
}

impl Chain {
    /// Accounts 1 to 5 have 1,000 CHM each; contracts have code.
    pub(crate) fn new(contracts: &[(Address, Bytes)]) -> Self {
        let rich = U256::from(1_000) * U256::from(10).pow(U256::from(18));
        let consensus_key = ValidatorKey::from_seed(&[1; 32]).consensus_key().to_bytes().into();
        let validator = Validator { consensus_key, account: account(9), power: 1 };
        let mut spec = GenesisSpec::dev((1..=5).map(|seed| (account(seed), rich)), vec![validator], 1);
        for (address, code) in contracts {
            let contract = GenesisAccount { nonce: 1, code: code.clone(), ..GenesisAccount::default() };
            spec.alloc.insert(*address, contract);
        }
        let mut state = MemoryState::default();
        commit(&mut state, &spec.state().unwrap());
        Self { state, params: spec.params, height: 0, parent_hash: keccak256("genesis") }
    }

    /// The next block's environment. Hashes of blocks are those of their heights.
    pub(crate) fn next(&self) -> BlockEnv {
        BlockEnv {
            height: self.height + 1,
            timestamp: 1_000 + self.height,
            beneficiary: Address::repeat_byte(0xbe),
            gas_limit: 30_000_000,
            base_fee: PRICE,
            mix_hash: B256::repeat_byte(0x33),
            parent_hash: self.parent_hash,
        }
    }

    /// Executes and commits a block of transactions that are all valid.
    pub(crate) fn block(&mut self, txs: &[Tx]) -> BlockOutcome {
        let modules = system_modules();
        let mut executor = BlockExecutor::new(&self.state, &self.params, &modules, self.next()).unwrap();
        for tx in txs {
            executor.execute(tx).unwrap();
        }
        let outcome = executor.finish().unwrap();
        commit(&mut self.state, &outcome.diff);
        self.height += 1;
        self.parent_hash = keccak256(self.height.to_string());
        outcome
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.state.account(&address).unwrap().unwrap_or_default().balance
    }

    pub(crate) fn slot(&self, address: Address, slot: u64) -> U256 {
        self.state.storage(&address, &U256::from(slot)).unwrap()
    }
}

/// Roots and commits.
pub(crate) fn commit(state: &mut MemoryState, diff: &StateDiff) {
    let mut diff = diff.clone();
    let updates = trie::apply(&*state, &mut diff).unwrap();
    state.commit(&diff, &updates);
}

pub(crate) fn transfer(seed: u8, nonce: u64, to: Address, value: u64) -> Tx {
    call(seed, nonce, TxKind::Call(to), value, Bytes::new())
}

pub(crate) fn call(seed: u8, nonce: u64, to: TxKind, value: u64, input: Bytes) -> Tx {
    with_gas(seed, nonce, to, value, input, 500_000)
}

pub(crate) fn with_gas(seed: u8, nonce: u64, to: TxKind, value: u64, input: Bytes, gas_limit: u64) -> Tx {
    let tx = TxEip1559 {
        chain_id: 7272,
        nonce,
        gas_limit,
        max_fee_per_gas: u128::from(2 * PRICE),
        max_priority_fee_per_gas: 7,
        to,
        value: U256::from(value),
        input,
        ..TxEip1559::default()
    };
    // The sender is stated; nothing below the recovery looks at the signature.
    Tx::new(TxEnvelope::from(tx.into_signed(Signature::test_signature())), account(seed))
}

/// Account `authority` delegates to `address`.
pub(crate) fn authorize(authority: u8, nonce: u64, address: Address) -> SignedAuthorization {
    let authorization = Authorization { chain_id: U256::from(7272), address, nonce };
    let signature = key(authority).sign_hash(authorization.signature_hash());
    authorization.into_signed(signature)
}

pub(crate) fn delegating(seed: u8, nonce: u64, to: Address, list: Vec<SignedAuthorization>) -> Tx {
    let tx = TxEip7702 {
        chain_id: 7272,
        nonce,
        gas_limit: 500_000,
        max_fee_per_gas: u128::from(2 * PRICE),
        max_priority_fee_per_gas: 7,
        to,
        authorization_list: list,
        ..TxEip7702::default()
    };
    Tx::new(TxEnvelope::from(tx.into_signed(Signature::test_signature())), account(seed))
}
