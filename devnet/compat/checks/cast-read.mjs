// `cast call`, `logs`, `proof`, `block`, `storage`, `estimate`, `access-list`: reading the chain from a shell.
import assert from 'node:assert/strict';
import { actor } from '../ethereum/clients.mjs';
import { cast } from '../runner/tools.mjs';

export const title = 'cast call, logs';
export const accounts = 1;

const TRANSFER = 'Transfer(address indexed from, address indexed to, uint256 value)';

export async function run(t) {
  const { chain } = t;
  const me = actor(chain, t.accounts[0]);
  const at = ['--rpc-url', chain.http];
  const balance = (...args) => cast('call', coin.address, 'balanceOf(address)(uint256)', me.address, ...at, ...args);

  const coin = await t.need('a coin is there to be read', () => me.deploy('Coin', ['Read', 'READ', 1_000n]));
  const born = coin.receipt.blockNumber;
  const friend = '0x00000000000000000000000000000000000000f1';
  const sent = await me.write(coin, 'transfer', [friend, 400n]);

  await t.check('chain-id, block-number, block, gas-price, base-fee, client', async () => {
    assert.equal(await cast('chain-id', ...at), '7272');
    assert.ok(BigInt(await cast('block-number', ...at)) >= sent.blockNumber);
    const block = JSON.parse(await cast('block', String(sent.blockNumber), '--json', '--full', ...at));
    assert.ok(block.transactions.some(({ hash }) => hash === sent.transactionHash));
    // Blocks come between the two answers, and each may lower the base fee by a 64th.
    assert.ok(2n * BigInt(await cast('gas-price', ...at)) > BigInt(await cast('base-fee', ...at)));
    assert.ok((await cast('client', ...at)).length > 3);
  });

  await t.check('call reads now, and at a block of the past', async () => {
    assert.equal(await balance(), '600');
    assert.equal(await balance('--block', String(born)), '1000');
  });

  await t.check('call takes overrides of balance, code and state', async () => {
    const slot = await cast('index', 'address', me.address, '0');
    assert.equal(await balance('--override-state-diff', `${coin.address}:${slot}:0x2a`), '42');
    // The code returns the word 7 to any call.
    assert.equal(await balance('--override-code', `${coin.address}:0x600760005260206000f3`), '7');
  });

  await t.check('call --trace shows the call tree on forked state', async () => {
    const shown = await balance('--trace');
    assert.match(shown, /balanceOf/);
    assert.match(shown, /gas used|Gas used/i);
  });

  await t.check('logs finds an event by signature, address, topic and range', async () => {
    const range = ['--from-block', String(born), '--to-block', 'latest', '--address', coin.address, '--json'];
    assert.equal(JSON.parse(await cast('logs', TRANSFER, ...range, ...at)).length, 2);
    const toFriend = JSON.parse(await cast('logs', TRANSFER, '', friend, ...range, ...at));
    assert.deepEqual(
      toFriend.map(({ transactionHash }) => transactionHash),
      [sent.transactionHash],
    );
    assert.equal(JSON.parse(await cast('logs', 'Nothing(uint256)', ...range, ...at)).length, 0);
  });

  await t.check('proof and storage-root agree, and storage reads the proven slot', async () => {
    const slot = await cast('index', 'address', me.address, '0');
    const proof = JSON.parse(await cast('proof', coin.address, slot, ...at));
    assert.equal(BigInt(proof.storageProof[0].value), 600n);
    assert.equal(BigInt(await cast('storage', coin.address, slot, ...at)), 600n);
    assert.equal(await cast('storage-root', coin.address, ...at), proof.storageHash);
    assert.equal(await cast('codehash', coin.address, ...at), proof.codeHash);
  });

  await t.check('estimate is enough, access-list names the slots', async () => {
    const transfer = [coin.address, 'transfer(address,uint256)', friend, '1', '--from', me.address, ...at];
    const gas = BigInt(await cast('estimate', ...transfer));
    const { gasUsed } = await me.write(coin, 'transfer', [friend, 1n], { gas });
    assert.ok(gasUsed <= gas && gas < gasUsed * 2n, `${gas} for ${gasUsed}`);
    const { accessList } = JSON.parse(await cast('access-list', ...transfer, '--json'));
    assert.equal(accessList[0].storageKeys.length, 2);
  });

  await t.check('rpc passes anything through, find-block searches by time', async () => {
    assert.equal(JSON.parse(await cast('rpc', 'eth_chainId', ...at)), '0x1c68');
    const { timestamp } = await me.reader.getBlock({ blockNumber: born });
    const found = BigInt(await cast('find-block', String(timestamp), ...at));
    assert.equal((await me.reader.getBlock({ blockNumber: found })).timestamp, timestamp);
  });
}
