//! The authenticated EVM state.
//!
//! - [`account`]: what the state holds.
//! - [`reader`]: the questions that execution and the trie ask of whoever holds committed state ([`StateReader`],
//!   [`NodeReader`]); the store answers them.
//! - [`diff`]: what one block changes, sorted, with the values before and after.
//! - [`hashed`]: the same by hashed key, of any number of blocks.
//! - [`node`]: branch records, the unit in which the Merkle-Patricia trie is kept, by path.
//! - [`trie`]: roots from a diff along changed paths only, and proofs. Upholds [STA-2].

pub mod account;
pub mod diff;
pub mod error;
pub mod hashed;
pub mod memory;
pub mod node;
pub mod reader;
pub mod trie;

pub use account::Account;
pub use diff::{AccountChange, SlotChange, StateDiff};
pub use error::StateError;
pub use hashed::{HashedChanges, StorageChange};
pub use memory::MemoryState;
pub use node::{Branch, Child, Records, TrieId, TrieUpdates};
pub use reader::{NodeReader, StateReader};
