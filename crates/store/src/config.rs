//! What a node chooses about its store.

use std::{io, path::PathBuf, sync::Arc};

/// Where the store keeps things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// In this process, gone when it ends.
    Memory,
    /// In this directory, created when missing.
    Disk(PathBuf),
}

/// How far back state is readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// To genesis.
    All,
    /// This many heights below the tip.
    Heights(u64),
}

impl History {
    /// The oldest readable height when the chain is at `tip`, as far as this setting goes.
    pub fn oldest(self, tip: u64) -> u64 {
        match self {
            Self::All => 0,
            Self::Heights(heights) => tip.saturating_sub(heights),
        }
    }
}

/// One write to the engine, as [`FailPoint`] sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStep {
    /// A block with everything that belongs to it.
    Block {
        /// Its height.
        height: u64,
    },
    /// Trie records that had been kept in memory.
    Trie {
        /// The height whose trie they complete.
        height: u64,
    },
    /// Going back to an earlier height.
    Rewind {
        /// That height.
        height: u64,
    },
}

/// Lets tests make writes fail.
pub trait FailPoint: Send + Sync {
    /// Called before each write; an error fails it as a full disk would.
    ///
    /// # Errors
    /// Whatever the test wants to see.
    fn before_write(&self, step: WriteStep) -> io::Result<()>;
}

/// What a node chooses about its store.
#[derive(Clone)]
pub struct StoreConfig {
    /// Where things are kept.
    pub backend: Backend,
    /// How far back state is readable.
    pub history: History,
    /// How many heights below the tip proofs are made for.
    pub proof_history: u64,
    /// Bytes of memory for cached state and trie records, half of it again for trie records that wait to be stored, and a
    /// quarter for each of at most six earlier tries that proofs need: upper bounds that are reached under load only.
    pub cache_bytes: usize,
    /// Injected write failures; `None` outside of tests.
    pub fail_point: Option<Arc<dyn FailPoint>>,
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreConfig")
            .field("backend", &self.backend)
            .field("history", &self.history)
            .field("proof_history", &self.proof_history)
            .field("cache_bytes", &self.cache_bytes)
            .field("fail_point", &self.fail_point.is_some())
            .finish()
    }
}

impl StoreConfig {
    /// 512 MiB: a million accounts with their trie, and as much again of other state.
    pub const DEFAULT_CACHE_BYTES: usize = 512 * 1024 * 1024;

    /// The defaults of `spec/params.toml` (10,000 heights of state, 256 of proofs) over a backend.
    pub fn new(backend: Backend) -> Self {
        let state = chlom_primitives::Params::default().state;
        Self {
            backend,
            history: History::Heights(state.history_heights),
            proof_history: state.proof_heights,
            cache_bytes: Self::DEFAULT_CACHE_BYTES,
            fail_point: None,
        }
    }

    /// The defaults in memory.
    pub fn memory() -> Self {
        Self::new(Backend::Memory)
    }

    /// The defaults in a directory.
    pub fn disk(path: impl Into<PathBuf>) -> Self {
        Self::new(Backend::Disk(path.into()))
    }
}
