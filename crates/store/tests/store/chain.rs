//! Random chains and the naive model that the store is compared with: a full copy of the state for every height.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use alloy_consensus::{Header, SignableTransaction, TxEip1559, TxEnvelope, TxType};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Log, Signature, TxKind, U256, keccak256};
use alloy_trie::{Nibbles, proof::verify_proof};
use chlom_primitives::{Additions, Block, Receipt, Tx};
use chlom_state::{
    Account, AccountChange, MemoryState, NodeReader, StateDiff, StateReader, account::EMPTY_ROOT, trie,
};
use chlom_store::{Commit, FailPoint, History, Store, StoreConfig, StoreError, WriteStep};
use proptest::prelude::*;

/// What a block does to one of few accounts, so that blocks meet.
#[derive(Clone, Debug)]
pub enum Op {
    Pay {
        account: u8,
        amount: u16,
    },
    Write {
        account: u8,
        slot: u8,
        value: u8,
    },
    Deploy {
        account: u8,
        code: u8,
    },
    /// The account and all its storage go.
    Kill {
        account: u8,
    },
    /// All storage goes, the account begins anew.
    Rebirth {
        account: u8,
        slot: u8,
    },
}

pub fn op() -> impl Strategy<Value = Op> {
    let account = 0u8..24;
    prop_oneof![
        6 => (account.clone(), any::<u16>()).prop_map(|(account, amount)| Op::Pay { account, amount }),
        8 => (account.clone(), 0u8..12, 0u8..4)
            .prop_map(|(account, slot, value)| Op::Write { account, slot, value }),
        1 => (account.clone(), 0u8..4).prop_map(|(account, code)| Op::Deploy { account, code }),
        1 => account.clone().prop_map(|account| Op::Kill { account }),
        1 => (account, 0u8..12).prop_map(|(account, slot)| Op::Rebirth { account, slot }),
    ]
}

pub fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 0..12)
}

pub fn address(account: u8) -> Address {
    Address::repeat_byte(account + 1)
}

/// The chain with everything that was ever true of it.
#[derive(Clone, Default)]
pub struct Model {
    pub states: Vec<MemoryState>,
    pub blocks: Vec<Arc<Block>>,
    pub receipts: Vec<Arc<Vec<Receipt>>>,
}

struct Building<'a> {
    state: &'a MemoryState,
    diff: StateDiff,
}

impl Building<'_> {
    fn change(&mut self, account: u8) -> &mut AccountChange {
        let address = address(account);
        let before = self.state.account(&address).unwrap();
        let fresh = || AccountChange { before, after: before, wiped: false, storage: BTreeMap::new() };
        self.diff.accounts.entry(address).or_insert_with(fresh)
    }

    fn write(&mut self, account: u8, slot: u8, value: u8) {
        let slot = U256::from(slot);
        let before = self.state.storage(&address(account), &slot).unwrap();
        let change = self.change(account);
        change.after.get_or_insert_with(|| Account { nonce: 1, ..Account::default() });
        let entry = change.storage.entry(slot).or_default();
        entry.before = before;
        entry.after = U256::from(value) << 240;
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Pay { account, amount } => {
                let after = self.change(account).after.get_or_insert_default();
                after.nonce += 1;
                after.balance += U256::from(amount);
            }
            Op::Write { account, slot, value } => self.write(account, slot, value),
            Op::Deploy { account, code } => {
                let code = Bytes::from(vec![code; 40]);
                let after = self.change(account).after.get_or_insert_default();
                after.nonce += 1;
                after.code_hash = keccak256(&code);
                self.diff.codes.insert(keccak256(&code), code);
            }
            Op::Kill { account } => {
                let change = self.change(account);
                (change.after, change.wiped) = (None, true);
                change.storage.clear();
            }
            Op::Rebirth { account, slot } => {
                self.run(&Op::Kill { account });
                self.write(account, slot, 3);
                self.change(account).wiped = true;
            }
        }
    }
}

fn transaction(height: u64, nonce: u64) -> Arc<Tx> {
    let tx = TxEip1559 {
        chain_id: 7272,
        nonce,
        gas_limit: 21_000,
        to: TxKind::Call(Address::with_last_byte(height as u8)),
        value: U256::from(height),
        ..Default::default()
    };
    let signature = Signature::new(U256::from(height + 1), U256::from(nonce + 1), false);
    Arc::new(Tx::new(TxEnvelope::from(tx.into_signed(signature)), Address::with_last_byte(nonce as u8)))
}

