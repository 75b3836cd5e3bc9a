//! What an update of one trie is given: keys, sorted, with their new values.

use alloy_primitives::{B256, U256};
use alloy_rlp::Encodable;

use super::path::{common, nibble};
use crate::{account::Account, node::Child};

/// The new value of a leaf.
pub(super) trait LeafValue: Sync {
    /// Whether there is a value; otherwise the leaf goes.
    fn is_live(&self) -> bool;
    /// Appends the value's RLP.
    fn put(&self, out: &mut Vec<u8>);
}

impl<V: LeafValue> LeafValue for &V {
    fn is_live(&self) -> bool {
        (**self).is_live()
    }
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

/// Changed keys, sorted, each once.
pub(super) type Changes<'c, V> = &'c [(B256, V)];

impl LeafValue for Option<Account> {
    fn is_live(&self) -> bool {
        self.is_some()
    }
    fn put(&self, out: &mut Vec<u8>) {
        if let Some(account) = self {
            account.encode(out);
        }
    }
}

impl LeafValue for U256 {
    fn is_live(&self) -> bool {
        !self.is_zero()
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}

/// Parts of changes by their nibble `at`, which all before it they share.
pub(super) fn slot_parts<V>(
    mut rest: Changes<'_, V>,
    at: usize,
) -> impl Iterator<Item = (u8, Changes<'_, V>)> {
    std::iter::from_fn(move || {
        let slot = nibble(&rest.first()?.0, at);
        Some((slot, take_slot(&mut rest, slot, at)))
    })
}

/// Takes the changes whose nibble `at` is `slot` from the front.
pub(super) fn take_slot<'c, V>(rest: &mut Changes<'c, V>, slot: u8, at: usize) -> Changes<'c, V> {
    let here = |(key, _): &(B256, V)| nibble(key, at) == slot;
    let count = if rest.len() > 64 {
        rest.partition_point(here)
    } else {
        rest.iter().position(|change| !here(change)).unwrap_or(rest.len())
    };
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

/// Splits changes, which agree with the path of `child` up to `depth`, into those before, below and after it.
pub(super) fn split<'c, V>(
    changes: Changes<'c, V>,
    child: &Child,
    depth: usize,
) -> (Changes<'c, V>, Changes<'c, V>, Changes<'c, V>) {
    let (path, len) = (child.packed_path(), child.path_len());
    // Most changes come alone, and most children hang right below their parent.
    if len == depth || changes.len() == 1 && common(&changes[0].0, path) >= len {
        return (&[], changes, &[]);
    }
    let start = changes.partition_point(|(key, _)| key < path);
    let (before, rest) = changes.split_at(start);
    let end = rest.partition_point(|(key, _)| common(key, path) >= len);
    let (inside, after) = rest.split_at(end);
    (before, inside, after)
}
