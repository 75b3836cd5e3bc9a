// `forge script --broadcast`: a whole exchange deployed and used, simulated locally and then sent.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { actor } from '../ethereum/clients.mjs';
import { artifact } from '../ethereum/artifacts.mjs';
import { forge } from '../runner/tools.mjs';

export const title = 'forge script';
export const accounts = 1;

export async function run(t) {
  const { chain } = t;
  const [account] = t.accounts;
  const me = actor(chain, account);
  const folder = await t.folder();

  const broadcast = await t.need(
    '--broadcast deploys an exchange, supplies two markets and trades across both',
    async () => {
      const options = { env: { FOUNDRY_BROADCAST: folder } };
      await forge.with(
        options,
        'script',
        'contracts/script/DeployExchange.s.sol',
        '--rpc-url',
        chain.http,
        '--private-key',
        account.privateKey,
        '--broadcast',
      );
      const file = join(folder, 'DeployExchange.s.sol', String(chain.chainId), 'run-latest.json');
      return JSON.parse(await readFile(file, 'utf8'));
    },
  );

  await t.check('every transaction that it sent has a receipt of success', async () => {
    assert.equal(broadcast.transactions.length, 10);
    for (const { hash } of broadcast.transactions) {
      assert.equal((await chain.rpc.eth_getTransactionReceipt(hash)).status, '0x1');
    }
  });

  await t.check('none used more gas than the local simulation asked for', async () => {
    const asked = new Map(
      broadcast.transactions.map(({ transaction }) => [BigInt(transaction.nonce), BigInt(transaction.gas)]),
    );
    for (const { hash } of broadcast.transactions) {
      const { nonce } = await chain.rpc.eth_getTransactionByHash(hash);
      const { gasUsed } = await chain.rpc.eth_getTransactionReceipt(hash);
      assert.ok(BigInt(gasUsed) <= asked.get(BigInt(nonce)), `nonce ${nonce} used ${gasUsed}`);
    }
  });

  await t.check('the contracts are where the script said, and work together', async () => {
    const at = (name) => ({
      address: broadcast.transactions.find((one) => one.contractName === name).contractAddress,
      abi: artifact(name).abi,
    });
    const trader = at('Trader');
    const registry = await me.read(trader, 'registry');
    assert.equal(registry.toLowerCase(), at('MarketRegistry').address.toLowerCase());
    assert.equal(await me.read(at('MarketRegistry'), 'count'), 2n);
  });

  await t.check('--resume finds nothing left to do', async () => {
    const nonce = await chain.rpc.eth_getTransactionCount(me.address, 'latest');
    const options = { env: { FOUNDRY_BROADCAST: folder } };
    await forge.with(
      options,
      'script',
      'contracts/script/DeployExchange.s.sol',
      '--rpc-url',
      chain.http,
      '--private-key',
      account.privateKey,
      '--broadcast',
      '--resume',
    );
    assert.equal(await chain.rpc.eth_getTransactionCount(me.address, 'latest'), nonce);
  });
}
