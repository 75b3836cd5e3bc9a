//! The execution of a block, from its begin to what it changes.

mod diff;
mod error;
mod executor;
mod reads;

pub use error::{ExecuteError, TxInvalid};
pub use executor::{BlockExecutor, BlockOutcome, Executed};
