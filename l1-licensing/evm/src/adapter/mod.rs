//! System modules as precompiles: the one adapter between [`chlom_module`] and revm (ARCHITECTURE §3).
//!
//! The rules, each proved by a test in `tests/`:
//! - A module runs only as itself: a DELEGATECALL or CALLCODE reverts with `DelegateCall()` [MOD-2].
//! - In a static call, whatever writes reverts with `StaticCall()` [MOD-3].
//! - Value reverts with `NotPayable(…)` unless the function takes it, and stays only when the call succeeds [MOD-4].
//! - Storage, logs and transfers cost what they cost a contract; running out of gas takes the frame's gas, all of it [MOD-5].
//! - Whatever a caller can cause is a revert. Only a fault below the state aborts execution [MOD-6].
//! - Writes go through the EVM's journal, so that an outer revert undoes them [MOD-7].
//! - Hooks run unmetered around the block's transactions [MOD-8].

mod context;
mod hook;
mod precompiles;

pub(crate) use hook::run_hook;
pub use precompiles::ChlomPrecompiles;
