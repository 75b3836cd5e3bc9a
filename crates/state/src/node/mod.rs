//! Branch records: the unit in which the trie is kept, by trie and path.
//!
//! Ethereum's trie has branches, extensions and leaves. Only branches get a record. A child of a branch is described in
//! the branch's own record: by the path of what hangs there (a leaf's full key, or the path of the next branch, with any
//! extension between the two) and by the encoded node that the parent embeds. So a walk reads one record a level, an
//! update rewrites only the records on changed paths, and flat state is asked for a leaf's value only when the leaf
//! moves.

mod branch;
mod child;
mod record;
mod updates;
mod weaver;

pub use branch::Branch;
pub(crate) use child::KEY_NIBBLES;
pub use child::{Child, TrieId};
pub use updates::{Records, TrieUpdates};
pub(crate) use weaver::Weaver;
