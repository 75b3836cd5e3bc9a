//! The workload: what one node writes and reads per block, made from a seed so that every engine sees the same bytes.
//!
//! Keys are uniform (as keccak keys are) and batches are sorted by key, as the node's ordered state diffs are.

/// Accounts preloaded before the first block.
pub(crate) const ACCOUNTS: u64 = 1_000_000;
/// Trie records preloaded: about the branch nodes of a Merkle-Patricia trie over [`ACCOUNTS`] leaves.
pub(crate) const TRIE_RECORDS: u64 = 350_000;
/// Account overwrites, and reverse change set rows, per block (5,000 transfers touch 10,000 accounts).
pub(crate) const UPDATES: u64 = 10_000;
/// Transaction index rows per block.
pub(crate) const TXS: u64 = 5_000;
/// Large values per block: body and receipts in pieces.
pub(crate) const LARGE: u64 = 10;
/// Heights between two batches of trie records.
pub(crate) const TRIE_EVERY: u64 = 32;
/// Records in one batch of trie records.
pub(crate) const TRIE_BATCH: u64 = 60_000;
/// Heights of history kept; the change set of `height - HISTORY` is pruned at `height`.
pub(crate) const HISTORY: u64 = 50;
/// Point reads of accounts per block.
pub(crate) const READS: u64 = 10_000;
/// History seeks per block.
pub(crate) const SEEKS: u64 = 100;

/// A 32-byte key.
pub(crate) type Key = [u8; 32];
/// (account key ‖ big-endian height): the key of one row of the reverse change set.
pub(crate) type HistoryKey = [u8; 40];
/// A key and its value, both of any length.
pub(crate) type Record = (Vec<u8>, Vec<u8>);

/// What one block commits atomically.
pub(crate) struct Block {
    /// Position in the chain, from 1.
    pub(crate) height: u64,
    /// Account overwrites, sorted.
    pub(crate) accounts: Vec<(Key, [u8; 50])>,
    /// Previous values, sorted.
    pub(crate) history: Vec<(HistoryKey, [u8; 20])>,
    /// Transaction hash to place, sorted.
    pub(crate) txs: Vec<(Key, [u8; 12])>,
    /// (height ‖ part) to a piece of the body or the receipts, sorted.
    pub(crate) large: Vec<([u8; 9], Vec<u8>)>,
    /// History rows that leave the window at this height.
    pub(crate) expired: Vec<HistoryKey>,
}

fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A value that depends on a domain and two numbers: the only source of randomness here.
fn draw(domain: u64, a: u64, b: u64) -> u64 {
    mix(mix(mix(domain) ^ a) ^ b)
}

fn fill(out: &mut [u8], domain: u64, a: u64) {
    for (i, chunk) in out.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&draw(domain, a, i as u64).to_le_bytes()[..chunk.len()]);
    }
}

/// The key of account `index`.
pub(crate) fn account_key(index: u64) -> Key {
    let mut key = [0; 32];
    fill(&mut key, 1, index);
    key
}

/// The value of account `index` after its overwrite at `height`: 20 random bytes and 30 that most accounts share.
pub(crate) fn account_value(index: u64, height: u64) -> [u8; 50] {
    let mut value = [0x5a; 50];
    fill(&mut value[..20], 2, mix(index) ^ height);
    value
}

/// The account that update `i` of `height` touches.
pub(crate) fn touched(height: u64, i: u64) -> u64 {
    draw(3, height, i) % ACCOUNTS
}

/// The history row of account `index` at `height`.
pub(crate) fn history_key(index: u64, height: u64) -> HistoryKey {
    let mut key = [0; 40];
    key[..32].copy_from_slice(&account_key(index));
    key[32..].copy_from_slice(&height.to_be_bytes());
    key
}

