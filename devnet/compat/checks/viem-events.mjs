// viem over a WebSocket: watching blocks, events and pending transactions as they come.
import assert from 'node:assert/strict';
import { actor, publicClient } from '../ethereum/clients.mjs';

export const title = 'viem WebSocket';
export const accounts = 1;

const FRIEND = '0x00000000000000000000000000000000000000f3';

/** Collects what a watcher reports, and resolves `first(suits)` when a report suits. */
function watcher() {
  const seen = [];
  const waiting = [];
  const push = (one) => {
    seen.push(one);
    for (const { suits, resolve } of waiting) if (suits(one)) resolve(one);
  };
  const first = (suits) =>
    new Promise((resolve, reject) => {
      const had = seen.find(suits);
      if (had) resolve(had);
      else waiting.push({ suits, resolve, reject });
    });
  return { push, first, seen };
}

export async function run(t) {
  const { chain } = t;
  const me = actor(chain, t.accounts[0]);
  const socket = await t.need('connects', async () => {
    const client = publicClient(chain, { socket: true });
    assert.equal(await client.getChainId(), chain.chainId);
    return client;
  });
  const coin = await t.need('a coin is there to be watched', () => me.deploy('Coin', ['Watch', 'WATCH', 1_000n]));
  // A subscription is there once a later request on its socket has been answered.
  const subscribed = () => socket.getBlockNumber();
  const failed = (error) =>
    t.check('no watcher reports an error', () => {
      throw error;
    });

  await t.check('watchContractEvent reports a transfer with its arguments, its block and its place', async () => {
    const { push, first } = watcher();
    const stop = socket.watchContractEvent({
      ...coin,
      eventName: 'Transfer',
      onLogs: (logs) => logs.forEach(push),
      onError: failed,
    });
    await subscribed();
    const { blockHash, transactionHash } = await me.write(coin, 'transfer', [FRIEND, 11n]);
    const log = await first((one) => one.transactionHash === transactionHash);
    stop();
    assert.equal(log.args.value, 11n);
    assert.equal(log.blockHash, blockHash);
    assert.equal(log.removed, false);
  });

  await t.check('watchEvent filters by an indexed argument', async () => {
    const { push, first, seen } = watcher();
    const event = coin.abi.find(({ type, name }) => type === 'event' && name === 'Transfer');
    const stop = socket.watchEvent({
      address: coin.address,
      event,
      args: { to: FRIEND },
      onLogs: (logs) => logs.forEach(push),
      onError: failed,
    });
    await subscribed();
    await me.write(coin, 'transfer', [me.address, 1n]);
    const { transactionHash } = await me.write(coin, 'transfer', [FRIEND, 2n]);
    await first((one) => one.transactionHash === transactionHash);
    stop();
    assert.equal(seen.length, 1);
  });

  await t.check('watchBlocks reports every height, once', async () => {
    const { push, first, seen } = watcher();
    const stop = socket.watchBlocks({ onBlock: push, emitMissed: true, onError: failed });
    await subscribed();
    const { blockNumber } = await me.send({ to: FRIEND, value: 1n });
    const { blockNumber: last } = await me.send({ to: FRIEND, value: 1n });
    const wanted = [blockNumber, last];
    await Promise.all(wanted.map((height) => first(({ number }) => number === height)));
    stop();
    // viem fetches each block that it hears of, so that they may arrive out of order.
    const blocks = seen.sort((a, b) => Number(a.number - b.number));
    for (const [i, block] of blocks.entries()) if (i) assert.equal(block.number, blocks[i - 1].number + 1n);
  });

  await t.check('watchPendingTransactions reports a transaction by its hash', async () => {
    const { push, first } = watcher();
    const stop = socket.watchPendingTransactions({ onTransactions: (hashes) => hashes.forEach(push), onError: failed });
    await subscribed();
    const { transactionHash } = await me.send({ to: FRIEND, value: 1n });
    await first((hash) => hash === transactionHash);
    stop();
  });

  await t.check('waitForTransactionReceipt works over the socket too', async () => {
    const hash = await me.wallet.sendTransaction({ to: FRIEND, value: 1n });
    assert.equal((await socket.waitForTransactionReceipt({ hash })).status, 'success');
  });

  (await socket.transport.getRpcClient()).close();
}
