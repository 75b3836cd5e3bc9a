//! System modules as precompiles: the one adapter between [`chlom_module`] and revm (ARCHITECTURE §3).
//!
//! The rules, each proved by a test in `tests/`:
//! - A module runs only as itself: a DELEGATECALL or CALLCODE reverts with `DelegateCall()`.
//! - In a static call, whatever writes reverts with `StaticCall()`.
//! - Value reverts with `NotPayable(…)` unless the function takes it, and stays only when the call succeeds.
//! - Storage, logs and transfers cost what they cost a contract; running out of gas takes the frame's gas, all of it.
//! - Writes go through the EVM's journal, so that an outer revert undoes them.
//! - Whatever a caller can cause is a revert. Only a fault below the state aborts execution.

mod context;
mod hook;
mod precompiles;

pub(crate) use hook::run_hook;
pub use precompiles::ChlomPrecompiles;
