//! Why there is no statement.

use alloy_primitives::{Address, B256};
use chlom_client::ClientError;
use chlom_statement::Fault;

use crate::StoreError;

/// Why a statement cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Nobody that the lane paid.
    #[error("nothing that this lane settled reaches {0}; is it the address in the split?")]
    NoPayee(Address),
    /// Logs and state of the node do not fit.
    #[error(
        "licence {licence} was paid by route {route} in period {period}, and the chain says another: does the node lie?"
    )]
    Route {
        /// The licence.
        licence: B256,
        /// By the logs.
        route: B256,
        /// When.
        period: u32,
    },
    /// A split that is none.
    #[error("split {hash} as the chain has it is none: {why}")]
    Split {
        /// Its hash.
        hash: B256,
        /// What is wrong.
        why: String,
    },
    /// What the node says proves nothing.
    #[error("what the node gave does not prove the statement")]
    Fault(#[from] Fault),
    /// The node's.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}
