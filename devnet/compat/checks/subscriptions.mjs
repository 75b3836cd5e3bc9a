// eth_subscribe and filters: heads, logs and pending transactions, in order and complete.
import assert from 'node:assert/strict';
import { toEventSelector } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { headerHash } from '../ethereum/header.mjs';
import { openSocket } from '../runner/socket.mjs';

export const title = 'eth_subscribe';
export const accounts = 1;

const FRIEND = '0x00000000000000000000000000000000000000fc';

export async function run(t) {
  const { chain } = t;
  const { rpc } = chain;
  const me = actor(chain, t.accounts[0]);
  const coin = await t.need('a coin is there', () => me.deploy('Coin', ['Sub', 'SUB', 1_000n]));
  const { subscribe, call, close } = await t.need('a WebSocket opens', () => openSocket(chain.ws));
  const transfer = (value) => me.write(coin, 'transfer', [FRIEND, value]);

  await t.check('newHeads: full headers, each on the one before, none left out', async () => {
    const heads = await subscribe('newHeads');
    const { blockNumber } = await transfer(1n);
    await heads.next(({ number }) => BigInt(number) > blockNumber);
    await heads.stop();
    for (const [i, head] of heads.reports.entries()) {
      assert.equal(headerHash(head), head.hash);
      if (i) assert.equal(head.parentHash, heads.reports[i - 1].hash);
    }
  });

  await t.check('logs: by address and topic, as eth_getLogs gives them', async () => {
    const topics = [toEventSelector('Transfer(address,address,uint256)')];
    const logs = await subscribe('logs', { address: coin.address, topics });
    const { transactionHash, blockHash } = await transfer(2n);
    const log = await logs.next((one) => one.transactionHash === transactionHash);
    assert.deepEqual(log, (await rpc.eth_getLogs({ address: coin.address, blockHash }))[0]);
    await logs.stop();
  });

  await t.check('newPendingTransactions: hashes, or whole transactions when asked', async () => {
    const hashes = await subscribe('newPendingTransactions');
    const whole = await subscribe('newPendingTransactions', true);
    const { transactionHash } = await transfer(3n);
    await hashes.next((hash) => hash === transactionHash);
    const { from, blockHash } = await whole.next(({ hash }) => hash === transactionHash);
    assert.deepEqual([from.toLowerCase(), blockHash], [me.address.toLowerCase(), null]);
    assert.equal(await hashes.stop(), true);
    await whole.stop();
  });

  await t.check('after eth_unsubscribe nothing more comes; a second time it is false or an error', async () => {
    const heads = await subscribe('newHeads');
    await heads.stop();
    const count = heads.reports.length;
    await transfer(4n);
    assert.equal(await call('eth_chainId'), await rpc.eth_chainId());
    assert.equal(heads.reports.length, count);
    assert.notEqual(await call('eth_unsubscribe', heads.id).catch(() => false), true);
  });

  await t.check('an unknown subscription and one over HTTP are refused', async () => {
    await assert.rejects(call('eth_subscribe', 'newNothing'), { name: 'RpcError' });
    await assert.rejects(rpc.eth_subscribe('newHeads'), { name: 'RpcError' });
  });

  await t.check('filters: blocks, pending transactions and logs by polling', async () => {
    const filter = { address: coin.address };
    const [blocks, pending, logs] = [
      await rpc.eth_newBlockFilter(),
      await rpc.eth_newPendingTransactionFilter(),
      await rpc.eth_newFilter(filter),
    ];
    const { transactionHash, blockHash } = await transfer(5n);
    assert.ok((await rpc.eth_getFilterChanges(blocks)).includes(blockHash));
    assert.ok((await rpc.eth_getFilterChanges(pending)).includes(transactionHash));
    assert.deepEqual(
      (await rpc.eth_getFilterChanges(logs)).map((log) => log.transactionHash),
      [transactionHash],
    );
    assert.deepEqual(await rpc.eth_getFilterChanges(logs), []);
    for (const id of [blocks, pending, logs]) assert.equal(await rpc.eth_uninstallFilter(id), true);
  });

  await t.check('eth_getFilterLogs gives everything that suits, each time', async () => {
    const id = await rpc.eth_newFilter({ address: coin.address, fromBlock: '0x0' });
    const all = await rpc.eth_getLogs({ address: coin.address, fromBlock: '0x0' });
    for (let i = 0; i < 2; i += 1) assert.deepEqual(await rpc.eth_getFilterLogs(id), all);
    assert.equal(await rpc.eth_uninstallFilter(id), true);
  });

  close();
}
