//! Ten thousand heights with the default pruning.

use std::{collections::BTreeMap, sync::Arc};

use alloy_consensus::{Header, SignableTransaction, TxEip1559, TxEnvelope, TxType};
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use chlom_primitives::{Additions, Block, Receipt, Tx};
use chlom_state::{Account, AccountChange, MemoryState, StateDiff, StateReader, trie};
use chlom_store::{Commit, Store, StoreConfig, StoreError};

const ACCOUNTS: u64 = 5_000;
const TRANSFERS: u64 = 50;
/// What is asked of the disk.
const BYTES_A_TRANSFER: u64 = 500;

fn address(n: u64) -> Address {
    Address::from_slice(&keccak256(n.to_be_bytes())[..20])
}

/// Sender and recipient of a transfer: a fixed sequence without pattern.
fn pair(height: u64, at: u64) -> (u64, u64) {
    let hash = keccak256([height.to_be_bytes(), at.to_be_bytes()].concat());
    let draw = |from: usize| u64::from_be_bytes(hash[from..from + 8].try_into().unwrap()) % ACCOUNTS;
    (draw(0), draw(8))
}

fn seal(parent: Option<&Block>, state_root: B256, txs: Vec<Arc<Tx>>) -> Arc<Block> {
    let header = Header {
        number: parent.map_or(0, |parent| parent.height() + 1),
        parent_hash: parent.map_or(B256::ZERO, |parent| parent.hash),
        state_root,
        ..Default::default()
    };
    Arc::new(Block::seal(header, Additions::empty(), txs))
}

fn genesis() -> Commit {
    let mut diff = StateDiff::default();
    for n in 0..ACCOUNTS {
        let balance = U256::from(10u64).pow(U256::from(20));
        let after = Some(Account { balance, ..Account::default() });
        diff.accounts.insert(address(n), AccountChange { after, ..AccountChange::default() });
    }
    let trie = trie::apply(&MemoryState::default(), &mut diff).unwrap();
    Commit { block: seal(None, trie.state_root, Vec::new()), receipts: Arc::default(), diff, trie }
}

fn transfer(nonce: u64, from: u64, to: u64) -> Arc<Tx> {
    let tx = TxEip1559 {
        chain_id: 7272,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(address(to)),
        value: U256::from(1_000_000_007u64),
        ..Default::default()
    };
    // As long and as random as a real one.
    let word =
        |salt: u64| U256::from_be_bytes(keccak256([from, nonce, salt].map(u64::to_be_bytes).concat()).0);
    let signature = Signature::new(word(1), word(2), false);
    Arc::new(Tx::new(TxEnvelope::from(tx.into_signed(signature)), address(from)))
}

fn next(store: &Store, nonces: &mut [u64]) -> Commit {
    let tip = store.tip_view().unwrap();
    let height = tip.block.height() + 1;
    let mut diff = StateDiff { accounts: BTreeMap::new(), ..StateDiff::default() };
    let mut txs = Vec::new();
    for (from, to) in (0..TRANSFERS).map(|at| pair(height, at)) {
        txs.push(transfer(nonces[from as usize], from, to));
        nonces[from as usize] += 1;
        for (account, pays) in [(from, true), (to, false)] {
            let address = address(account);
            let before = tip.state.account(&address).unwrap();
            let change = AccountChange { before, after: before, ..AccountChange::default() };
            let account = diff.accounts.entry(address).or_insert(change).after.as_mut().unwrap();
            if pays {
                account.nonce += 1;
                account.balance -= U256::from(21_000_000_000_001u64);
            } else {
                account.balance += U256::from(1);
            }
        }
    }
    let trie = trie::apply(&tip.state, &mut diff).unwrap();
    let receipt = |n| Receipt {
        tx_type: TxType::Eip1559,
        success: true,
        cumulative_gas_used: n * 21_000,
        logs: Vec::new(),
    };
    let receipts = Arc::new((1..=TRANSFERS).map(receipt).collect());
    Commit { block: seal(Some(&tip.block), trie.state_root, txs), receipts, diff, trie }
}

fn assert_nonces(store: &Store, height: u64, nonces: &[u64]) {
    let view = store.state_at(height).unwrap();
    for (account, nonce) in (0..ACCOUNTS).zip(nonces) {
        let found = view.account(&address(account)).unwrap().unwrap();
        assert_eq!(found.nonce, *nonce, "account {account} at height {height}");
    }
}

#[test]
fn ten_thousand_heights_are_readable_older_ones_refused_and_a_transfer_takes_under_500_bytes_slow() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreConfig::disk(directory.path())).unwrap();
    store.commit(genesis()).unwrap();
    store.flush().unwrap();
    let before = store.disk_bytes().unwrap();
    let kept = chlom_primitives::Params::default().state.history_heights;
    let (heights, mut nonces) = (kept + 600, vec![0; ACCOUNTS as usize]);
    let mut at = BTreeMap::new();
    let mut last = None;
    for height in 1..=heights {
        last = Some(store.stage(next(&store, &mut nonces)).unwrap());
        if [heights - kept, heights - kept + 1, heights / 2, heights].contains(&height) {
            at.insert(height, nonces.clone());
        }
    }
    last.unwrap().wait().unwrap();
    let check = |store: &Store| {
        at.iter().for_each(|(height, nonces)| assert_nonces(store, *height, nonces));
        let refused = store.state_at(heights - kept - 1);
        let oldest = heights - kept;
        assert!(
            matches!(&refused, Err(StoreError::Pruned { oldest: found, .. }) if *found == oldest),
            "{refused:?}"
        );
    };
    check(&store);
    store.flush().unwrap();
    let bytes = store.disk_bytes().unwrap().saturating_sub(before) / (heights * TRANSFERS);
    println!("{bytes} bytes a transfer on disk after {heights} heights of {TRANSFERS}");
    drop(store);
    let store = Store::open(StoreConfig::disk(directory.path())).unwrap();
    check(&store);
    assert!(bytes < BYTES_A_TRANSFER, "{bytes} bytes a transfer");
}
