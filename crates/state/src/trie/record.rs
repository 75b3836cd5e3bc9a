//! Branch records and roots as bytes for the store, and the keys they are stored under.
//!
//! Every record has one encoding only: what decodes encodes to the same bytes again. Nibbles that the branch's own path
//! implies are not stored, nor the first byte of a hash's RLP.
//!
//! A branch is `taken u16 | leaves u16 | marked u16`, bit n for slot n, and then its children in order:
//!
//! | child | bytes |
//! |---|---|
//! | leaf | key from the byte that holds its first nibble below the slot, hash |
//! | leaf, marked: its node is shorter than 32 bytes | length of the node, key as above, node |
//! | branch | hash |
//! | branch, marked: behind an extension, or shorter than 32 bytes | nibbles of its path, length of the node, path as above, node |
//!
//! A root is `nibbles of its path | path | node`, where 32 bytes at the end are a hash and fewer a node.

use alloy_primitives::B256;
use alloy_trie::{Nibbles, nodes::RlpNode};

use super::path::{common, nibble};
use crate::{
    error::StateError,
    node::{Branch, Child, KEY_NIBBLES, TrieId},
};

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
        let mut bytes = Bytes(key);
        let trie = match bytes.byte()? {
            ACCOUNTS => Self::Accounts,
            STORAGE => Self::Storage(B256::from_slice(bytes.take(32)?)),
            other => return Err(corrupt(format!("a trie record's key begins with {other}"))),
        };
        let Some((len, packed)) = bytes.0.split_last() else { return Ok((trie, None)) };
        if usize::from(*len) >= KEY_NIBBLES {
            return Err(corrupt(format!("a trie record's path has {len} nibbles")));
        }
        let path = bytes_to_path(&B256::ZERO, 0, usize::from(*len), packed)?;
        Ok((trie, Some(super::path::nibbles(&path, usize::from(*len)))))
    }
}

impl Child {
    /// The bytes of a root record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(66);
        out.push(self.path_len() as u8);
        put_path(&mut out, self, 0);
        out.extend_from_slice(stored(self.node()));
        out
    }

    /// A root from its record.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for bytes that [`Self::encode`] does not give.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let mut bytes = Bytes(bytes);
        let len = bytes.byte()?;
        if usize::from(len) > KEY_NIBBLES {
            return Err(corrupt(format!("a root's path has {len} nibbles")));
        }
        let packed = bytes.take(usize::from(len).div_ceil(2))?;
        let path = bytes_to_path(&B256::ZERO, 0, usize::from(len), packed)?;
        Ok(Self::branch(path, len, node(bytes.0)?))
    }
}

impl Branch {
    /// The bytes of a branch record.
    pub fn encode(&self) -> Vec<u8> {
        let depth = self.depth();
        let (mut leaves, mut marked) = (0u16, 0u16);
        let mut out = Vec::with_capacity(6 + self.children().len() * 64);
        out.extend_from_slice(&[0; 6]);
        for (slot, child) in self.iter() {
            leaves |= u16::from(child.is_leaf()) << slot;
            marked |= u16::from(put_child(&mut out, child, depth + 1)) << slot;
        }
        for (at, mask) in [self.mask(), leaves, marked].into_iter().enumerate() {
            out[at * 2..at * 2 + 2].copy_from_slice(&mask.to_be_bytes());
        }
        out
    }

    /// The branch at `path` from its record.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for bytes that [`Self::encode`] does not give for a branch at this path.
    pub fn decode(path: &Nibbles, bytes: &[u8]) -> Result<Self, StateError> {
        let mut bytes = Bytes(bytes);
        let (taken, leaves, marked) = (bytes.mask()?, bytes.mask()?, bytes.mask()?);
        if taken.count_ones() < 2 || (leaves | marked) & !taken != 0 {
            return Err(corrupt(format!("a branch's slots are {taken:04x}, {leaves:04x}, {marked:04x}")));
        }
        if path.len() >= KEY_NIBBLES {
            return Err(corrupt(format!("a branch at {} nibbles", path.len())));
        }
        let mut children = Vec::with_capacity(taken.count_ones() as usize);
        for slot in (0..16u8).filter(|slot| taken >> slot & 1 == 1) {
            let mut below = *path;
            below.push(slot);
            let kind = (leaves >> slot & 1 == 1, marked >> slot & 1 == 1);
            children.push(take_child(&mut bytes, &below, kind)?);
        }
        if !bytes.0.is_empty() {
            return Err(corrupt(format!("{} bytes after a branch", bytes.0.len())));
        }
        Ok(Self::new(taken, children))
    }

