//! Roots from a diff along changed paths only, and proofs.
//!
//! An update walks the sorted changes and the old trie together. At each branch record it splits the changes by their
//! next nibble, works on the children concerned (large groups in parallel), and then settles the branch: it gets a new
//! record, stays as it was, or goes because fewer than two children are left. What comes out of a subtree is *loose*
//! until its parent knows at which depth it hangs, so a leaf or an extension is hashed once, in its final place.
//!
//! - `path`: nibbles of packed keys; `changes`: what an update is given.
//! - `rlp`: nodes as Ethereum encodes them.
//! - `gather`: the records that an update will need.
//! - `grow`, `climb`, `plant`, `settle`: the update of one trie.
//! - `update`, `update_hashed`: the update of the state, storage tries and then accounts, each of which has an `outcome`.
//! - `proof`: the nodes from a root to a key.
//! - `overlay`: the trie as it is after changes that are not in the store, or as it was before some that are.

mod changes;
mod climb;
mod gather;
mod grow;
mod outcome;
mod overlay;
mod path;
mod plant;
mod proof;
mod rlp;
mod settle;
mod update;
mod update_hashed;

pub use overlay::{Layered, Reverted};
pub use proof::prove;
pub use update::apply;
pub use update_hashed::apply_hashed;
