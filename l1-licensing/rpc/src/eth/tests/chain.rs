//! A chain in memory with real blocks, and its methods called by name.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy_consensus::{Header, SignableTransaction, TxEip1559, TxEnvelope, TxLegacy, TypedTransaction};
use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, Bytes, TxKind, U256, keccak256};
use chlom_app::rules::unexecuted;
use chlom_crypto::AccountKey;
use chlom_evm::{BlockEnv, BlockExecutor};
use chlom_module::ModuleSet;
use chlom_pool::{Pool, PoolConfig, PoolEnv};
use chlom_primitives::{
    Additions, Block, Params, Receipt, Tx,
    block::{receipts_root, transactions_root},
};
use chlom_state::{Account, AccountChange, MemoryState, SlotChange, StateDiff, TrieUpdates, trie};
use chlom_store::{Commit, Store, StoreConfig};
use serde_json::{Value, value::RawValue};
use tokio::sync::broadcast;

use super::contracts;
use crate::{Context, Limits, RpcError, Wake, dispatch::Params as CallParams};

/// Wei of each key's account in genesis: 1,000 CHM.
pub(crate) const FUNDS: u128 = 1_000_000_000_000_000_000_000;
/// Fee cap of the chain's own transactions, wei.
pub(crate) const FEE_CAP: u128 = 10_000_000_000;
/// Their tip.
pub(crate) const TIP: u128 = 1_000_000_000;
/// Receives the tips.
pub(crate) const PROPOSER: Address = Address::repeat_byte(0xcb);
/// Genesis' timestamp.
pub(crate) const START: u64 = 1_700_000_000;

struct Asleep;

impl Wake for Asleep {
    fn transactions_arrived(&self) {}
}

/// The chain.
pub(crate) struct Chain {
    pub(crate) ctx: Arc<Context>,
    pub(crate) keys: Vec<AccountKey>,
}

impl Chain {
    /// Genesis with three funded keys and the contracts.
    pub(crate) fn new() -> Self {
        Self::with(StoreConfig::memory(), Limits::default())
    }

    /// With other bounds.
    pub(crate) fn with(store: StoreConfig, limits: Limits) -> Self {
        let params = Arc::new(Params::default());
        let store = Store::open(store).unwrap();
        let env = PoolEnv::of(&params);
        let (pool, _) = Pool::open(PoolConfig::default(), None, env).unwrap();
        let ctx = Arc::new(Context {
            store,
            pool,
            params,
            modules: Arc::new(ModuleSet::empty()),
            limits,
            heads: broadcast::channel(16).0,
            pending: broadcast::channel(16).0,
            wake: Arc::new(Asleep),
            dev: None,
            client_version: "chlom/test".into(),
            blobs: None,
            sync_timeout: Duration::from_secs(1),
        });
        let keys = (1..=3u8).map(|n| AccountKey::from_bytes([n; 32]).unwrap()).collect();
        let chain = Self { ctx, keys };
        chain.commit_genesis();
        chain
    }

    fn commit_genesis(&self) {
        let mut diff = self.genesis();
        let updates = trie::apply(&MemoryState::default(), &mut diff).unwrap();
        let env = BlockEnv {
            timestamp: START,
            gas_limit: self.ctx.params.gas.block_gas_limit,
            base_fee: self.ctx.params.gas.initial_base_fee_wei,
            ..BlockEnv::default()
        };
        self.seal(&env, Vec::new(), Vec::new(), diff, updates);
    }

    fn genesis(&self) -> StateDiff {
        let mut diff = StateDiff::default();
        for key in &self.keys {
            let after = Some(Account { balance: U256::from(FUNDS), ..Account::default() });
            diff.accounts.insert(key.address(), AccountChange { after, ..AccountChange::default() });
        }
        let history = (HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone());
        for (address, code) in contracts::all().into_iter().chain([history]) {
            let code_hash = keccak256(&code);
            diff.codes.insert(code_hash, code);
            let after = Some(Account { nonce: 1, code_hash, ..Account::default() });
            let slot = match address {
                contracts::CLEARER => 1,
                contracts::READER => 7,
                _ => 0,
            };
            let mut storage = BTreeMap::new();
            if slot != 0 {
                storage.insert(U256::ZERO, SlotChange { before: U256::ZERO, after: U256::from(slot) });
            }
            diff.accounts.insert(address, AccountChange { after, storage, ..AccountChange::default() });
        }
        diff
    }

