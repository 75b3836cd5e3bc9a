//! Why the chain refuses a command, or stopped.

use chlom_app::AppError;
use chlom_state::StateError;
use chlom_store::StoreError;

/// A refusal, or the reason of a halt.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChainError {
    /// The application cannot go on.
    #[error("the chain halted: {0}")]
    App(String),
    /// The store cannot go on.
    #[error("the chain halted: {0}")]
    Store(String),
    /// State could not be read for the pool.
    #[error("the chain halted: {0}")]
    State(String),
    /// A broken invariant; the message is in the log.
    #[error("the chain halted: the block producer panicked, see the log")]
    Panicked,
    /// The chain stopped before; the first reason is logged and in `/health`.
    #[error("the chain is stopped")]
    Stopped,
    /// A timestamp that does not lie after the head's.
    #[error("timestamp {asked} is not later than the latest block's {head}")]
    Timestamp {
        /// Asked for, seconds.
        asked: u64,
        /// The head's, seconds.
        head: u64,
    },
    /// Chain time would leave 64 bits.
    #[error("moving time by {0} seconds leaves the range of a timestamp")]
    TimeOverflow(u64),
    /// A snapshot whose state this node no longer keeps.
    #[error(
        "cannot go back to block {height}: this node keeps the states of blocks {oldest} and later (start it with \
         --history all to keep every state)"
    )]
    HistoryGone {
        /// The snapshot's height.
        height: u64,
        /// The oldest height whose state is kept.
        oldest: u64,
    },
    /// More blocks at once than one command may ask for.
    #[error("{asked} blocks asked for, at most {limit} at once")]
    TooManyBlocks {
        /// Asked for.
        asked: u64,
        /// Allowed.
        limit: u64,
    },
}

impl ChainError {
    /// True for faults after which no further block may be made.
    pub fn halts(&self) -> bool {
        matches!(self, Self::App(_) | Self::Store(_) | Self::State(_) | Self::Panicked | Self::Stopped)
    }
}

impl From<AppError> for ChainError {
    fn from(error: AppError) -> Self {
        Self::App(error.to_string())
    }
}

impl From<StateError> for ChainError {
    fn from(error: StateError) -> Self {
        Self::State(error.to_string())
    }
}

impl From<StoreError> for ChainError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}
