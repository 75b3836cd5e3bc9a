// Blocks as bytes: every hash and root is computed again here, every field has the value that the specification states.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { concat, keccak256, sha256, toBeHex } from 'ethers';
import { toHex } from 'viem';
import { extraData } from '../ethereum/additions.mjs';
import { actor } from '../ethereum/clients.mjs';
import { bloomOf, headerBytes, headerFields, headerHash, receiptBytes } from '../ethereum/header.mjs';
import { listRoot } from '../ethereum/trie.mjs';

export const title = 'blocks';
export const accounts = 2;

const ZERO = `0x${'00'.repeat(32)}`;
const EMPTY_LIST = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';
const EMPTY_TRIE = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
const GWEI = 1_000_000_000n;

/** The additions of block 0 with the default parameters: the suite's chain changes none of them. */
const GENESIS = JSON.parse(
  await readFile(new URL('../../../spec/vectors/genesis-parameters.json', import.meta.url), 'utf8'),
);

/** The base fee that follows a block: EIP-1559 with CHLOM's elasticity 2, denominator 64 and floor 0.01 gwei. */
function nextBaseFee({ gasLimit, gasUsed, baseFeePerGas }) {
  const [limit, used, fee] = [gasLimit, gasUsed, baseFeePerGas].map(BigInt);
  const target = limit / 2n;
  const floor = GWEI / 100n;
  if (used === target) return fee;
  if (used > target) {
    const rise = (fee * (used - target)) / target / 64n;
    return fee + (rise || 1n);
  }
  const fallen = fee - (fee * (target - used)) / target / 64n;
  return fallen > floor ? fallen : floor;
}

