//! A batch beside one hash after the other, for nodes as long as leaves and full branches are: `cargo bench -p chlom-keccak`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use alloy_primitives::keccak256;
use chlom_keccak::Batch;

/// Messages hashed together.
const COUNT: usize = 256;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let least = if full { Duration::from_millis(500) } else { Duration::ZERO };
    println!("{:<8} {:>12} {:>12} {:>8}", "bytes", "batch, ns", "alone, ns", "ratio");
    for length in [20, 110, 532] {
        let message = |n: usize| (0..length).map(|i| (i * n) as u8).collect();
        let messages: Vec<Vec<u8>> = (0..COUNT).map(message).collect();
        let mut batch = Batch::default();
        let together = nanoseconds(least, || {
            messages.iter().for_each(|message| batch.push(message));
            black_box(batch.hash());
        });
        let alone = nanoseconds(least, || {
            for message in &messages {
                black_box(keccak256(message));
            }
        });
        println!("{length:<8} {together:>12.0} {alone:>12.0} {:>8.2}", alone / together);
    }
}

/// For each message.
fn nanoseconds(least: Duration, mut work: impl FnMut()) -> f64 {
    let (start, mut rounds) = (Instant::now(), 0);
    while rounds == 0 || start.elapsed() < least {
        work();
        rounds += 1;
    }
    start.elapsed().as_nanos() as f64 / f64::from(rounds) / COUNT as f64
}
