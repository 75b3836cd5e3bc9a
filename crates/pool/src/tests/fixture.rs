//! Transactions and accounts for tests.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, Signature, TxKind, U256, keccak256};
use chlom_crypto::AccountKey;
use chlom_primitives::Tx;
use chlom_state::{Account, MemoryState};

use crate::{Pool, PoolConfig, PoolEnv};

pub(super) const CHAIN: u64 = 7272;
pub(super) const ENV: PoolEnv = PoolEnv { chain_id: CHAIN, block_gas_limit: 200_000_000, min_base_fee: 0 };

/// Balance of every account that a test does not say otherwise of: enough for anything.
pub(super) const RICH: u128 = 1 << 100;

pub(super) fn key(who: u8) -> AccountKey {
    AccountKey::from_bytes([who; 32]).unwrap()
}

/// The account of [`key`].
pub(super) fn account(who: u8) -> Address {
    key(who).address()
}

/// A transaction in the making: a transfer of nothing at 100 wei, 10 of it tip.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) who: u8,
    pub(super) tx: TxEip1559,
}

pub(super) fn draft(who: u8, nonce: u64) -> Draft {
    let tx = TxEip1559 {
        chain_id: CHAIN,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 100,
        max_priority_fee_per_gas: 10,
        to: TxKind::Call(Address::repeat_byte(0xee)),
        ..Default::default()
    };
    Draft { who, tx }
}

impl Draft {
    pub(super) fn fees(mut self, fee_cap: u128, tip_cap: u128) -> Self {
        (self.tx.max_fee_per_gas, self.tx.max_priority_fee_per_gas) = (fee_cap, tip_cap);
        self
    }

    pub(super) fn value(mut self, value: u128) -> Self {
        self.tx.value = U256::from(value);
        self
    }

    pub(super) fn gas(mut self, gas: u64) -> Self {
        self.tx.gas_limit = gas;
        self
    }

    pub(super) fn input(mut self, input: Vec<u8>) -> Self {
        self.tx.gas_limit = 21_000 + 40 * input.len() as u64;
        self.tx.input = Bytes::from(input);
        self
    }

    /// Signed by its account.
    pub(super) fn tx(self) -> Arc<Tx> {
        let key = key(self.who);
        let signature = key.sign_hash(self.tx.signature_hash());
        Arc::new(Tx::new(self.tx.into_signed(signature).into(), key.address()))
    }

    /// With a signature that only looks like one, for tests that need many and recover none. `sender` goes into the
    /// signature too, so that no two senders' transactions are the same.
    pub(super) fn unsigned(self, sender: Address) -> Arc<Tx> {
        let signature = Signature::new(U256::from_be_slice(sender.as_slice()), U256::from(1), false);
        Arc::new(Tx::new(self.tx.into_signed(signature).into(), sender))
    }
}

/// Any envelope with a signature of `who`.
pub(super) fn sign<T: SignableTransaction<Signature>>(who: u8, tx: T) -> Arc<Tx>
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = key(who).sign_hash(tx.signature_hash());
    Arc::new(Tx::new(tx.into_signed(signature).into(), account(who)))
}

/// Sets an account.
pub(super) fn set(state: &mut MemoryState, address: Address, nonce: u64, balance: U256) {
    let account = Account { nonce, balance, ..Account::default() };
    state.accounts.insert(keccak256(address), account);
}

/// Gives an account code.
pub(super) fn set_code(state: &mut MemoryState, address: Address, code: &[u8]) {
    let code_hash = if code.is_empty() { KECCAK256_EMPTY } else { keccak256(code) };
    state.codes.insert(code_hash, Bytes::copy_from_slice(code));
    state.accounts.entry(keccak256(address)).or_default().code_hash = code_hash;
}

/// A state in which accounts 1 to 20 are rich and have sent nothing.
pub(super) fn state() -> MemoryState {
    let mut state = MemoryState::default();
    for who in 1..=20 {
        set(&mut state, account(who), 0, U256::from(RICH));
    }
    state
}

pub(super) fn pool_with(config: PoolConfig) -> Pool {
    Pool::open(config, None, ENV).unwrap().0
}

pub(super) fn pool() -> Pool {
    pool_with(PoolConfig::default())
}

/// (sender, nonce) of everything that a block at `base_fee` would take, in order.
pub(super) fn order(pool: &Pool, base_fee: u64) -> Vec<(Address, u64)> {
    pool.best(base_fee).map(|tx| (tx.sender(), tx.nonce())).collect()
}
