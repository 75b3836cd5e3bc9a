//! The trusted set-up of Ethereum's KZG ceremony, loaded once a process.

use std::sync::atomic::{AtomicBool, Ordering};

pub use c_kzg::KzgSettings;

/// How much of the set-up is precomputed, as c-kzg counts it. revm's point evaluation precompile (0x0a) asks for the same:
/// c-kzg keeps one instance for each value, so that this is the instance which it uses.
const PRECOMPUTE: u64 = 8;

/// Whether this process makes no proofs.
static NO_PROOFS: AtomicBool = AtomicBool::new(false);

/// Says that this process commits and verifies and makes no proofs: then [`setup`] precomputes nothing, which is most of its
/// time and memory. Only how fast proofs are made depends on it. Call it before anything else of this module.
pub fn expect_no_proofs() {
    NO_PROOFS.store(true, Ordering::Relaxed);
}

/// The set-up. The first call loads it, which takes some hundred milliseconds of one core and about 100 MB; others that
/// come meanwhile wait for it. Call it on a thread of its own at start, so that no block has to.
pub fn setup() -> &'static KzgSettings {
    let precompute = if NO_PROOFS.load(Ordering::Relaxed) { 0 } else { PRECOMPUTE };
    c_kzg::ethereum_kzg_settings(precompute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setup_is_one_instance_whoever_asks_first() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| std::ptr::from_ref(setup()).addr())).collect();
        let found: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(found.iter().all(|at| *at == std::ptr::from_ref(setup()).addr()));
    }
}
