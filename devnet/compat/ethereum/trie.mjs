// Ethereum's Merkle-Patricia trie, from the reader's side: check a proof, and compute the root of a list.
import assert from 'node:assert/strict';
import { decodeRlp, encodeRlp, keccak256 } from 'ethers';

const nibblesOf = (hex) => [...hex.slice(2)].map((digit) => parseInt(digit, 16));
const EMPTY_ROOT = keccak256('0x80');

/** A leaf's or an extension's path and whether it is a leaf (hex-prefix encoding). */
function unpacked(path) {
  const [flag, ...rest] = nibblesOf(path);
  return { leaf: flag >= 2, nibbles: flag % 2 ? rest : rest.slice(1) };
}

function packed(nibbles, leaf) {
  const odd = nibbles.length % 2;
  const flags = odd ? [(leaf ? 2 : 0) + 1] : [leaf ? 2 : 0, 0];
  return `0x${[...flags, ...nibbles].map((nibble) => nibble.toString(16)).join('')}`;
}

/**
 * What a proof says of a key: the value, or `null` when it proves that there is none.
 * Throws when the proof does not lead from the root to an answer, or when a node of it is not used.
 */
export function proven(root, key, proof) {
  if (proof.length === 0) {
    assert.equal(root, EMPTY_ROOT, 'an empty proof is one of the empty trie only');
    return null;
  }
  const rest = [...proof];
  let nibbles = nibblesOf(key);
  let node = root;
  for (;;) {
    node = resolved(node, rest);
    if (node === null) return ended(rest, null);
    if (node.length === 17) {
      if (nibbles.length === 0) return ended(rest, node[16] === '0x' ? null : node[16]);
      node = node[nibbles[0]];
      nibbles = nibbles.slice(1);
      continue;
    }
    const { leaf, nibbles: path } = unpacked(node[0]);
    const follows = path.every((nibble, i) => nibbles[i] === nibble);
    if (leaf) return ended(rest, follows && path.length === nibbles.length ? node[1] : null);
    if (!follows) return ended(rest, null);
    nibbles = nibbles.slice(path.length);
    node = node[1];
  }
}

/** Follows a reference: by hash to the next node of the proof, or to the node that stands in its place. */
function resolved(reference, rest) {
  if (Array.isArray(reference)) return reference;
  if (reference === '0x') return null;
  const next = rest.shift();
  assert.ok(next, `the proof ends before node ${reference}`);
  assert.equal(keccak256(next), reference, 'a node of the proof has another hash');
  return decodeRlp(next);
}

function ended(rest, value) {
  assert.equal(rest.length, 0, `${rest.length} nodes of the proof are not on the way`);
  return value;
}

/** The root of a list: values at the RLP of their index, as for transactions and receipts. */
export function listRoot(values) {
  if (values.length === 0) return EMPTY_ROOT;
  const entries = values.map((value, index) => [nibblesOf(encodeRlp(index === 0 ? '0x' : even(index))), value]);
  return keccak256(encodeRlp(built(entries)));
}

const even = (index) => `0x${index.toString(16).padStart(2 * Math.ceil(index.toString(16).length / 2), '0')}`;

function built(entries) {
  if (entries.length === 1) return [packed(entries[0][0], true), entries[0][1]];
  const shared = prefixLength(entries.map(([nibbles]) => nibbles));
  const below = entries.map(([nibbles, value]) => [nibbles.slice(shared), value]);
  const branch = Array.from({ length: 16 }, (_, nibble) => {
    const under = below.filter(([nibbles]) => nibbles[0] === nibble);
    return under.length ? referenced(built(under.map(([nibbles, value]) => [nibbles.slice(1), value]))) : '0x';
  });
  // RLP encodings of indices are prefix-free, so that no branch has a value of its own.
  branch.push('0x');
  return shared ? [packed(entries[0][0].slice(0, shared), false), referenced(branch)] : branch;
}

function referenced(node) {
  const encoded = encodeRlp(node);
  return encoded.length < 2 + 2 * 32 ? node : keccak256(encoded);
}

function prefixLength([first, ...others]) {
  const end = first.findIndex((nibble, i) => others.some((other) => other[i] !== nibble));
  return end === -1 ? first.length : end;
}
