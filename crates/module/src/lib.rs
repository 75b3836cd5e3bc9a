//! The contracts between a system module, the EVM and the host (ARCHITECTURE §3).
//!
//! A system module is Rust at a reserved address. Solidity calls it like a contract, the host calls it at block
//! boundaries, and all of its state is the storage of its own account, so one journal and one root cover it.
//!
//! - [`module`]: [`SystemModule`], what a module offers, and [`ModuleSet`], all of a chain's modules.
//! - [`context`]: [`ModuleContext`], everything that a module may see or do. It never sees the EVM.
//! - [`storage`]: typed storage with Solidity's slot layout.
//! - [`error`]: the three ways for a call to fail, and the reverts that all modules share.
//! - [`call`]: decoding of call data.
//! - [`gas`]: what modules charge beside storage.
//! - [`stub`]: the code that a module's account carries.
//! - [`memory`]: a context on plain maps, for tests without an EVM.

pub mod call;
pub mod context;
pub mod error;
pub mod gas;
pub mod memory;
pub mod module;
pub mod storage;
pub mod stub;

pub use context::{BlockInfo, ModuleContext};
pub use error::ModuleError;
pub use memory::MemoryContext;
pub use module::{DuplicateModule, ModuleSet, SystemModule};
pub use storage::{Array, Layout, Load, MapStorage, Mapping, ReaderStorage, Slot, Store, Word};
