//! Branch records and roots as bytes for the store, and the keys they are stored under.
//!
//! Every record has one encoding only: what decodes encodes to the same bytes again. A root is `nibbles of its path | path
//! | node`, where 32 bytes at the end are a hash and fewer a node; for branches see [`super::branch`].

use alloy_primitives::B256;
use alloy_trie::Nibbles;

use super::{
    branch::{Branch, Entry, slots},
    child::{Child, KEY_NIBBLES, TrieId, node_from_stored, stored_node},
};
use crate::error::StateError;

/// First byte of the keys of the accounts trie's records.
const ACCOUNTS: u8 = 0;
/// First byte of the keys of storage tries' records; the hashed address follows.
const STORAGE: u8 = 1;

impl TrieId {
    /// Where the trie's root is stored. All keys of the trie's records begin with it, and no other trie's do.
    pub fn root_key(&self) -> Vec<u8> {
        match self {
            Self::Accounts => vec![ACCOUNTS],
            Self::Storage(hashed) => [&[STORAGE], hashed.as_slice()].concat(),
        }
    }

    /// Where the branch at `path` is stored: the trie, the path packed into bytes, its number of nibbles.
    pub fn record_key(&self, path: &Nibbles) -> Vec<u8> {
        let mut key = self.root_key();
        key.extend_from_slice(&path.pack());
        key.push(path.len() as u8);
        key
    }

    /// The trie and path of a stored record; no path for a root.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] when no [`Self::root_key`] or [`Self::record_key`] gives these bytes.
    pub fn from_key(key: &[u8]) -> Result<(Self, Option<Nibbles>), StateError> {
        let bad = || corrupt(format!("{} bytes are no key of a trie record", key.len()));
        let (trie, rest) = match key.split_first().ok_or_else(bad)? {
            (&ACCOUNTS, rest) => (Self::Accounts, rest),
            (&STORAGE, rest) => {
                let (hashed, rest) = rest.split_first_chunk::<32>().ok_or_else(bad)?;
                (Self::Storage(B256::from(*hashed)), rest)
            }
            _ => return Err(bad()),
        };
        let Some((len, packed)) = rest.split_last() else { return Ok((trie, None)) };
        let len = usize::from(*len);
        let path = unpack(packed, len).filter(|_| len < KEY_NIBBLES).ok_or_else(bad)?;
        Ok((trie, Some(Nibbles::unpack(path).slice(..len))))
    }
}

impl Child {
    /// The bytes of a root record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.path_len() as u8];
        out.extend_from_slice(&self.packed_path().0[..self.path_len().div_ceil(2)]);
        out.extend_from_slice(stored_node(self.node()));
        out
    }

    /// A root from its record.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for bytes that [`Self::encode`] does not give.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let read = || {
            let (len, rest) = bytes.split_first()?;
            let (packed, node) = rest.split_at_checked(usize::from(*len).div_ceil(2))?;
            Some(Self::branch(unpack(packed, usize::from(*len))?, *len, node_from_stored(node)?))
        };
        read().ok_or_else(|| corrupt(format!("{} bytes are no root", bytes.len())))
    }
}

