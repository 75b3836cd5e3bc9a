//! The Application: the order of a block, written out.
//!
//! A block's life (ARCHITECTURE §3) is three moments, each a pure function of committed state and of what consensus
//! says:
//! - [`App::prepare_proposal`]: the proposer takes transactions until gas, bytes or time run out and executes them.
//! - [`App::process_proposal`]: every validator executes a proposal and compares each header field.
//! - [`App::finalize_block`]: the decided block; a result of the moments before is used again when every input is the
//!   same, and computed anew otherwise.
//!
//! Nothing here touches a disk or a clock: the edge brings committed state, the time and the transactions, and makes
//! the outcome durable.

mod application;
mod execute;
pub mod genesis;
mod proposal;
pub mod rules;

pub use application::{App, AppError, Base, Finalized, LastCommit, Proposal, Recover};
pub use chlom_evm::system_modules as modules;
pub use execute::{ExecutedBlock, Rejection};
pub use proposal::{Budget, TxSource};
pub use rules::{attested, env_of, next_env};