export async function run(t) {
  const { rpc } = t.chain;
  const [me, other] = t.accounts.map((account) => actor(t.chain, account));

  const block = await t.need('a block with transactions and logs is there', async () => {
    const coin = await me.deploy('Coin', ['Block', 'BLOCK', 1_000n]);
    const { blockHash } = await me.write(coin, 'transfer', [other.address, 1n]);
    return rpc.eth_getBlockByHash(blockHash, true);
  });
  const parent = await rpc.eth_getBlockByHash(block.parentHash, false);
  const receipts = await rpc.eth_getBlockReceipts(block.number);
  const rawOf = (transactions) => Promise.all(transactions.map(({ hash }) => rpc.debug_getRawTransaction(hash)));

  await t.check("the hash is keccak of the header's RLP, and debug_getRawHeader is that RLP", async () => {
    assert.equal(headerHash(block), block.hash);
    assert.equal(await rpc.debug_getRawHeader(block.number), headerBytes(block));
  });

  await t.check('genesis hashes too, and every block names its parent', async () => {
    const genesis = await rpc.eth_getBlockByNumber('0x0', false);
    assert.equal(headerHash(genesis), genesis.hash);
    assert.equal(genesis.mixHash, ZERO);
    assert.equal(genesis.extraData, GENESIS.cases[0].extraData);
    assert.equal(BigInt(parent.number) + 1n, BigInt(block.number));
    assert.equal(headerHash(parent), block.parentHash);
  });

  await t.check("transactionsRoot and each transaction's hash follow from the raw transactions", async () => {
    const raw = await rawOf(block.transactions);
    assert.deepEqual(
      raw.map((bytes) => keccak256(bytes)),
      block.transactions.map(({ hash }) => hash),
    );
    assert.equal(listRoot(raw), block.transactionsRoot);
  });

  await t.check(
    'receiptsRoot, logsBloom and gasUsed follow from the receipts, and debug_getRawReceipts is their bytes',
    async () => {
      const bytes = receipts.map(receiptBytes);
      assert.equal(listRoot(bytes), block.receiptsRoot);
      assert.deepEqual(await rpc.debug_getRawReceipts(block.number), bytes);
      assert.equal(bloomOf(receipts.flatMap(({ logs }) => logs)), block.logsBloom);
      assert.equal(receipts.at(-1).cumulativeGasUsed, block.gasUsed);
      for (const { logs, logsBloom } of receipts) assert.equal(bloomOf(logs), logsBloom);
    },
  );

  await t.check('constant fields: ommers, difficulty, nonce, withdrawals, blobs, beacon root, requests', () => {
    assert.equal(block.sha3Uncles, EMPTY_LIST);
    assert.deepEqual(block.uncles, []);
    assert.equal(block.difficulty, '0x0');
    assert.equal(block.nonce, '0x0000000000000000');
    assert.equal(block.withdrawalsRoot, EMPTY_TRIE);
    assert.deepEqual(block.withdrawals, []);
    assert.equal(block.blobGasUsed, '0x0');
    assert.equal(block.excessBlobGas, '0x0');
    assert.equal(block.parentBeaconBlockRoot, ZERO);
    assert.equal(block.requestsHash, sha256('0x'));
  });

  await t.check("extraData is the hash of the additions: the validator's vote extension for the height below", () => {
    assert.equal(block.extraData, extraData(block.number));
  });

  await t.check("mixHash = keccak256(parent's mix ‖ height as 8 bytes), and PREVRANDAO shows it", async () => {
    assert.equal(block.mixHash, keccak256(concat([parent.mixHash, toBeHex(BigInt(block.number), 8)])));
    // PREVRANDAO, stored in memory and returned.
    const code = '0x4460005260206000f3';
    const target = '0x00000000000000000000000000000000000000aa';
    assert.equal(await rpc.eth_call({ to: target }, block.number, { [target]: { code } }), block.mixHash);
  });

  await t.check('timestamps rise from block to block and are never behind the clock', async () => {
    const now = BigInt(Math.floor(Date.now() / 1_000));
    const { blockNumber } = await me.send({ to: other.address, value: 1n });
    const heights = Array.from({ length: 10 }, (_, i) => blockNumber - BigInt(i)).filter((height) => height >= 0n);
    const times = await Promise.all(
      heights.map(async (height) => BigInt((await rpc.eth_getBlockByNumber(toHex(height), false)).timestamp)),
    );
    for (const [i, time] of times.entries()) if (i) assert.ok(time < times[i - 1], `height ${heights[i]}`);
    assert.ok(times[0] >= now);
  });

  await t.check('base fee: 1 gwei at first, then by the rule, and eth_feeHistory says the same', async () => {
    assert.equal(BigInt((await rpc.eth_getBlockByNumber('0x1', false)).baseFeePerGas), GWEI - (await firstFall(rpc)));
    assert.equal(BigInt(block.baseFeePerGas), nextBaseFee(parent));
    const history = await rpc.eth_feeHistory('0x2', block.number, [50]);
    assert.deepEqual(history.baseFeePerGas.map(BigInt), [
      BigInt(parent.baseFeePerGas),
      BigInt(block.baseFeePerGas),
      nextBaseFee(block),
    ]);
    assert.equal(history.gasUsedRatio[1], Number(BigInt(block.gasUsed)) / Number(BigInt(block.gasLimit)));
  });

  await t.check('gasLimit is the genesis parameter, 200,000,000', () =>
    assert.equal(BigInt(block.gasLimit), 200_000_000n),
  );

  await t.check("the base fee is burned and the tip is the proposer's", async () => {
    const receipt = await me.send({ to: other.address, value: 1n, maxPriorityFeePerGas: GWEI });
    const { miner, baseFeePerGas, number, transactions } = await me.reader.getBlock({
      blockNumber: receipt.blockNumber,
    });
    assert.equal(receipt.effectiveGasPrice, baseFeePerGas + GWEI);
    const all = await rpc.eth_getBlockReceipts(toHex(number));
    const tips = all.reduce(
      (sum, { gasUsed, effectiveGasPrice }) => sum + BigInt(gasUsed) * (BigInt(effectiveGasPrice) - baseFeePerGas),
      0n,
    );
    const balance = async (height) => BigInt(await rpc.eth_getBalance(miner, toHex(height)));
    assert.equal(transactions.length, all.length);
    assert.equal((await balance(number)) - (await balance(number - 1n)), tips);
  });

  await t.check('latest, safe and finalized are one block; earliest is genesis', async () => {
    const [latest, safe, finalized, earliest] = (
      await rpc.batch(['latest', 'safe', 'finalized', 'earliest'].map((tag) => ['eth_getBlockByNumber', [tag, false]]))
    ).map(({ result }) => result);
    const heights = [latest, safe, finalized].map(({ number }) => Number(number));
    assert.ok(Math.max(...heights) - Math.min(...heights) <= 1, 'a block may come between two answers, no more');
    assert.equal(earliest.number, '0x0');
  });

  await t.check('BLOCKHASH and the EIP-2935 contract give the hashes of the past', async () => {
    const height = BigInt(block.number) - 1n;
    const word = toBeHex(height, 32);
    assert.equal(
      await rpc.eth_call({ to: '0x0000F90827F1C53a10cb7A02335B175320002935', data: word }, block.number),
      parent.hash,
    );
    const target = '0x00000000000000000000000000000000000000ab';
    // CALLDATALOAD, BLOCKHASH, stored in memory and returned.
    const code = '0x6000354060005260206000f3';
    assert.equal(await rpc.eth_call({ to: target, data: word }, block.number, { [target]: { code } }), parent.hash);
  });

  await t.check('debug_getRawBlock holds the header and the transactions', async () => {
    const raw = await rpc.debug_getRawBlock(block.number);
    assert.ok(raw.includes(headerBytes(block).slice(2)));
    for (const bytes of await rawOf(block.transactions)) assert.ok(raw.includes(bytes.slice(2)));
    assert.equal(headerFields(headerBytes(block)).number, BigInt(block.number));
  });
}

/** What an empty first block takes off genesis's base fee; genesis itself used no gas. */
async function firstFall(rpc) {
  const genesis = await rpc.eth_getBlockByNumber('0x0', false);
  return BigInt(genesis.baseFeePerGas) - nextBaseFee(genesis);
}