    /// Nibbles of the branch's own path: those that its first and last child share.
    fn depth(&self) -> usize {
        match (self.children().first(), self.children().last()) {
            (Some(first), Some(last)) => common(first.packed_path(), last.packed_path()),
            _ => 0,
        }
    }
}

/// Appends a child whose path is implied up to `depth`; returns whether it is marked.
fn put_child(out: &mut Vec<u8>, child: &Child, depth: usize) -> bool {
    let node = stored(child.node());
    let marked = node.len() < 32 || (!child.is_leaf() && child.path_len() > depth);
    if marked && !child.is_leaf() {
        out.push(child.path_len() as u8);
    }
    if marked {
        out.push(node.len() as u8);
    }
    if marked || child.is_leaf() {
        put_path(out, child, depth);
    }
    out.extend_from_slice(node);
    marked
}

/// Reads a child that hangs at `below`; `kind` is whether it is a leaf and whether it is marked.
fn take_child(bytes: &mut Bytes<'_>, below: &Nibbles, kind: (bool, bool)) -> Result<Child, StateError> {
    let depth = below.len();
    let (len, node_len) = match kind {
        (true, false) => (KEY_NIBBLES, 32),
        (true, true) => (KEY_NIBBLES, bytes.node_len(31)?),
        (false, false) => (depth, 32),
        (false, true) => (usize::from(bytes.byte()?), bytes.node_len(32)?),
    };
    let is_branch = len < KEY_NIBBLES;
    if len < depth || is_branch == kind.0 || (kind == (false, true) && len == depth && node_len == 32) {
        return Err(corrupt(format!("a child of {len} nibbles at {depth} with a node of {node_len} bytes")));
    }
    let implied = B256::from(below_packed(below));
    // A plain branch hangs right below its slot: its path is implied.
    let path = if kind == (false, false) {
        implied
    } else {
        let packed = bytes.take(len.div_ceil(2) - depth / 2)?;
        bytes_to_path(&implied, depth, len, packed)?
    };
    let node = node(bytes.take(node_len)?)?;
    Ok(Child::branch(path, len as u8, node))
}

fn below_packed(below: &Nibbles) -> [u8; 32] {
    let mut packed = [0; 32];
    below.pack_to(&mut packed);
    packed
}

/// Appends the bytes of a child's path from the one that holds nibble `depth`.
fn put_path(out: &mut Vec<u8>, child: &Child, depth: usize) {
    out.extend_from_slice(&child.packed_path().0[depth / 2..child.path_len().div_ceil(2)]);
}

/// A path of `len` nibbles that agrees with `implied` up to `depth`, from the bytes that [`put_path`] wrote.
fn bytes_to_path(implied: &B256, depth: usize, len: usize, packed: &[u8]) -> Result<B256, StateError> {
    if packed.len() != len.div_ceil(2) - depth / 2 {
        return Err(corrupt(format!("{} bytes for {len} nibbles after {depth}", packed.len())));
    }
    let mut path = *implied;
    path.0[depth / 2..len.div_ceil(2)].copy_from_slice(packed);
    let agrees = depth == 0 || nibble(&path, depth - 1) == nibble(implied, depth - 1);
    let padded = len.is_multiple_of(2) || nibble(&path, len) == 0;
    if agrees && padded { Ok(path) } else { Err(corrupt(format!("a path that is not the record's: {path}"))) }
}

/// A node without what is known of it: a hash loses its RLP prefix.
fn stored(node: &RlpNode) -> &[u8] {
    if node.is_hash() { &node.as_slice()[1..] } else { node.as_slice() }
}

/// The node from its stored bytes: a hash, or a list shorter than 32 bytes.
fn node(bytes: &[u8]) -> Result<RlpNode, StateError> {
    if let Ok(hash) = B256::try_from(bytes) {
        return Ok(RlpNode::word_rlp(&hash));
    }
    let is_list = bytes.first().is_some_and(|head| usize::from(*head) == 0xc0 + bytes.len() - 1);
    RlpNode::from_raw(bytes)
        .filter(|_| is_list && bytes.len() < 32)
        .ok_or_else(|| corrupt(format!("a node of {} bytes", bytes.len())))
}

fn corrupt(what: String) -> StateError {
    StateError::Corrupt(what)
}

/// Bytes not read yet.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], StateError> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or_else(|| corrupt("a trie record ends early".into()))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, StateError> {
        Ok(self.take(1)?[0])
    }

    fn mask(&mut self) -> Result<u16, StateError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn node_len(&mut self, max: u8) -> Result<usize, StateError> {
        let len = self.byte()?;
        if len > max {
            return Err(corrupt(format!("a node of {len} bytes, at most {max}")));
        }
        Ok(usize::from(len))
    }
}