fn history_keys(height: u64) -> Vec<HistoryKey> {
    let mut keys: Vec<_> = (0..UPDATES).map(|i| history_key(touched(height, i), height)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// A trie record: a path of 8 to 20 bytes and about 600 bytes of hashes, which nothing compresses.
fn trie_record(index: u64, height: u64) -> Record {
    let shape = draw(4, index, 0);
    let mut key = vec![0; 8 + (shape % 13) as usize];
    fill(&mut key, 5, index);
    let mut value = vec![0; 560 + (shape >> 32) as usize % 80];
    fill(&mut value, 6, mix(index) ^ height);
    (key, value)
}

/// Every preloaded trie record, sorted and unique.
pub(crate) fn trie_preload() -> Vec<Record> {
    sorted((0..TRIE_RECORDS).map(|i| trie_record(i, 0)).collect())
}

/// The records of the trie batch at `height`, sorted and unique.
pub(crate) fn trie_batch(height: u64) -> Vec<Record> {
    sorted((0..TRIE_BATCH).map(|i| trie_record(draw(7, height, i) % TRIE_RECORDS, height)).collect())
}

/// Every preloaded account, sorted.
pub(crate) fn account_preload() -> Vec<Record> {
    sorted((0..ACCOUNTS).map(|i| (account_key(i).to_vec(), account_value(i, 0).to_vec())).collect())
}

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    records.dedup_by(|a, b| a.0 == b.0);
    records
}

/// The block at `height`.
pub(crate) fn block(height: u64) -> Block {
    let mut accounts: Vec<_> = (0..UPDATES)
        .map(|i| touched(height, i))
        .map(|index| (account_key(index), account_value(index, height)))
        .collect();
    accounts.sort_unstable_by_key(|record| record.0);
    accounts.dedup_by_key(|record| record.0);
    let history = history_keys(height)
        .into_iter()
        .map(|key| {
            let mut value = [0; 20];
            fill(&mut value, 8, u64::from_le_bytes([key[0], key[1], key[2], key[3], 0, 0, 0, 0]) ^ height);
            (key, value)
        })
        .collect();
    let mut txs: Vec<_> = (0..TXS)
        .map(|i| {
            let (mut key, mut value) = ([0; 32], [0; 12]);
            fill(&mut key, 9, height << 20 | i);
            value[..8].copy_from_slice(&height.to_be_bytes());
            value[8..].copy_from_slice(&(i as u32).to_be_bytes());
            (key, value)
        })
        .collect();
    txs.sort_unstable_by_key(|record| record.0);
    let large = (0..LARGE).map(|part| large_value(height, part)).collect();
    let expired = if height > HISTORY { history_keys(height - HISTORY) } else { Vec::new() };
    Block { height, accounts, history, txs, large, expired }
}

/// 60 to 120 KB, of which about half (signatures, hashes) does not compress.
fn large_value(height: u64, part: u64) -> ([u8; 9], Vec<u8>) {
    let mut key = [0; 9];
    key[..8].copy_from_slice(&height.to_be_bytes());
    key[8] = part as u8;
    let mut value = vec![0x11; 60_000 + (draw(10, height, part) % 60_000) as usize];
    for (i, item) in value.chunks_mut(128).enumerate() {
        let random = item.len() / 2;
        fill(&mut item[..random], 11, draw(10, height, part) ^ i as u64);
    }
    (key, value)
}

/// The accounts that executing `height` reads.
pub(crate) fn reads(height: u64) -> Vec<Key> {
    (0..READS).map(|i| account_key(draw(12, height, i) % ACCOUNTS)).collect()
}

/// History rows looked for at `height`: each exists within the window, so the first key at or after it is that account's.
pub(crate) fn seeks(height: u64) -> Vec<HistoryKey> {
    (0..SEEKS)
        .map(|i| {
            let back = 1 + draw(13, height, i) % (HISTORY - 2);
            let written = height.saturating_sub(back).max(1);
            let asked = written.saturating_sub(draw(14, height, i) % 3);
            history_key(touched(written, draw(15, height, i) % UPDATES), asked)
        })
        .collect()
}
