// `--data-dir`: a restart goes on at the same hash; a folder and a port have one owner; a foreign folder is left alone.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { refusedChain } from '../runner/chain.mjs';

export const title = 'data directory';
export const accounts = 0;

const FRIEND = '0x00000000000000000000000000000000000000ff';
const PORT_TAKEN = 3;
const IN_USE = 4;
const NOT_OURS = 5;

export async function run(t) {
  const folder = await t.folder();
  const dir = join(folder, 'chain');
  const start = (...args) => t.ownChain('--data-dir', dir, ...args);
  const first = await t.need('starts in a folder that does not exist yet', () => start('--automine'));

  const known = await t.need('transactions are acknowledged with receipts', async () => {
    const me = actor(first, first.accounts[0]);
    const coin = await me.deploy('Coin', ['Kept', 'KEPT', 1_000n]);
    const receipts = [coin.receipt];
    for (let i = 0; i < 5; i += 1) receipts.push(await me.write(coin, 'transfer', [FRIEND, 10n]));
    return { coin, receipts };
  });

  await t.check('a second process on the folder is refused with exit code 4 and says why', async () => {
    const { code, said } = await refusedChain(t.binary, ['--port', '0', '--data-dir', dir]);
    assert.equal(code, IN_USE, said);
    assert.match(said, /in use|another process|locked/i);
    assert.ok(said.includes(dir), said);
  });

  await t.check('a second process on the port is refused with exit code 3 and names it', async () => {
    const { port } = new URL(first.http);
    const { code, said } = await refusedChain(t.binary, ['--port', port]);
    assert.equal(code, PORT_TAKEN, said);
    assert.ok(said.includes(port), said);
  });

  const chain = await t.need('stops on SIGTERM with exit code 0 and starts again at the same hash', async () => {
    const head = await first.rpc.eth_getBlockByNumber('latest', false);
    const end = await first.stop();
    assert.deepEqual([end.code, end.signal], [0, null], first.log());
    const again = await start('--automine');
    assert.equal((await again.rpc.eth_getBlockByNumber(head.number, false)).hash, head.hash);
    assert.ok(BigInt(await again.rpc.eth_blockNumber()) >= BigInt(head.number));
    return again;
  });

  await t.check('receipts, state, logs and history are as they were', async () => {
    const { coin, receipts } = known;
    for (const { transactionHash, blockHash } of receipts) {
      assert.equal((await chain.rpc.eth_getTransactionReceipt(transactionHash))?.blockHash, blockHash);
    }
    assert.equal(await actor(chain, chain.accounts[0]).read(coin, 'balanceOf', [FRIEND]), 50n);
    assert.equal((await chain.rpc.eth_getLogs({ address: coin.address, fromBlock: '0x0' })).length, receipts.length);
    assert.equal(await chain.rpc.eth_getCode(coin.address, toHex(receipts[0].blockNumber - 1n)), '0x');
  });

  await chain.stop();

  await t.check('another genesis on the folder is refused with exit code 5 and says what to do', async () => {
    const { code, said } = await refusedChain(t.binary, ['--port', '0', '--data-dir', dir, '--accounts', '3']);
    assert.equal(code, NOT_OURS, said);
    assert.match(said, /genesis/);
    assert.match(said, /the accounts or the validators differ/);
  });

  await t.check('other parameters on the folder are refused by name, before anything is written', async () => {
    const file = join(folder, 'elastic.json');
    await writeFile(file, JSON.stringify({ config: { chlom: { params: { gas: { elasticity: 4 } } } }, alloc: {} }));
    for (const [args, said] of [
      [['--gas-limit', '100000000'], /gas\.block_gas_limit is 200000000 there and 100000000 here/],
      [['--genesis', file], /gas\.elasticity is 2 there and 4 here/],
    ]) {
      const refused = await refusedChain(t.binary, ['--port', '0', '--data-dir', dir, ...args]);
      assert.equal(refused.code, NOT_OURS, refused.said);
      assert.match(refused.said, said);
      assert.match(refused.said, /genesis 0x[0-9a-f]{64}, these arguments give 0x[0-9a-f]{64}/);
    }
  });

  await t.check('a folder with something else in it is refused and left alone', async () => {
    const foreign = join(folder, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'thesis.txt'), 'not a chain');
    const { code, said } = await refusedChain(t.binary, ['--port', '0', '--data-dir', foreign]);
    assert.equal(code, NOT_OURS, said);
    assert.deepEqual(await readdir(foreign), ['thesis.txt']);
  });
}
