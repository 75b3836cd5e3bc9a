// SIGKILL while transactions pour in: every receipt that was given out, every transaction that was acknowledged, is kept.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { parseGwei, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

export const title = 'SIGKILL';
export const accounts = 0;

const FRIEND = '0x00000000000000000000000000000000000f00d0';
const ROUNDS = 5;
const SENDERS = 4;
const FEES = { maxFeePerGas: parseGwei('20'), maxPriorityFeePerGas: 1n };

/** A raw transfer of one wei. */
const transfer = (signer, chainId, nonce) =>
  signer.signTransaction({ type: 'eip1559', chainId, nonce, to: FRIEND, value: 1n, gas: 21_000n, ...FEES });

/** Sends one transfer after the other, each once the one before has its receipt, until the chain is gone. */
async function pour({ rpc, chainId }, signer, gotReceipt) {
  let nonce = Number(await rpc.eth_getTransactionCount(signer.address, 'pending'));
  try {
    for (;;) gotReceipt(await rpc.eth_sendRawTransactionSync(await transfer(signer, chainId, nonce++)));
  } catch (error) {
    // `fetch` fails with a TypeError when the chain has been killed; an answer that is an error is a failure.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Kills the chain once `count` more receipts have come, with other senders somewhere on their way. */
async function killAfter(chain, count, receipts) {
  const signers = chain.accounts.slice(0, SENDERS).map(({ privateKey }) => privateKeyToAccount(privateKey));
  let left = count;
  const gotReceipt = (receipt) => {
    receipts.push(receipt);
    left -= 1;
    if (left === 0) chain.kill();
  };
  await Promise.all(signers.map((signer) => pour(chain, signer, gotReceipt)));
  assert.equal((await chain.ended).signal, 'SIGKILL', chain.log());
}

/** The chain's blocks from genesis to head, each checked to stand on the one before. */
async function allBlocks({ rpc }) {
  const head = Number(await rpc.eth_blockNumber());
  const blocks = [];
  for (let from = 0; from <= head; from += 500) {
    const heights = Array.from({ length: Math.min(500, head + 1 - from) }, (_, i) => toHex(from + i));
    const answers = await rpc.batch(heights.map((height) => ['eth_getBlockByNumber', [height, true]]));
    blocks.push(...answers.map(({ result }) => result));
  }
  for (const [i, block] of blocks.entries()) if (i) assert.equal(block.parentHash, blocks[i - 1].hash);
  return blocks;
}

export async function run(t) {
  const dir = join(await t.folder(), 'chain');
  const start = (...args) => t.ownChain('--data-dir', dir, ...args);
  const receipts = [];
  let chain = await t.need('a chain with a data directory starts', () => start('--automine'));

  for (let round = 1; round <= ROUNDS; round += 1) {
    const count = 1 + Math.floor(Math.random() * 40);
    chain = await t.need(`round ${round}: killed after ${count} more receipts, it starts again`, async () => {
      await killAfter(chain, count, receipts);
      return start('--automine');
    });
    await t.check(
      `round ${round}: all ${receipts.length} receipts are there, and the state is what the blocks say`,
      async () => {
        for (const { transactionHash, blockHash } of receipts) {
          const found = await chain.rpc.eth_getTransactionReceipt(transactionHash);
          assert.equal(found?.blockHash, blockHash, `receipt of ${transactionHash}`);
        }
        const blocks = await allBlocks(chain);
        const sent = blocks.flatMap(({ transactions }) => transactions).length;
        assert.ok(sent >= receipts.length);
        assert.equal(BigInt(await chain.rpc.eth_getBalance(FRIEND, blocks.at(-1).number)), BigInt(sent));
      },
    );
  }
  await chain.stop();

  await t.check(
    'transactions that were acknowledged but in no block yet are in the pool again, queued ones too',
    async () => {
      const slow = await start('--block-time', '1m');
      const signer = privateKeyToAccount(slow.accounts.at(-1).privateKey);
      const hashes = [];
      for (const nonce of [0, 1, 3])
        hashes.push(await slow.rpc.eth_sendRawTransaction(await transfer(signer, slow.chainId, nonce)));
      await slow.kill();
      const again = await start('--block-time', '1m');
      for (const hash of hashes) assert.equal((await again.rpc.eth_getTransactionByHash(hash))?.hash, hash);
      await again.rpc.evm_mine();
      const found = await Promise.all(hashes.map((hash) => again.rpc.eth_getTransactionReceipt(hash)));
      assert.deepEqual(
        found.map((receipt) => receipt?.status),
        ['0x1', '0x1', undefined],
      );
    },
  );
}
