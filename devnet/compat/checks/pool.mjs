// The transaction pool, on a chain that makes no block by itself: pending and queued, replacement, order, txpool_*.
import assert from 'node:assert/strict';
import { keccak256, parseEther, parseGwei } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { actor } from '../ethereum/clients.mjs';

export const title = 'pool';
export const accounts = 0;

const FRIEND = '0x00000000000000000000000000000000000000fe';
const low = (address) => address.toLowerCase();

export async function run(t) {
  const chain = await t.need('a chain that makes a block when asked', () => t.ownChain('--block-time', '1m'));
  const { rpc } = chain;
  const [alice, bob] = chain.accounts.map(({ privateKey }) => privateKeyToAccount(privateKey));
  const send = async (who, nonce, tip, fields = {}) => {
    const fees = { maxFeePerGas: parseGwei('20'), maxPriorityFeePerGas: parseGwei(String(tip)) };
    const bytes = await who.signTransaction({
      type: 'eip1559',
      chainId: chain.chainId,
      to: FRIEND,
      value: 1n,
      gas: 21_000n,
      nonce,
      ...fees,
      ...fields,
    });
    return rpc.eth_sendRawTransaction(bytes);
  };
  const mined = async () => {
    await rpc.evm_mine();
    return rpc.eth_getBlockByNumber('latest', false);
  };
  const contentOf = async ({ address }, kind) => Object.keys((await rpc.txpool_contentFrom(address))[kind] ?? {});

  await t.check('a transaction waits as pending: by hash, in the pending block, in the pending nonce', async () => {
    const hash = await send(alice, 0, 1);
    const found = await rpc.eth_getTransactionByHash(hash);
    assert.deepEqual([found.blockHash, found.blockNumber, found.transactionIndex], [null, null, null]);
    assert.equal(await rpc.eth_getTransactionReceipt(hash), null);
    assert.equal(await rpc.eth_getTransactionCount(alice.address, 'latest'), '0x0');
    assert.equal(await rpc.eth_getTransactionCount(alice.address, 'pending'), '0x1');
    assert.ok((await rpc.eth_getBlockByNumber('pending', false)).transactions.includes(hash));
  });

  await t.check('nonces with a gap are queued until it is filled', async () => {
    await send(alice, 2, 1);
    assert.deepEqual([await contentOf(alice, 'pending'), await contentOf(alice, 'queued')], [['0'], ['2']]);
    assert.deepEqual(await rpc.txpool_status(), { pending: '0x1', queued: '0x1' });
    await send(alice, 1, 1);
    assert.deepEqual(await contentOf(alice, 'pending'), ['0', '1', '2']);
    assert.equal(await rpc.eth_getTransactionCount(alice.address, 'pending'), '0x3');
  });

  await t.check('txpool_content and txpool_inspect show who waits with what', async () => {
    const { pending } = await rpc.txpool_content();
    const mine = Object.entries(pending).find(([address]) => low(address) === low(alice.address))[1];
    assert.deepEqual(Object.keys(mine), ['0', '1', '2']);
    const inspected = await rpc.txpool_inspect();
    assert.match(Object.values(inspected.pending)[0]['0'], /1 wei \+ 21000 gas/);
  });

  await t.check('a replacement needs a tenth more; then the first is gone', async () => {
    const first = await send(bob, 0, 1);
    await assert.rejects(send(bob, 0, 1.05, { maxFeePerGas: parseGwei('21') }), /replacement transaction underpriced/);
    const second = await send(bob, 0, 5, { maxFeePerGas: parseGwei('22') });
    assert.equal(await rpc.eth_getTransactionByHash(first), null);
    assert.equal((await rpc.eth_getTransactionByHash(second)).blockHash, null);
  });

  await t.check("a block takes the higher tip first and each sender's by nonce", async () => {
    const { transactions } = await mined();
    const senders = await Promise.all(
      transactions.map(async (hash) => low((await rpc.eth_getTransactionByHash(hash)).from)),
    );
    assert.deepEqual(
      senders,
      [bob, alice, alice, alice].map(({ address }) => low(address)),
    );
    assert.deepEqual(await rpc.txpool_status(), { pending: '0x0', queued: '0x0' });
  });

  await t.check('a transaction below the base fee waits until it can pay', async () => {
    const hash = await send(bob, 1, 0, { maxFeePerGas: 20_000_000n, maxPriorityFeePerGas: 0n });
    assert.deepEqual((await mined()).transactions, []);
    assert.notEqual(await rpc.eth_getTransactionByHash(hash), null);
    await send(bob, 1, 1);
    assert.equal((await mined()).transactions.length, 1);
  });

  await t.check('a fee cap that no block can accept is refused', async () => {
    const tooLow = { maxFeePerGas: 9_999_999n, maxPriorityFeePerGas: 0n };
    await assert.rejects(send(alice, 50, 0, tooLow), /gas fee cap 9999999, minimum needed 10000000/);
  });

  await t.check('what an account cannot pay for together never waits for a block together', async () => {
    const nonce = Number(await rpc.eth_getTransactionCount(bob.address, 'latest'));
    const value = parseEther('6000');
    // Each by itself is less than bob has.
    await send(bob, nonce + 1, 1, { value });
    await send(bob, nonce, 1, { value });
    assert.deepEqual(await rpc.txpool_status(), { pending: '0x1', queued: '0x1' });
    assert.equal((await mined()).transactions.length, 1);
    assert.deepEqual(await rpc.txpool_status(), { pending: '0x0', queued: '0x0' });
  });

  await t.check('many of one account at once: all accepted, all in one block, in order', async () => {
    const from = Number(await rpc.eth_getTransactionCount(alice.address, 'latest'));
    const nonces = Array.from({ length: 40 }, (_, i) => from + i);
    const hashes = await Promise.all(nonces.toReversed().map((nonce) => send(alice, nonce, 1)));
    assert.deepEqual((await mined()).transactions, hashes.toReversed());
  });

  await t.check(
    'eth_sendRawTransactionSync answers with the receipt, or with code 4 and the hash when time runs out',
    async () => {
      const nonce = Number(await rpc.eth_getTransactionCount(alice.address, 'latest'));
      const fees = { maxFeePerGas: parseGwei('20'), maxPriorityFeePerGas: 1n };
      const sign = (offset) =>
        alice.signTransaction({
          type: 'eip1559',
          chainId: chain.chainId,
          to: FRIEND,
          gas: 21_000n,
          nonce: nonce + offset,
          ...fees,
        });
      const first = await sign(0);
      await assert.rejects(rpc.eth_sendRawTransactionSync(first, '0x32'), { code: 4, data: keccak256(first) });
      const waiting = rpc.eth_sendRawTransactionSync(await sign(1));
      while ((await contentOf(alice, 'pending')).length < 2);
      await mined();
      const receipt = await waiting;
      assert.equal(receipt.status, '0x1');
      assert.deepEqual(await rpc.eth_getTransactionReceipt(receipt.transactionHash), receipt);
    },
  );

  await t.check('without --automine blocks come by themselves, empty or not', async () => {
    const quick = await t.ownChain('--block-time', '200ms');
    const me = actor(quick, quick.accounts[0]);
    const { blockNumber } = await me.send({ to: FRIEND, value: 1n });
    const heights = new Set();
    const stop = me.reader.watchBlockNumber({ onBlockNumber: (height) => heights.add(height), pollingInterval: 20 });
    await me.reader.waitForTransactionReceipt({
      hash: (await me.send({ to: FRIEND, value: 1n })).transactionHash,
      confirmations: 4,
    });
    stop();
    const later = await me.reader.getBlock();
    assert.ok(later.number >= blockNumber + 3n);
    assert.deepEqual(later.transactions, []);
  });
}
