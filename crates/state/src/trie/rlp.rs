//! Nodes as Ethereum encodes them (Yellow Paper, appendices C and D), written into buffers that are used again.

use alloy_primitives::B256;
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header, length_of_length};

use super::path::nibble;
use crate::node::{Branch, KEY_NIBBLES};

/// Room for the header of a branch, which is written last.
const HEADER: usize = 3;
/// The longest branch: 16 hashes, no value.
const BRANCH_MAX: usize = HEADER + 16 * 33 + 1;

/// A leaf at `depth` with its value's RLP. Replaces what was in `out`.
pub(super) fn leaf(out: &mut Vec<u8>, key: &B256, depth: usize, value: &[u8]) {
    out.clear();
    let payload = path_length(KEY_NIBBLES - depth) + value.length();
    Header { list: true, payload_length: payload }.encode(out);
    put_path(out, key, depth, KEY_NIBBLES, 0x20);
    value.encode(out);
}

/// An extension over the nibbles `from..to` of `path` to a branch. Replaces what was in `out`.
pub(super) fn extension(out: &mut Vec<u8>, path: &B256, from: usize, to: usize, branch: &[u8]) {
    out.clear();
    Header { list: true, payload_length: path_length(to - from) + branch.len() }.encode(out);
    put_path(out, path, from, to, 0x00);
    out.extend_from_slice(branch);
}

/// A branch. Uses `out` as it likes and returns the part with the node.
pub(super) fn branch<'o>(out: &'o mut Vec<u8>, branch: &Branch) -> &'o [u8] {
    out.resize(BRANCH_MAX, 0);
    let mut end = HEADER;
    let mut children = branch.children().iter();
    for slot in 0..16 {
        let node = if branch.mask() >> slot & 1 == 1 { children.next() } else { None };
        match node {
            Some(child) => {
                let node = child.node().as_slice();
                out[end..end + node.len()].copy_from_slice(node);
                end += node.len();
            }
            None => {
                out[end] = EMPTY_STRING_CODE;
                end += 1;
            }
        }
    }
    out[end] = EMPTY_STRING_CODE;
    end += 1;
    let start = put_list_header(out, end - HEADER);
    &out[start..end]
}

/// Writes a list header that ends where the payload begins; returns where it starts.
fn put_list_header(out: &mut [u8], payload: usize) -> usize {
    let [high, low] = (payload as u16).to_be_bytes();
    match payload {
        0..56 => out[HEADER - 1] = 0xc0 + low,
        56..256 => out[HEADER - 2..HEADER].copy_from_slice(&[0xf8, low]),
        _ => out[..HEADER].copy_from_slice(&[0xf9, high, low]),
    }
    HEADER - 1 - if payload < 56 { 0 } else { length_of_length(payload) - 1 }
}

/// Length of the hex-prefix encoding of `count` nibbles as an RLP string.
fn path_length(count: usize) -> usize {
    let bytes = count / 2 + 1;
    // A single byte is at most 0x3f, hence its own RLP.
    if bytes == 1 { 1 } else { 1 + bytes }
}

/// The hex-prefix encoding of the nibbles `from..to` as an RLP string; `flag` is 0x20 for a leaf.
fn put_path(out: &mut Vec<u8>, key: &B256, from: usize, to: usize, flag: u8) {
    let (count, mut at) = (to - from, from);
    if count > 1 {
        out.push(EMPTY_STRING_CODE + (count / 2 + 1) as u8);
    }
    if count.is_multiple_of(2) {
        out.push(flag);
    } else {
        out.push(flag | 0x10 | nibble(key, at));
        at += 1;
    }
    if at.is_multiple_of(2) {
        out.extend_from_slice(&key.0[at / 2..to / 2]);
        return;
    }
    while at < to {
        out.push(nibble(key, at) << 4 | nibble(key, at + 1));
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use alloy_trie::{
        Nibbles,
        nodes::{ExtensionNodeRef, LeafNodeRef, RlpNode},
    };

    use super::*;

    fn key() -> B256 {
        B256::from(std::array::from_fn(|i| (i as u8).wrapping_mul(37)))
    }

    #[test]
    fn leaves_are_encoded_as_alloy_does() {
        let (key, mut out) = (key(), Vec::new());
        for depth in 0..=64 {
            for value in [vec![1], vec![0x80], vec![0x81, 0xff], vec![7; 55], vec![7; 56], vec![9; 110]] {
                leaf(&mut out, &key, depth, &value);
                let path = Nibbles::unpack(key).slice(depth..);
                assert_eq!(out, alloy_rlp::encode(LeafNodeRef::new(&path, &value)), "depth {depth}");
            }
        }
    }

    #[test]
    fn extensions_are_encoded_as_alloy_does() {
        let (key, mut out) = (key(), Vec::new());
        let nodes = [RlpNode::word_rlp(&key), RlpNode::from_raw(&[0xc2, 1, 2]).unwrap()];
        for from in 0..63 {
            for to in from + 1..64 {
                for node in &nodes {
                    extension(&mut out, &key, from, to, node);
                    let path = Nibbles::unpack(key).slice(from..to);
                    assert_eq!(out, alloy_rlp::encode(ExtensionNodeRef::new(&path, node)), "{from}..{to}");
                }
            }
        }
    }
}
