// `cast send` and the readers that go with it: value, calls, creation, legacy, access lists, delegation.
import assert from 'node:assert/strict';
import { actor } from '../ethereum/clients.mjs';
import { artifact } from '../ethereum/artifacts.mjs';
import { cast } from '../runner/tools.mjs';

export const title = 'cast send';
export const accounts = 2;

const EMPTY = '0x00000000000000000000000000000000000c0ffe';

export async function run(t) {
  const { chain } = t;
  const [{ address, privateKey }, other] = t.accounts;
  const me = actor(chain, t.accounts[0]);
  const at = ['--rpc-url', chain.http];
  const send = async (...args) => JSON.parse(await cast('send', ...at, '--private-key', privateKey, '--json', ...args));

  await t.check('moves value, and the receipt, the balance and the nonce agree', async () => {
    const before = BigInt(await cast('nonce', address, ...at));
    const receipt = await send(EMPTY, '--value', '1.5ether');
    assert.equal(receipt.status, '0x1');
    assert.equal(BigInt(receipt.gasUsed), 21_000n);
    assert.equal(await cast('balance', EMPTY, ...at), '1500000000000000000');
    assert.equal(BigInt(await cast('nonce', address, ...at)), before + 1n);
    assert.equal(
      JSON.parse(await cast('receipt', receipt.transactionHash, '--json', ...at)).blockHash,
      receipt.blockHash,
    );
    assert.equal(JSON.parse(await cast('tx', receipt.transactionHash, '--json', ...at)).to, EMPTY);
  });

  const coin = await t.need('--create deploys', async () => {
    const args = ['Cast', 'CAST', '1000000'];
    const receipt = await send('--create', artifact('Coin').bytecode, 'constructor(string,string,uint256)', ...args);
    assert.equal(
      await cast('code', receipt.contractAddress, ...at),
      await chain.rpc.eth_getCode(receipt.contractAddress, 'latest'),
    );
    return receipt.contractAddress;
  });

  await t.check('calls a contract by its signature', async () => {
    const receipt = await send(coin, 'transfer(address,uint256)(bool)', other.address, '250000');
    assert.equal(receipt.logs.length, 1);
    assert.equal(await cast('call', coin, 'balanceOf(address)(uint256)', other.address, ...at), '250000 [2.5e5]');
  });

  await t.check('sends a legacy transaction and one with an access list', async () => {
    assert.equal((await send(EMPTY, '--value', '1', '--legacy')).type, '0x0');
    const listed = await send(coin, 'transfer(address,uint256)(bool)', other.address, '1', '--access-list');
    const { accessList } = await chain.rpc.eth_getTransactionByHash(listed.transactionHash);
    assert.ok(
      accessList.some((entry) => entry.address === coin && entry.storageKeys.length === 2),
      JSON.stringify(accessList),
    );
  });

  await t.check('--auth makes an account run a contract (EIP-7702)', async () => {
    const hello = await me.deploy('Hello', ['delegated']);
    const receipt = await send(EMPTY, '--auth', hello.address);
    assert.equal(receipt.type, '0x4');
    assert.equal((await cast('code', address, ...at)).toLowerCase(), `0xef0100${hello.address.slice(2)}`.toLowerCase());
    assert.equal(
      await cast('call', address, 'author()(address)', ...at),
      await cast('call', hello.address, 'author()(address)', ...at),
    );
    await send(EMPTY, '--auth', '0x0000000000000000000000000000000000000000');
    assert.equal(await cast('code', address, ...at), '0x');
  });

  await t.check('refuses with the reason of the revert, and spends nothing', async () => {
    const nonce = await cast('nonce', address, ...at);
    const result = await cast.attempt(
      'send',
      coin,
      'transfer(address,uint256)',
      EMPTY,
      '99999999',
      ...at,
      '--private-key',
      privateKey,
    );
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /execution reverted/);
    assert.match(result.stderr, /ERC20InsufficientBalance|e450d38c/);
    assert.equal(await cast('nonce', address, ...at), nonce);
  });

  await t.check('publish takes a transaction that was signed elsewhere', async () => {
    const raw = await cast('mktx', ...at, '--private-key', other.privateKey, EMPTY, '--value', '7');
    const receipt = JSON.parse(await cast('publish', raw, ...at, '--json'));
    assert.equal(receipt.status, '0x1');
    assert.equal(receipt.from.toLowerCase(), other.address.toLowerCase());
  });
}
