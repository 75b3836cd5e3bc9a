// `forge script --broadcast`: a whole exchange deployed and used, simulated locally and then sent.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { actor } from '../ethereum/clients.mjs';
import { artifact } from '../ethereum/artifacts.mjs';
import { forge } from '../runner/tools.mjs';

export const title = 'forge script';
export const accounts = 1;

/** The CREATE2 factory of Foundry and Hardhat: a signature that nobody chose, so that it is the same on every chain. */
const FACTORY = {
  address: '0x4e59b44847b379578588920ca78fbf26c0b4956c',
  signer: '0x3fab184622dc19b6109349b94811493bf2a45362',
  cost: 10n ** 16n,
  transaction:
    '0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff' +
    'e03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222',
};

export async function run(t) {
  const { chain } = t;
  const [account] = t.accounts;
  const me = actor(chain, account);
  const folder = await t.folder();
  const sending = ['--rpc-url', chain.http, '--private-key', account.privateKey, '--broadcast'];
  const script = (file, ...flags) =>
    forge.with({ env: { FOUNDRY_BROADCAST: folder } }, 'script', file, ...sending, ...flags);

  const broadcast = await t.need(
    '--broadcast deploys an exchange, supplies two markets and trades across both',
    async () => {
      await script('contracts/script/DeployExchange.s.sol');
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
    await script('contracts/script/DeployExchange.s.sol', '--resume');
    assert.equal(await chain.rpc.eth_getTransactionCount(me.address, 'latest'), nonce);
  });

  await t.check(
    'a deployer signed for no chain in particular puts the CREATE2 factory where forge expects it',
    async () => {
      if ((await chain.rpc.eth_getCode(FACTORY.address, 'latest')) === '0x') {
        await me.send({ to: FACTORY.signer, value: FACTORY.cost });
        await me.settled(await chain.rpc.eth_sendRawTransaction(FACTORY.transaction));
      }
      assert.notEqual(await chain.rpc.eth_getCode(FACTORY.address, 'latest'), '0x');
    },
  );

  await t.check('a script with a salt deploys through it', async () => {
    await script('contracts/script/DeployAtSalt.s.sol');
    const file = join(folder, 'DeployAtSalt.s.sol', String(chain.chainId), 'run-latest.json');
    const { transactions } = JSON.parse(await readFile(file, 'utf8'));
    assert.equal(transactions[0].transactionType, 'CREATE2');
    assert.notEqual(await chain.rpc.eth_getCode(transactions[0].contractAddress, 'latest'), '0x');
  });
}
