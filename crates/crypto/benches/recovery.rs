//! Sender recovery from raw transactions on every core, beside libsecp256k1 alone on the same messages.
//!
//! `cargo bench -p chlom-crypto --bench recovery`. Without `--bench` (under `cargo test`) a few transactions only.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic
)]

use std::{hint::black_box, time::Instant};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use chlom_crypto::{AccountKey, recover_batch};
use rayon::prelude::*;
use secp256k1::{
    Message, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// A raw transfer, and what libsecp256k1 needs of it.
type Signed = (Bytes, Message, RecoverableSignature);

fn signed(nonce: u64) -> Signed {
    let key = AccountKey::from_bytes(U256::from(nonce % 200 + 1).to_be_bytes()).unwrap();
    let tx = TxEip1559 {
        chain_id: 7272,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(Address::repeat_byte(0x22)),
        value: U256::from(nonce),
        ..Default::default()
    };
    let hash = tx.signature_hash();
    let signature = key.sign_hash(hash);
    let id = if signature.v() { RecoveryId::One } else { RecoveryId::Zero };
    let compact = RecoverableSignature::from_compact(&signature.as_bytes()[..64], id).unwrap();
    let raw = TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718().into();
    (raw, Message::from_digest(hash.0), compact)
}

/// Transactions a second.
fn rate(count: u64, work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    count as f64 / started.elapsed().as_secs_f64()
}

fn main() {
    let full = std::env::args().any(|arg| arg == "--bench");
    let (count, rounds) = if full { (20_000, 5) } else { (50, 1) };
    let all: Vec<Signed> = (0..count).map(signed).collect();
    let mut ratios = Vec::new();
    println!("{:>16} {:>16} {:>8}", "recover_batch/s", "libsecp256k1/s", "ratio");
    for _ in 0..rounds {
        let raw: Vec<Bytes> = all.iter().map(|(raw, ..)| raw.clone()).collect();
        let ours = rate(count, || assert!(black_box(recover_batch(raw)).iter().all(Result::is_ok)));
        let alone = rate(count, || {
            let found = all.par_iter().filter(|(_, message, signature)| {
                black_box(SECP256K1.recover_ecdsa(*message, signature)).is_ok()
            });
            assert_eq!(found.count() as u64, count);
        });
        ratios.push(ours / alone);
        println!("{ours:>16.0} {alone:>16.0} {:>8.3}", ours / alone);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.3} on {} threads", ratios[ratios.len() / 2], rayon::current_num_threads());
}
