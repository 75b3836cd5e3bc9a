//! Runs of many seeds, each of which can be played again.

use crate::seed::Seed;

/// Prints the seed of a run that panics.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("failed at seed {}", self.0);
        }
    }
}

/// Runs `check` with `count` seeds from `first` on.
pub(crate) fn seeds(first: u64, count: u64, mut check: impl FnMut(&mut Seed)) {
    println!("seeds {first} to {}", first + count - 1);
    for seed in first..first + count {
        let replay = Replay(seed);
        check(&mut Seed::new(seed));
        drop(replay);
    }
}