    /// Commits a block of these transactions, all of which must be valid.
    pub(crate) fn mine(&self, txs: Vec<Tx>) -> Arc<Block> {
        let head = self.ctx.store.head().unwrap();
        let time = head.block.header.timestamp + 1;
        let env = chlom_app::next_env(head.block.hash, &head.block.header, &self.ctx.params, time, PROPOSER);
        let mut executor = BlockExecutor::new(&head.state, &self.ctx.params, &self.ctx.modules, env).unwrap();
        let txs: Vec<Arc<Tx>> = txs.into_iter().map(Arc::new).collect();
        for tx in &txs {
            executor.execute(tx).unwrap();
        }
        let mut outcome = executor.finish().unwrap();
        let updates = trie::apply(&head.state, &mut outcome.diff).unwrap();
        let block = self.seal(&env, txs, outcome.receipts, outcome.diff, updates);
        let state = self.ctx.store.head().unwrap().state;
        let fee = chlom_app::rules::next_base_fee(&block.header, &self.ctx.params);
        self.ctx.pool.reset(&state, fee).unwrap();
        block
    }

    fn seal(
        &self,
        env: &BlockEnv,
        txs: Vec<Arc<Tx>>,
        receipts: Vec<Receipt>,
        diff: StateDiff,
        trie: TrieUpdates,
    ) -> Arc<Block> {
        let (receipts_root, logs_bloom) = receipts_root(&receipts);
        let header = Header {
            state_root: trie.state_root,
            transactions_root: transactions_root(&txs),
            receipts_root,
            logs_bloom,
            gas_used: receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used),
            ..unexecuted(env, &Additions::empty())
        };
        let block = Arc::new(Block::seal(header, Additions::empty(), txs));
        let commit = Commit { block: block.clone(), receipts: Arc::new(receipts), diff, trie };
        self.ctx.store.commit(commit).unwrap();
        block
    }

    /// A signed EIP-1559 transaction of 1,000,000 gas.
    pub(crate) fn tx(&self, key: usize, nonce: u64, to: impl Into<TxKind>, value: u64, input: Bytes) -> Tx {
        self.sign(
            key,
            TxEip1559 {
                chain_id: self.ctx.params.chain.evm_chain_id,
                nonce,
                gas_limit: 1_000_000,
                max_fee_per_gas: FEE_CAP,
                max_priority_fee_per_gas: TIP,
                to: to.into(),
                value: U256::from(value),
                input,
                ..TxEip1559::default()
            }
            .into(),
        )
    }

    /// A signed legacy transfer.
    pub(crate) fn legacy(&self, key: usize, nonce: u64, to: Address, value: u64) -> Tx {
        self.sign(
            key,
            TxLegacy {
                chain_id: Some(self.ctx.params.chain.evm_chain_id),
                nonce,
                gas_price: FEE_CAP,
                gas_limit: 21_000,
                to: to.into(),
                value: U256::from(value),
                input: Bytes::new(),
            }
            .into(),
        )
    }

    /// Signs anything.
    pub(crate) fn sign(&self, key: usize, tx: TypedTransaction) -> Tx {
        let key = &self.keys[key];
        let envelope: TxEnvelope = tx.clone().into_signed(key.sign_hash(tx.signature_hash())).into();
        Tx::new(envelope, key.address())
    }

    /// Calls a method; the answer as a value.
    pub(crate) fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let raw = RawValue::from_string(params.to_string()).unwrap();
        let params = CallParams::parse(Some(&raw))?;
        let rows = crate::eth::table().iter().chain(crate::debug::table());
        let (_, _, run) = rows.into_iter().find(|row| row.0 == method).unwrap();
        let answer = run(&self.ctx, &params)?;
        Ok(serde_json::from_slice(answer.as_bytes()).unwrap())
    }

    /// Calls a method that must answer.
    pub(crate) fn ok(&self, method: &str, params: Value) -> Value {
        self.call(method, params.clone()).unwrap_or_else(|e| panic!("{method} {params}: {e}"))
    }

    /// Calls a method that must refuse; code and message.
    pub(crate) fn refused(&self, method: &str, params: Value) -> (i64, String) {
        match self.call(method, params.clone()) {
            Ok(answer) => panic!("{method} {params} answered {answer}"),
            Err(error) => (error.code, error.message),
        }
    }
}

/// A 32-byte argument.
pub(crate) fn word(value: u64) -> Bytes {
    U256::from(value).to_be_bytes::<32>().into()
}
