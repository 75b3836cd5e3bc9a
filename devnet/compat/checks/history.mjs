// The state of the past: balances, nonces, storage, code and calls at earlier heights, by number and by hash.
import assert from 'node:assert/strict';
import { encodeFunctionData, toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';

export const title = 'history';
export const accounts = 1;

const FRIEND = '0x00000000000000000000000000000000000000f7';

export async function run(t) {
  const { rpc } = t.chain;
  const me = actor(t.chain, t.accounts[0]);

  const coin = await t.need('a coin is there', () => me.deploy('Coin', ['Past', 'PAST', 1_000n]));
  const born = coin.receipt.blockNumber;
  const heights = [];
  for (const value of [1n, 2n, 3n]) {
    await me.send({ to: FRIEND, value });
    const { blockNumber } = await me.write(coin, 'transfer', [FRIEND, value]);
    heights.push(blockNumber);
  }
  const sums = [1n, 3n, 6n];
  const balanceOf = {
    to: coin.address,
    data: encodeFunctionData({ ...coin, functionName: 'balanceOf', args: [FRIEND] }),
  };

  await t.check('eth_getBalance and eth_call give what was true at each height', async () => {
    for (const [i, height] of heights.entries()) {
      assert.equal(BigInt(await rpc.eth_getBalance(FRIEND, toHex(height))), sums[i]);
      assert.equal(BigInt(await rpc.eth_call(balanceOf, toHex(height))), sums[i]);
    }
  });

  await t.check("eth_getCode and eth_getTransactionCount before and after a contract's birth", async () => {
    assert.equal(await rpc.eth_getCode(coin.address, toHex(born - 1n)), '0x');
    assert.notEqual(await rpc.eth_getCode(coin.address, toHex(born)), '0x');
    const nonce = async (height) => BigInt(await rpc.eth_getTransactionCount(me.address, toHex(height)));
    assert.equal((await nonce(born)) - (await nonce(born - 1n)), 1n);
  });

  await t.check('eth_getStorageAt at each height, with short and full keys', async () => {
    for (const key of ['0x2', toHex(2, { size: 32 })]) {
      assert.equal(BigInt(await rpc.eth_getStorageAt(coin.address, key, toHex(born))), 1_000n);
      assert.equal(BigInt(await rpc.eth_getStorageAt(coin.address, key, toHex(born - 1n))), 0n);
    }
  });

  await t.check('blocks may be named by hash (EIP-1898), canonical or not asked', async () => {
    const { hash } = await rpc.eth_getBlockByNumber(toHex(heights[0]), false);
    assert.equal(BigInt(await rpc.eth_getBalance(FRIEND, { blockHash: hash })), sums[0]);
    assert.equal(BigInt(await rpc.eth_call(balanceOf, { blockHash: hash, requireCanonical: true })), sums[0]);
    assert.equal(BigInt(await rpc.eth_getBalance(FRIEND, { blockNumber: toHex(heights[1]) })), sums[1]);
    await assert.rejects(rpc.eth_getBalance(FRIEND, { blockHash: `0x${'11'.repeat(32)}` }), { code: -32000 });
  });

  await t.check("a call at a height sees that height's number, time and base fee", async () => {
    const block = await rpc.eth_getBlockByNumber(toHex(heights[0]), false);
    const target = '0x00000000000000000000000000000000000000ac';
    for (const [opcode, field] of [
      ['43', 'number'],
      ['42', 'timestamp'],
      ['45', 'gasLimit'],
    ]) {
      const overrides = { [target]: { code: `0x${opcode}60005260206000f3` } };
      assert.equal(BigInt(await rpc.eth_call({ to: target }, block.number, overrides)), BigInt(block[field]), field);
    }
  });

  await t.check('a height that is not there yet is an error, not an empty answer', async () => {
    await assert.rejects(rpc.eth_getBalance(FRIEND, '0xffffff'), { code: -32000 });
    await assert.rejects(rpc.eth_call(balanceOf, '0xffffff'), { code: -32000 });
    assert.equal(await rpc.eth_getBlockByNumber('0xffffff', false), null);
  });

  await t.check('eth_getLogs by range, by block hash, by topic and by alternatives', async () => {
    const [first, last] = [toHex(born), toHex(heights.at(-1))];
    const all = await rpc.eth_getLogs({ address: coin.address, fromBlock: first, toBlock: last });
    assert.equal(all.length, 4);
    const [transfer, , to] = all.at(-1).topics;
    const toFriend = await rpc.eth_getLogs({
      address: [coin.address, FRIEND],
      fromBlock: first,
      topics: [[transfer, `0x${'22'.repeat(32)}`], null, to],
    });
    assert.equal(toFriend.length, 3);
    const { hash } = await rpc.eth_getBlockByNumber(toHex(heights[1]), false);
    const inBlock = await rpc.eth_getLogs({ blockHash: hash, address: coin.address });
    assert.deepEqual(
      inBlock.map(({ blockHash }) => blockHash),
      [hash],
    );
    assert.equal(inBlock[0].blockTimestamp, (await rpc.eth_getBlockByHash(hash, false)).timestamp);
  });

  await t.check("each log's index is its place in the block", async () => {
    for (const height of heights) {
      const logs = await rpc.eth_getLogs({ fromBlock: toHex(height), toBlock: toHex(height) });
      assert.deepEqual(
        logs.map(({ logIndex }) => Number(logIndex)),
        logs.map((_, i) => i),
      );
    }
  });
}
