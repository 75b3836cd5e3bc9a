//! The naive twin: the functions TRIE, n and c of the Yellow Paper's appendix D over all keys, every time anew.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Encodable, Header};

/// Root and paths of branch nodes.
#[derive(Default)]
pub struct Naive {
    pub branches: BTreeSet<Vec<u8>>,
}

type Pair = (Vec<u8>, Vec<u8>);

pub fn root(leaves: &BTreeMap<B256, Vec<u8>>) -> B256 {
    Naive::default().root(leaves)
}

impl Naive {
    pub fn root(&mut self, leaves: &BTreeMap<B256, Vec<u8>>) -> B256 {
        let pairs: Vec<Pair> = leaves.iter().map(|(key, value)| (nibbles(key), value.clone())).collect();
        if pairs.is_empty() { keccak256([0x80]) } else { keccak256(self.c(&pairs, 0)) }
    }

    /// What a node embeds for the node over `pairs`: equation 198.
    fn n(&mut self, pairs: &[Pair], i: usize) -> Vec<u8> {
        if pairs.is_empty() {
            return vec![0x80];
        }
        let node = self.c(pairs, i);
        if node.len() < 32 { node } else { string(keccak256(&node).as_slice()) }
    }

    /// The node over `pairs`, which share their first `i` nibbles: equation 199.
    fn c(&mut self, pairs: &[Pair], i: usize) -> Vec<u8> {
        let (key, value) = &pairs[0];
        if pairs.len() == 1 {
            return list(&[string(&hex_prefix(&key[i..], true)), string(value)]);
        }
        let j = (i..64).find(|at| pairs.iter().any(|(other, _)| other[*at] != key[*at])).unwrap();
        if j > i {
            return list(&[string(&hex_prefix(&key[i..j], false)), self.n(pairs, j)]);
        }
        self.branches.insert(key[..i].to_vec());
        let mut items: Vec<Vec<u8>> = Vec::new();
        for slot in 0..16u8 {
            let below: Vec<Pair> = pairs.iter().filter(|(other, _)| other[i] == slot).cloned().collect();
            items.push(self.n(&below, i + 1));
        }
        items.push(string(&[]));
        list(&items)
    }
}

pub fn nibbles(key: &B256) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

fn hex_prefix(nibbles: &[u8], leaf: bool) -> Vec<u8> {
    let flag = 2 * u8::from(leaf) + (nibbles.len() % 2) as u8;
    let mut digits = vec![flag];
    if nibbles.len().is_multiple_of(2) {
        digits.push(0);
    }
    digits.extend_from_slice(nibbles);
    digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes.encode(&mut out);
    out
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}
