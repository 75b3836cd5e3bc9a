// `forge create`: what a newcomer types first.
import assert from 'node:assert/strict';
import { forge, cast } from '../runner/tools.mjs';

export const title = 'forge create';
export const accounts = 1;

export async function run(t) {
  const { http: url, rpc } = t.chain;
  const [{ address, privateKey }] = t.accounts;
  const create = (how, contract, flags, ...args) =>
    how(
      'create',
      contract,
      '--rpc-url',
      url,
      '--private-key',
      privateKey,
      '--broadcast',
      '--json',
      ...flags,
      '--constructor-args',
      ...args,
    );

  const hello = await t.need('deploys a contract with a constructor argument', async () => {
    const made = JSON.parse(await create(forge, 'contracts/hello/Hello.sol:Hello', [], 'good morning'));
    assert.equal(made.deployer.toLowerCase(), address.toLowerCase());
    return made;
  });

  await t.check('the receipt names the contract, and its code is there', async () => {
    const receipt = await rpc.eth_getTransactionReceipt(hello.transactionHash);
    assert.equal(receipt.status, '0x1');
    assert.equal(receipt.to, null);
    assert.equal(receipt.contractAddress.toLowerCase(), hello.deployedTo.toLowerCase());
    assert.ok((await rpc.eth_getCode(hello.deployedTo, 'latest')).length > 100);
  });

  await t.check('the constructor ran: its storage, its immutable and its event', async () => {
    assert.equal(await cast('call', hello.deployedTo, 'greeting()(string)', '--rpc-url', url), '"good morning"');
    const author = await cast('call', hello.deployedTo, 'author()(address)', '--rpc-url', url);
    assert.equal(author.toLowerCase(), address.toLowerCase());
    assert.equal((await rpc.eth_getTransactionReceipt(hello.transactionHash)).logs.length, 1);
  });

  await t.check('deploys a legacy transaction', async () => {
    const made = JSON.parse(
      await create(forge, 'contracts/tokens/Coin.sol:Coin', ['--legacy'], 'Coin', 'COIN', '1000'),
    );
    assert.equal((await rpc.eth_getTransactionByHash(made.transactionHash)).type, '0x0');
  });

  await t.check('a constructor that reverts is refused, with its reason, before anything is sent', async () => {
    const nonce = await rpc.eth_getTransactionCount(address, 'latest');
    const result = await create(forge.attempt, 'contracts/hello/Hello.sol:Hello', [], '');
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /execution reverted/);
    assert.equal(await rpc.eth_getTransactionCount(address, 'latest'), nonce);
  });
}
