//! Why state could not be read.

use alloy_primitives::B256;

/// A fault below the state: never a user's doing. Execution aborts on it, the node halts with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The store could not answer.
    #[error("the store failed: {0}")]
    Backend(String),
    /// A record that must exist does not, or does not decode.
    #[error("the state is damaged: {0}")]
    Corrupt(String),
    /// Code that an account names is not stored.
    #[error("no code with hash {0}")]
    MissingCode(B256),
}
