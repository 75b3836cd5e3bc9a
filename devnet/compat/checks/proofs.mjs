// eth_getProof, verified here against the state root of the block: accounts, slots, and that neither is there.
import assert from 'node:assert/strict';
import { decodeRlp, keccak256 } from 'ethers';
import { concat, encodeAbiParameters, pad, toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { proven } from '../ethereum/trie.mjs';

export const title = 'eth_getProof';
export const accounts = 1;

const ABSENT = '0x000000000000000000000000000000000000dEaD';
const number = (bytes) => BigInt(bytes === '0x' ? 0 : bytes);

/** The slot of `mapping[key]` in Solidity's layout. */
const slotOf = (key, slot) => keccak256(concat([pad(key), encodeAbiParameters([{ type: 'uint256' }], [slot])]));

/** Checks every part of an answer of eth_getProof against a state root, and that the account is as it says. */
export function verified(root, proof) {
  const leaf = proven(root, keccak256(proof.address), proof.accountProof);
  if (leaf === null) {
    assert.deepEqual([BigInt(proof.balance), BigInt(proof.nonce)], [0n, 0n]);
    for (const { value, proof: nodes } of proof.storageProof) assert.deepEqual([BigInt(value), nodes], [0n, []]);
    return proof;
  }
  const [nonce, balance, storageHash, codeHash] = decodeRlp(leaf);
  assert.equal(number(nonce), BigInt(proof.nonce));
  assert.equal(number(balance), BigInt(proof.balance));
  assert.equal(storageHash, proof.storageHash);
  assert.equal(codeHash, proof.codeHash);
  for (const { key, value, proof: nodes } of proof.storageProof) {
    const found = proven(proof.storageHash, keccak256(pad(key)), nodes);
    assert.equal(found === null ? 0n : number(decodeRlp(found)), BigInt(value));
  }
  return proof;
}

export async function run(t) {
  const { rpc } = t.chain;
  const me = actor(t.chain, t.accounts[0]);
  const coin = await t.need('a coin is there', () => me.deploy('Coin', ['Proof', 'PROOF', 1_000n]));
  const friend = '0x00000000000000000000000000000000000000f6';
  const { blockNumber } = await me.write(coin, 'transfer', [friend, 250n]);
  const height = toHex(blockNumber);
  const { stateRoot } = await rpc.eth_getBlockByNumber(height, false);
  const prove = async (address, keys = []) => verified(stateRoot, await rpc.eth_getProof(address, keys, height));

  await t.check('an account, as the other methods show it', async () => {
    const proof = await prove(me.address);
    assert.equal(BigInt(proof.balance), BigInt(await rpc.eth_getBalance(me.address, height)));
    assert.equal(BigInt(proof.nonce), BigInt(await rpc.eth_getTransactionCount(me.address, height)));
  });

  await t.check("a contract: its code's hash, and slots that are set", async () => {
    const keys = [slotOf(me.address, 0n), slotOf(friend, 0n), toHex(2, { size: 32 })];
    const proof = await prove(coin.address, keys);
    assert.deepEqual(
      proof.storageProof.map(({ value }) => BigInt(value)),
      [750n, 250n, 1_000n],
    );
    assert.equal(proof.codeHash, keccak256(await rpc.eth_getCode(coin.address, height)));
  });

  await t.check('a slot that is not set, asked for by a short key', async () => {
    const proof = await prove(coin.address, ['0x63']);
    assert.equal(BigInt(proof.storageProof[0].value), 0n);
  });

  await t.check('an account that is not there', async () => {
    const proof = await prove(ABSENT, ['0x0']);
    assert.equal(BigInt(proof.storageProof[0].value), 0n);
  });

  await t.check('a system module and its storage, as any account', async () => {
    const proof = await prove('0x0000000000000000000000000000000000001010', ['0x0']);
    assert.equal(BigInt(proof.nonce), 1n);
    assert.notEqual(proof.codeHash, keccak256('0x'));
  });

  await t.check("at a height of the past, against that height's root", async () => {
    const then = toHex(blockNumber - 1n);
    const block = await rpc.eth_getBlockByNumber(then, false);
    const proof = verified(block.stateRoot, await rpc.eth_getProof(coin.address, [slotOf(friend, 0n)], then));
    assert.equal(BigInt(proof.storageProof[0].value), 0n);
  });

  await t.check('a proof does not verify against another root', async () => {
    const { stateRoot: other } = await rpc.eth_getBlockByNumber(toHex(blockNumber - 1n), false);
    const proof = await rpc.eth_getProof(coin.address, [], height);
    assert.throws(() => verified(other, proof), /another hash/);
  });
}
