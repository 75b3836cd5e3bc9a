//! Keys that collide where keccak never would: shared prefixes of any length, 63 nibbles included.

use alloy_primitives::{B256, U256};
use chlom_state::Account;
use proptest::prelude::*;

/// How many nibbles a key shares with its base.
const SHARED: [usize; 12] = [0, 1, 2, 3, 4, 7, 8, 31, 54, 61, 62, 63];

pub fn key() -> impl Strategy<Value = B256> {
    (0..2u8, prop::sample::select(&SHARED[..]), 0..16u8, prop::sample::select(&[0x00, 0x11, 0xff][..]))
        .prop_map(|(base, shared, nibble, fill)| craft(base, shared, nibble, fill))
}

/// `shared` nibbles of a base, then `nibble`, then `fill`.
fn craft(base: u8, shared: usize, nibble: u8, fill: u8) -> B256 {
    let mut nibbles: Vec<u8> = (0..64u8).map(|at| (at * (base + 3) + base) % 16).collect();
    nibbles[shared] = nibble;
    nibbles[shared + 1..].fill(fill & 15);
    B256::from_slice(&nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<_>>())
}

/// A slot's value: mostly short enough for nodes below 32 bytes, sometimes unset.
pub fn value() -> impl Strategy<Value = U256> {
    prop_oneof![
        2 => Just(U256::ZERO),
        4 => (1..4u64).prop_map(U256::from),
        1 => (0..3u64).prop_map(|low| U256::MAX - U256::from(low)),
    ]
}

/// An account without storage, mostly there.
pub fn account() -> impl Strategy<Value = Option<Account>> {
    prop_oneof![
        1 => Just(None),
        3 => (0..3u64, 0..3u64).prop_map(|(nonce, balance)| Some(Account {
            nonce,
            balance: U256::from(balance + 1) << 70,
            ..Account::default()
        })),
    ]
}