impl Branch {
    /// The bytes of the branch's record: a copy of [`Self::as_bytes`].
    pub fn encode(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    /// The branch at `path` from its record.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for bytes that [`Self::encode`] does not give for a branch at this path.
    pub fn decode(path: &Nibbles, bytes: &[u8]) -> Result<Self, StateError> {
        check(path, bytes)
            .map(|()| Self::unchecked(bytes))
            .ok_or_else(|| corrupt(format!("{} bytes are no branch at {path:?}", bytes.len())))
    }
}

/// `None` unless the bytes are the record of a branch at `path`.
fn check(path: &Nibbles, bytes: &[u8]) -> Option<()> {
    let [depth, masks @ ..] = bytes.first_chunk::<7>()?;
    let [taken, leaves, marked] = [0, 2, 4].map(|at| u16::from_be_bytes([masks[at], masks[at + 1]]));
    let masks_fit = taken.count_ones() >= 2 && (leaves | marked) & !taken == 0;
    let depth_fits = usize::from(*depth) == path.len() && path.len() < KEY_NIBBLES;
    let mut at = 7;
    for slot in slots(taken).filter(|_| masks_fit && depth_fits) {
        let is = |mask: u16| mask >> slot & 1 == 1;
        let kind = (is(leaves), is(marked));
        let entry = Entry::read(bytes, at, slot, path.len(), kind)?;
        check_entry(&entry, path.len(), kind)?;
        at = entry.end;
    }
    (masks_fit && depth_fits && at == bytes.len()).then_some(())
}

/// `None` unless a child below a branch at `depth` is as `Weaver` writes it.
fn check_entry(entry: &Entry<'_>, depth: usize, (is_leaf, marked): (bool, bool)) -> Option<()> {
    let (below, len) = (depth + 1, entry.len);
    let short = entry.node.len() < 32;
    let place_fits = if is_leaf { len == KEY_NIBBLES } else { len >= below && len < KEY_NIBBLES };
    let mark_fits = marked == (short || (!is_leaf && len > below));
    // The first byte of the path may begin with the slot, the last may end with padding.
    let slot_fits = depth % 2 == 1 || entry.path.first().is_none_or(|byte| byte >> 4 == entry.slot);
    let is_padded = len.is_multiple_of(2) || entry.path.last().is_none_or(|byte| byte & 0x0f == 0);
    node_from_stored(entry.node).filter(|_| place_fits && mark_fits && slot_fits && is_padded).map(drop)
}

/// A path of `len` nibbles from its bytes, which no other path has.
fn unpack(packed: &[u8], len: usize) -> Option<B256> {
    let mut path = B256::ZERO;
    path.0.get_mut(..len.div_ceil(2)).filter(|own| own.len() == packed.len())?.copy_from_slice(packed);
    let is_padded = len.is_multiple_of(2) || packed.last().is_some_and(|byte| byte & 0x0f == 0);
    is_padded.then_some(path)
}

fn corrupt(what: String) -> StateError {
    StateError::Corrupt(what)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy_trie::nodes::RlpNode;
    use proptest::{collection, prelude::*, sample::Index};

    use super::*;
    use crate::node::Weaver;

    /// A branch's path and, by slot, what hangs there: nibbles of its path, all of this byte's, and its node.
    type Drawn = (Nibbles, BTreeMap<u8, (usize, u8, Vec<u8>)>);

    fn drawn() -> impl Strategy<Value = Drawn> {
        let node = prop_oneof![
            Just([&[0xa0][..], &[0xee; 32]].concat()),
            (1..32u8).prop_map(|len| [vec![0xbf + len], vec![1; usize::from(len) - 1]].concat()),
        ];
        let child = (prop_oneof![Just(64), Just(1), 1..64usize], any::<u8>(), node);
        (0..63usize, any::<u8>(), collection::btree_map(0..16u8, child, 2..17)).prop_map(
            |(depth, byte, children)| (Nibbles::unpack(B256::repeat_byte(byte)).slice(..depth), children),
        )
    }

    fn weave(path: &Nibbles, children: &[(u8, Child)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut weaver = Weaver::new(&mut out, path.len());
        children.iter().for_each(|(slot, child)| weaver.put(*slot, child));
        weaver.finish(None).unwrap().encode()
    }

    fn packed(path: &Nibbles) -> B256 {
        let mut packed = B256::ZERO;
        path.pack_to(&mut packed.0);
        packed
    }

    fn children((path, drawn): &Drawn) -> Vec<(u8, Child)> {
        let child = |(slot, (len, byte, node)): (&u8, &(usize, u8, Vec<u8>))| {
            let mut own = *path;
            own.push(*slot);
            let len = (*len).max(own.len());
            own.extend(&Nibbles::unpack(B256::repeat_byte(*byte)).slice(..len - own.len()));
            (*slot, Child::branch(packed(&own), len as u8, RlpNode::from_raw(node).unwrap()))
        };
        drawn.iter().map(child).collect()
    }

    proptest! {
        #[test]
        fn a_record_decodes_to_the_branch_that_was_woven(drawn in drawn()) {
            let children = children(&drawn);
            let bytes = weave(&drawn.0, &children);
            let branch = Branch::decode(&drawn.0, &bytes).unwrap();
            let path = packed(&drawn.0);
            prop_assert_eq!(&branch.children(&path).collect::<Vec<_>>(), &children);
            for slot in 0..17 {
                let child = children.iter().find(|(at, _)| *at == slot).map(|(_, child)| child.clone());
                prop_assert_eq!(branch.child(&path, slot), child);
            }
        }

        #[test]
        fn a_damaged_record_is_refused_or_another_branchs(drawn in drawn(), at in any::<Index>(), xor in 1..=255u8) {
            let mut bytes = weave(&drawn.0, &children(&drawn));
            let at = at.index(bytes.len());
            bytes[at] ^= xor;
            if let Ok(branch) = Branch::decode(&drawn.0, &bytes) {
                let children: Vec<_> = branch.children(&packed(&drawn.0)).collect();
                for (slot, child) in &children {
                    let mut below = drawn.0;
                    below.push(*slot);
                    prop_assert!(child.path().starts_with(&below));
                }
                prop_assert_eq!(weave(&drawn.0, &children), bytes);
            }
        }
    }

    /// The record of a branch at the root with a plain branch in slot 0 and a marked one in slot 1.
    fn with_marked(len: u8, path: &[u8], node: &[u8]) -> Result<Branch, StateError> {
        let head = [0, 0, 0b11, 0, 0, 0, 0b10];
        let plain = [0xee; 32];
        let bytes = [&head[..], &plain, &[len, node.len() as u8], path, node].concat();
        Branch::decode(&Nibbles::new(), &bytes)
    }

    #[test]
    fn a_marked_child_has_a_reason_a_place_and_padding() {
        let hash = [0xdd; 32];
        with_marked(3, &[0x12, 0x30], &hash).unwrap();
        with_marked(1, &[0x10], &[0xc2, 1, 2]).unwrap();
        for (len, path, node) in [
            (3, &[0x12, 0x34][..], &hash[..]), // Padding is zero.
            (3, &[0x22, 0x30], &hash),         // The path goes through the slot.
            (1, &[0x10], &hash),               // Neither an extension nor short.
            (0, &[], &hash),                   // Above its own parent.
            (64, &[0x11; 32], &hash),          // A leaf is no branch.
            (65, &[0x11; 33], &hash),          // No path is that long.
            (1, &[0x10], &[0xc2, 1, 2, 3]),    // Not one list.
            (1, &[0x10], &[0x82, 1, 2]),       // No list.
            (1, &[0x10], &[]),                 // Nothing.
            (3, &[0x12, 0x30], &[0xdd; 33]),   // Longer than a hash.
        ] {
            with_marked(len, path, node).unwrap_err();
        }
    }
}
