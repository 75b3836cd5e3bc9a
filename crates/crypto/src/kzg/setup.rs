//! The trusted set-up of Ethereum's KZG ceremony, loaded once a process.

pub use c_kzg::KzgSettings;

/// How much of the set-up is precomputed, as c-kzg counts it. revm's point evaluation precompile (0x0a) asks for the same:
/// c-kzg keeps one instance for each value, so that this is the instance which it uses.
const PRECOMPUTE: u64 = 8;

/// The set-up. The first call loads it, which takes some hundred milliseconds of one core and about 100 MB; others that
/// come meanwhile wait for it. Call it on a thread of its own at start, so that no block has to.
pub fn setup() -> &'static KzgSettings {
    c_kzg::ethereum_kzg_settings(PRECOMPUTE)
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
