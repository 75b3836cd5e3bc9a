//! Payout proofs from receipts to money, with everything real: the contracts of genesis in the EVM, the modules at `0x…1003` and
//! `0x…1014`, KZG commitments and cells, and batches that `chlom-lane` built and checked.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod attacks;
mod batch;
mod bindings;
mod full;
mod machine;
mod story;
mod world;
