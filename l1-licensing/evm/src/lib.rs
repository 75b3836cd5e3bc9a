//! The one place that knows the EVM (ARCHITECTURE §3).
//!
//! - [`env`]: the environment of a block and the rules: Osaka, pinned, with the chain id from the parameters.
//! - [`state_db`]: committed state as the EVM reads it.
//! - [`machine`]: an EVM for calls, estimates and traces, over any database and with any inspector.
//! - [`block`]: the execution of a block, from its begin to what it changes.
//! - [`adapter`]: system modules as precompiles; [`modules`]: which.
//! - [`genesis`]: the genesis file and the state that it makes.

pub mod adapter;
pub mod block;
pub mod env;
pub mod genesis;
pub mod machine;
pub mod modules;
pub mod state_db;

pub use adapter::ChlomPrecompiles;
pub use block::{BlockExecutor, BlockOutcome, ExecuteError, Executed, TxInvalid};
pub use chlom_module::ModuleSet;
pub use env::{BlockEnv, block_env, cfg_env, tx_env};
pub use genesis::{GenesisError, GenesisSpec};
pub use machine::{ChlomContext, ChlomEvm, attest_block, build_evm, end_block, start_block};
pub use modules::system_modules;
pub use state_db::{DbError, StateDb};
