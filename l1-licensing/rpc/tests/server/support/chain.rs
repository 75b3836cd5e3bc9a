//! A chain of the real application, store and pool, whose blocks a test makes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use chlom_app::{App, Base, LastCommit, TxSource, next_env};
use chlom_blobs::BlobService;
use chlom_chain::{
    staking::{StakingGenesis, Validator, ValidatorSet},
    votes::{CommitFlags, VoteExtension, sign_extension},
};
use chlom_crypto::{AccountKey, ValidatorKey};
use chlom_evm::{BlockEnv, TxInvalid};
use chlom_module::ModuleSet;
use chlom_pool::{Best, Pool, PoolConfig, PoolEnv};
use chlom_primitives::{Additions, Block, L0_CHAIN_ID, Params, Tx, address::STAKING};
use chlom_rpc::{Context, DevControl, Limits, NewBlock, RpcError, Wake};
use chlom_state::{Account, AccountChange, MemoryState, SlotChange, StateDiff, trie};
use chlom_store::{Commit, Store, StoreConfig};
use parking_lot::Mutex;
use tokio::sync::broadcast;

/// Code that logs its whole calldata under one topic.
///
/// CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY · PUSH1 7 CALLDATASIZE PUSH0 LOG1 · STOP
const LOGGER_CODE: &[u8] = &[0x36, 0x5f, 0x5f, 0x37, 0x60, 0x07, 0x36, 0x5f, 0xa1, 0x00];

/// Where that code is.
pub(crate) const LOGGER: Address = Address::repeat_byte(0xcc);

/// A chain with ten rich accounts.
pub(crate) struct Chain {
    pub(crate) context: Arc<Context>,
    pub(crate) dev: Arc<Dev>,
    pub(crate) woken: Arc<Woken>,
}

/// Counts wake-ups.
#[derive(Default)]
pub(crate) struct Woken(AtomicUsize);