fn receipts(count: u64) -> Vec<Receipt> {
    (1..=count)
        .map(|n| Receipt {
            tx_type: TxType::Eip1559,
            success: n % 3 != 0,
            cumulative_gas_used: n * 21_000,
            logs: vec![Log::new_unchecked(
                address(1),
                vec![B256::repeat_byte(n as u8)],
                Bytes::from(vec![7; 9]),
            )],
        })
        .collect()
}

impl Model {
    pub fn height(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    pub fn state(&self) -> MemoryState {
        self.states.last().cloned().unwrap_or_default()
    }

    /// The next block, worked out on the model alone, and what to commit for it.
    pub fn extend(&mut self, ops: &[Op]) -> Commit {
        let mut state = self.state();
        let mut building = Building { state: &state, diff: StateDiff::default() };
        for op in ops {
            building.run(op);
        }
        let mut diff = building.diff;
        diff.accounts.retain(|_, change| change.before != change.after || !change.storage.is_empty());
        let trie = trie::apply(&state, &mut diff).expect("the model's trie");
        state.commit(&diff, &trie);

        let height = self.blocks.len() as u64;
        let txs: Vec<_> = (0..height % 4).map(|nonce| transaction(height, nonce)).collect();
        let receipts = Arc::new(receipts(txs.len() as u64));
        let additions = Additions::empty();
        let header = Header {
            number: height,
            parent_hash: self.blocks.last().map_or(B256::ZERO, |block| block.hash),
            state_root: trie.state_root,
            extra_data: additions.hash().0.into(),
            timestamp: height * 2 + ops.len() as u64,
            base_fee_per_gas: Some(7),
            ..Default::default()
        };
        let block = Arc::new(Block::seal(header, additions, txs));
        self.states.push(state);
        self.blocks.push(block.clone());
        self.receipts.push(receipts.clone());
        Commit { block, receipts, diff, trie }
    }

    pub fn rewind(&mut self, height: u64) {
        let kept = height as usize + 1;
        self.states.truncate(kept);
        self.blocks.truncate(kept);
        self.receipts.truncate(kept);
    }
}

/// Works a commit's trie out again on the store's own trie: it must say the same as the model's.
pub fn assert_same_trie(store: &Store, commit: &Commit) {
    let Some(tip) = store.tip_view() else { return };
    let mut diff = commit.diff.clone();
    assert_eq!(trie::apply(&tip.state, &mut diff).expect("the store's trie"), commit.trie);
    assert_eq!(diff, commit.diff);
}

pub fn assert_same_state(view: &impl StateReader, state: &MemoryState) {
    for account in 0..25 {
        let address = address(account);
        assert_eq!(view.account(&address).unwrap(), state.account(&address).unwrap(), "account {account}");
        for slot in (0..13).map(U256::from) {
            let (got, want) = (view.storage(&address, &slot), state.storage(&address, &slot));
            assert_eq!(got, want, "slot {slot} of account {account}");
        }
        let hashed = keccak256(address);
        assert_eq!(view.storage_entries(&hashed).unwrap(), state.storage_entries(&hashed).unwrap());
    }
    for code in state.codes.keys().chain([&KECCAK256_EMPTY]) {
        assert_eq!(view.code(code).unwrap(), state.code(code).unwrap());
    }
}

/// What a block would make of the trie of a view, as when one is simulated there.
pub fn assert_same_next_trie(view: &(impl StateReader + NodeReader), state: &MemoryState) {
    let ops = (0..24).map(|account| match account % 4 {
        0 => Op::Pay { account, amount: 7 },
        3 => Op::Kill { account },
        _ => Op::Write { account, slot: account / 2, value: account % 3 },
    });
    let mut building = Building { state, diff: StateDiff::default() };
    ops.for_each(|op| building.run(&op));
    let mut diff = building.diff;
    diff.accounts.retain(|_, change| change.before != change.after || !change.storage.is_empty());
    let (mut on_view, mut on_model) = (diff.clone(), diff);
    let got = trie::apply(view, &mut on_view).expect("the view's trie");
    assert_eq!(got, trie::apply(state, &mut on_model).expect("the model's trie"));
    assert_eq!(on_view, on_model);
}

pub fn assert_same_block(store: &Store, model: &Model, height: u64) {
    let want = &model.blocks[height as usize];
    assert_eq!(store.block(height).unwrap().as_ref(), Some(want));
    assert_eq!(store.block_by_hash(&want.hash).unwrap().as_ref(), Some(want));
    assert_eq!(store.header(height).unwrap().as_ref(), Some(&want.header));
    assert_eq!(store.height_of(&want.hash).unwrap(), Some(height));
    assert_eq!(store.receipts(height).unwrap().as_ref(), Some(&model.receipts[height as usize]));
    for (index, tx) in want.txs.iter().enumerate() {
        assert_eq!(store.tx_location(&tx.hash()).unwrap(), Some((height, index as u32)));
    }
}

/// Checks a proof of every account and slot with an independent verifier.
pub fn assert_proofs(store: &Store, model: &Model, height: u64) {
    let (state, root) = (&model.states[height as usize], model.blocks[height as usize].header.state_root);
    let slots: Vec<_> = (0..13).map(U256::from).collect();
    for address in (0..25).map(address) {
        let proof = store.proof(height, address, &slots).unwrap();
        let account = state.account(&address).unwrap();
        assert_eq!(proof.account, account);
        verify(root, keccak256(address), account.map(alloy_rlp::encode), &proof.account_proof);
        let storage_root = account.map_or(EMPTY_ROOT, |account| account.storage_root);
        for slot in &proof.storage {
            let value = state.storage(&address, &slot.slot).unwrap();
            assert_eq!(slot.value, value);
            let expected = (!value.is_zero()).then(|| alloy_rlp::encode(value));
            verify(storage_root, keccak256(slot.slot.to_be_bytes::<32>()), expected, &slot.proof);
        }
    }
}

fn verify(root: B256, key: B256, expected: Option<Vec<u8>>, proof: &[Bytes]) {
    verify_proof(root, Nibbles::unpack(key), expected, proof).expect("the proof holds");
}

/// Everything that the store should know at this moment.
pub fn assert_same(store: &Store, model: &Model, history: u64, proofs: u64) {
    let head = store.head().expect("a block");
    let height = model.height();
    assert_eq!(head.block.hash, model.blocks[height as usize].hash);
    assert_eq!(store.genesis_hash(), Some(model.blocks[0].hash));
    assert_same_state(&head.state, &model.state());
    assert_eq!(head.state.root(&chlom_state::TrieId::Accounts).unwrap(), {
        model.state().roots.get(&chlom_state::TrieId::Accounts).cloned()
    });
    for at in 0..=height {
        assert_same_block(store, model, at);
        match store.state_at(at) {
            Ok(view) => {
                assert!(at + history >= height, "{at} is older than {history} below {height}");
                assert_same_state(&view, &model.states[at as usize]);
                if at + proofs >= height {
                    assert_same_next_trie(&view, &model.states[at as usize]);
                }
            }
            Err(StoreError::Pruned { oldest, .. }) => assert!(at < oldest && oldest <= height),
            Err(error) => panic!("{error}"),
        }
        match store.proof(at, address(0), &[]) {
            Ok(_) => {
                assert!(at + proofs >= height);
                assert_proofs(store, model, at);
            }
            Err(StoreError::NoProof { .. } | StoreError::Pruned { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(matches!(store.state_at(height + 1), Err(StoreError::Future { .. })));
    assert_eq!(store.block(height + 1).unwrap(), None);
    assert_eq!(store.tx_location(&B256::repeat_byte(9)).unwrap(), None);
}

/// Fails writes of the trie while it is on: a store closed then is as after a crash.
#[derive(Default)]
pub struct NoTrieWrites {
    pub on: AtomicBool,
}

impl FailPoint for NoTrieWrites {
    fn before_write(&self, step: WriteStep) -> std::io::Result<()> {
        match step {
            WriteStep::Trie { .. } if self.on.load(Ordering::Relaxed) => {
                Err(std::io::Error::other("crashed"))
            }
            _ => Ok(()),
        }
    }
}

pub fn memory() -> StoreConfig {
    StoreConfig { cache_bytes: 1 << 20, ..StoreConfig::memory() }
}

pub fn disk(path: &Path) -> StoreConfig {
    StoreConfig { cache_bytes: 1 << 20, ..StoreConfig::disk(path) }
}

pub fn keeping(config: StoreConfig, history: u64, proof_history: u64) -> StoreConfig {
    StoreConfig { history: History::Heights(history), proof_history, ..config }
}
