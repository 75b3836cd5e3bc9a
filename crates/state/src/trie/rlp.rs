//! Nodes as Ethereum encodes them (Yellow Paper, appendices C and D), written into buffers that are used again.

use alloy_primitives::B256;
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header};

use super::path::nibble;
use crate::node::{Branch, KEY_NIBBLES};

/// Room for the header of a branch, which is written last.
const HEADER: usize = 3;
/// The longest branch: 16 hashes and no value.
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
    // Every slot that nothing is written to is empty, and so is the value.
    out.clear();
    out.resize(BRANCH_MAX, EMPTY_STRING_CODE);
    let (mut at, mut next) = (HEADER, 0);
    for entry in branch.entries() {
        at += usize::from(entry.slot - next);
        next = entry.slot + 1;
        // A hash is stored without its prefix.
        if entry.node.len() == 32 {
            out[at] = EMPTY_STRING_CODE + 32;
            at += 1;
        }
        out[at..at + entry.node.len()].copy_from_slice(entry.node);
        at += entry.node.len();
    }
    at += usize::from(16 - next) + 1;
    let start = put_list_header(out, at - HEADER);
    &out[start..at]
}

/// Writes a list header that ends where the payload begins; returns where it starts.
fn put_list_header(out: &mut [u8], payload: usize) -> usize {
    let [high, low] = (payload as u16).to_be_bytes();
    let (start, head) = match payload {
        0..56 => (HEADER - 1, [0xc0 + low, 0, 0]),
        56..256 => (HEADER - 2, [0xf8, low, 0]),
        _ => (0, [0xf9, high, low]),
    };
    out[start..HEADER].copy_from_slice(&head[..HEADER - start]);
    start
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