impl Woken {
    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Wake for Woken {
    fn transactions_arrived(&self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// The owner's powers, and some that only a test wants.
#[derive(Default)]
pub(crate) struct Dev {
    producer: Mutex<Option<Arc<Producer>>>,
    offset: AtomicU64,
    fixed: Mutex<Option<u64>>,
    /// evm_snapshot panics while this is set.
    pub(crate) panics: Mutex<bool>,
    /// evm_mine waits for this where it is set.
    pub(crate) waits: Mutex<Option<Receiver<()>>>,
}

struct Producer {
    store: Store,
    pool: Pool,
    params: Arc<Params>,
    heads: broadcast::Sender<NewBlock>,
    app: Mutex<App>,
}

impl Chain {
    /// With the blobs that it keeps, if any.
    pub(crate) fn new(limits: Limits, blobs: Option<Arc<BlobService>>) -> Arc<Self> {
        let params = Arc::new(Params::default());
        let modules = Arc::new(ModuleSet::empty());
        let store = Store::open(StoreConfig::memory()).unwrap();
        store.commit(genesis(&params)).unwrap();
        let env = PoolEnv::of(&params);
        let (pool, _) = Pool::open(PoolConfig::default(), None, env).unwrap();
        pool.reset(&store.head().unwrap().state, params.gas.initial_base_fee_wei).unwrap();
        let heads = broadcast::channel(64).0;
        let producer = Arc::new(Producer {
            store: store.clone(),
            pool: pool.clone(),
            params: params.clone(),
            heads: heads.clone(),
            app: Mutex::new(App::new(params.clone(), modules.clone())),
        });
        let dev = Arc::new(Dev::default());
        *dev.producer.lock() = Some(producer);
        let woken = Arc::new(Woken::default());
        let context = Arc::new(Context {
            store,
            pool,
            params,
            modules,
            limits,
            heads,
            pending: broadcast::channel(4096).0,
            wake: woken.clone(),
            dev: Some(dev.clone()),
            client_version: "chlom/test".into(),
            blobs,
            sync_timeout: Duration::from_secs(30),
        });
        Arc::new(Self { context, dev, woken })
    }

    /// Makes a block of what waits.
    pub(crate) fn mine(&self) -> NewBlock {
        self.dev.producer().produce(None)
    }

    pub(crate) fn height(&self) -> u64 {
        self.context.store.head().unwrap().block.height()
    }
}

impl Dev {
    fn producer(&self) -> Arc<Producer> {
        self.producer.lock().clone().unwrap()
    }

    /// Makes evm_mine wait until the sender is used or dropped.
    pub(crate) fn hold(&self) -> Sender<()> {
        let (sender, receiver) = channel();
        *self.waits.lock() = Some(receiver);
        sender
    }
}

impl DevControl for Dev {
    fn accounts(&self) -> Vec<Address> {
        (0..10).map(|n| key(n).address()).collect()
    }

    fn sign(&self, account: &Address, digest: &B256) -> Result<[u8; 65], RpcError> {
        let held = (0..10).map(key).find(|key| key.address() == *account);
        let held = held.ok_or_else(|| RpcError::server("unknown account"))?;
        Ok(held.sign_hash(*digest).as_bytes())
    }

    fn mine(&self, blocks: u64, _: Option<u64>) -> Result<u64, RpcError> {
        let wait = self.waits.lock().take();
        if let Some(wait) = wait {
            let _ = wait.recv();
        }
        for _ in 0..blocks {
            let time = self.fixed.lock().take();
            self.producer().produce(time);
        }
        Ok(self.producer().store.head().unwrap().block.height())
    }

    fn increase_time(&self, seconds: u64) -> Result<u64, RpcError> {
        Ok(self.offset.fetch_add(seconds, SeqCst) + seconds)
    }

    fn set_next_block_timestamp(&self, timestamp: u64) -> Result<(), RpcError> {
        *self.fixed.lock() = Some(timestamp);
        Ok(())
    }

    fn time(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        since.as_secs() + self.offset.load(SeqCst)
    }

    fn snapshot(&self) -> Result<u64, RpcError> {
        assert!(!*self.panics.lock(), "a test asked for this panic");
        Ok(self.producer().store.head().unwrap().block.height())
    }

    fn revert(&self, id: u64) -> Result<Option<u64>, RpcError> {
        let producer = self.producer();
        if id > producer.store.head().unwrap().block.height() {
            return Ok(None);
        }
        producer.store.rewind(id).map_err(RpcError::internal)?;
        let head = producer.store.head().unwrap();
        producer.pool.reset(&head.state, head.block.header.base_fee_per_gas.unwrap()).unwrap();
        Ok(Some(id))
    }
}

/// The pool's best, for the application.
struct FromPool(Best);

impl TxSource for FromPool {
    fn next(&mut self) -> Option<Arc<Tx>> {
        self.0.next()
    }
    fn refuse(&mut self, tx: &Arc<Tx>, _: Option<&TxInvalid>) {
        self.0.skip_sender(tx.sender());
    }
}

impl Producer {
    fn produce(&self, time: Option<u64>) -> NewBlock {
        let mut app = self.app.lock();
        let head = self.store.head().unwrap();
        let time = time.unwrap_or(head.block.header.timestamp + 1);
        let proposer = Address::repeat_byte(0xaa);
        let base = Base { parent: head.block.clone(), state: head.state.clone() };
        let fee = next_env(head.block.hash, &head.block.header, &self.params, time, proposer).base_fee;
        let mut source = FromPool(self.pool.best(fee));
        let proposal = app
            .prepare_proposal(&base, time, proposer, last_commit(&base), &mut source, &mut || false)
            .unwrap();
        let known = app.finalize_block(&base, &proposal, &|_| unreachable!("just built")).unwrap();
        let executed = known.executed;
        let new = NewBlock { block: executed.block.clone(), receipts: executed.receipts.clone() };
        let (diff, trie) = (executed.diff, executed.trie);
        self.store.commit(Commit { block: executed.block, receipts: executed.receipts, diff, trie }).unwrap();
        let head = self.store.head().unwrap();
        let next = next_env(new.block.hash, &new.block.header, &self.params, time + 1, proposer).base_fee;
        self.pool.on_block(&new.block.txs, &head.state, next, Instant::now()).unwrap();
        let _ = self.heads.send(new.clone());
        new
    }
}

fn validator() -> ValidatorKey {
    ValidatorKey::from_seed(&[7; 32])
}

/// The commit below, by the one validator, which attests nothing.
fn last_commit<S>(base: &Base<S>) -> LastCommit {
    let height = base.parent.height();
    if height == 0 {
        return LastCommit::default();
    }
    let signed = sign_extension(&validator(), L0_CHAIN_ID, height, 0, &VoteExtension::default());
    let flags = CommitFlags { round: 0, committed: vec![signed.consensus_key] };
    LastCommit { flags, extensions: vec![signed] }
}

/// Staking with that validator.
fn staking(params: &Params) -> AccountChange {
    let member = Validator {
        consensus_key: validator().consensus_key().into(),
        account: Address::repeat_byte(0xaa),
        power: 1,
    };
    let validators = ValidatorSet::new(vec![member], &params.staking).unwrap();
    let slots = StakingGenesis { validators }.allocate().unwrap();
    let set = |(slot, after)| (slot, SlotChange { before: U256::ZERO, after });
    AccountChange {
        after: Some(Account { nonce: 1, ..Account::default() }),
        storage: slots.into_iter().map(set).collect(),
        ..AccountChange::default()
    }
}

fn genesis(params: &Params) -> Commit {
    let mut diff = StateDiff::default();
    let rich = Account { balance: U256::from(10).pow(U256::from(22)), ..Account::default() };
    for n in 0..10 {
        let change = AccountChange { after: Some(rich), ..AccountChange::default() };
        diff.accounts.insert(key(n).address(), change);
    }
    diff.accounts.insert(STAKING, staking(params));
    let code = Bytes::from_static(LOGGER_CODE);
    let logger = Account { nonce: 1, code_hash: keccak256(&code), ..Account::default() };
    diff.accounts.insert(LOGGER, AccountChange { after: Some(logger), ..AccountChange::default() });
    diff.codes.insert(keccak256(&code), code);
    let trie = trie::apply(&MemoryState::default(), &mut diff).unwrap();
    let additions = Additions::genesis(params);
    let env = BlockEnv {
        timestamp: 1_700_000_000,
        gas_limit: params.gas.block_gas_limit,
        base_fee: params.gas.initial_base_fee_wei,
        ..Default::default()
    };
    let header = alloy_consensus::Header {
        state_root: trie.state_root,
        ..chlom_app::rules::unexecuted(&env, &additions)
    };
    let block = Arc::new(Block::seal(header, additions, Vec::new()));
    Commit { block, receipts: Arc::default(), diff, trie }
}

/// The key of rich account `n`.
pub(crate) fn key(n: u8) -> AccountKey {
    AccountKey::from_bytes([n + 1; 32]).unwrap()
}

/// A call with enough gas for small things.
pub(crate) fn tx(nonce: u64, to: Address, input: Bytes) -> TxEip1559 {
    TxEip1559 {
        chain_id: 7272,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(to),
        value: U256::ZERO,
        input,
        ..Default::default()
    }
}

/// Signs; 0x-prefixed bytes.
pub(crate) fn signed(from: u8, tx: TxEip1559) -> String {
    let signature = key(from).sign_hash(tx.signature_hash());
    let envelope = TxEnvelope::from(tx.into_signed(signature));
    alloy_primitives::hex::encode_prefixed(envelope.encoded_2718())
}

/// A transfer of nothing, signed.
pub(crate) fn transfer(from: u8, nonce: u64) -> String {
    signed(from, tx(nonce, Address::repeat_byte(0x77), Bytes::new()))
}

/// A call of the logger, signed.
pub(crate) fn log(from: u8, nonce: u64, data: Vec<u8>) -> String {
    let mut call = tx(nonce, LOGGER, data.into());
    call.gas_limit = 12_000_000;
    signed(from, call)
}
