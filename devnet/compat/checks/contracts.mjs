// The system contracts of genesis: there, owned by the timelock, changed by nobody else.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { actor, publicClient } from '../ethereum/clients.mjs';
import { chlomOf } from '../runner/chlom.mjs';
import { execute } from '../runner/processes.mjs';
import { CONTRACTS_FOUNDRY } from '../runner/tools.mjs';

export const title = 'system contracts';
export const accounts = 0;

/** ERC-1967's slot of the implementation. */
const SLOT = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
const CONTRACTS = fileURLToPath(new URL('../../../contracts', import.meta.url));

export async function run(t) {
  const built = await contractsForge('build', '--quiet');
  const chain = await t.ownChain('--automine');
  const [authority, stranger] = chain.accounts;
  const chlom = chlomOf(t.binary, chain);
  const reader = publicClient(chain);
  const read = ({ address, abi }, functionName, args = []) =>
    reader.readContract({ address, abi, functionName, args });

  const all = await t.need('chlom contracts --json names each with its address and ABI', async () => {
    const all = await chlom.json('contracts');
    const names = ['ClaimsPool', 'FeeRouter', 'FraudJudge', 'LaneRegistry', 'LicenseRegistry', 'ParameterRegistry'];
    names.push('PauseFlags', 'PayoutProofs', 'PolicyRegistry', 'RightsRegistry', 'RoyaltyLedger', 'SplitRegistry');
    names.push('TimelockController', 'Treasury');
    assert.deepEqual(Object.keys(all).sort(), names);
    for (const { address, abi } of Object.values(all)) assert.ok(/^0x0{36}20[0-9a-f]{2}$/i.test(address) && abi.length);
    return all;
  });
  const proxied = Object.entries(all).filter(([, { implementation }]) => implementation);

  await t.check('chlom contracts prints them as a table', async () => {
    const lines = (await chlom.run('contracts')).trim().split('\n');
    assert.match(lines[0], /^name +address +implementation$/);
    assert.equal(lines.length, 1 + Object.keys(all).length);
  });

  await t.check('each address has code and nonce 1, each proxy its implementation', async () => {
    for (const { address, implementation } of Object.values(all)) {
      for (const at of [address, implementation].filter(Boolean)) {
        assert.ok((await chain.rpc.eth_getCode(at, 'latest')).length > 2, at);
        assert.equal(await chain.rpc.eth_getTransactionCount(at, 'latest'), '0x1', at);
      }
    }
    for (const [name, { address, implementation }] of proxied) {
      const word = await chain.rpc.eth_getStorageAt(address, SLOT, 'latest');
      assert.equal(`0x${word.slice(26)}`, implementation.toLowerCase(), name);
    }
  });

  await t.check('the timelock owns every proxy, and the first account proposes to it and executes', async () => {
    const timelock = all.TimelockController;
    for (const [name, contract] of proxied) {
      assert.equal((await read(contract, 'owner')).toLowerCase(), timelock.address.toLowerCase(), name);
    }
    assert.equal(await read(timelock, 'getMinDelay'), 1n);
    for (const role of ['PROPOSER_ROLE', 'EXECUTOR_ROLE', 'CANCELLER_ROLE']) {
      const id = await read(timelock, role);
      assert.equal(await read(timelock, 'hasRole', [id, authority.address]), true, role);
      assert.equal(await read(timelock, 'hasRole', [id, stranger.address]), false, role);
    }
    const admin = await read(timelock, 'DEFAULT_ADMIN_ROLE');
    assert.equal(await read(timelock, 'hasRole', [admin, authority.address]), false, 'no administrator');
  });

  await t.check('nobody initialises one again, nor upgrades it past the timelock', async () => {
    for (const [name, contract] of proxied) {
      const { inputs } = contract.abi.find((entry) => entry.name === 'initialize');
      const args = inputs.map(({ type }) => (type === 'address' ? authority.address : 1));
      for (const address of [contract.address, contract.implementation]) {
        const again = read({ ...contract, address }, 'initialize', args);
        await assert.rejects(again, /InvalidInitialization/, `${name} at ${address}`);
      }
      const upgrade = reader.simulateContract({
        ...contract,
        account: authority.address,
        functionName: 'upgradeToAndCall',
        args: [all.Treasury.implementation, '0x'],
      });
      await assert.rejects(upgrade, /Unauthorized/, name);
    }
  });

  await t.check('the timelock upgrades a proxy after its delay', async () => {
    const { wallet, write } = actor(chain, authority);
    const { encodeFunctionData } = await import('viem');
    const target = all.PauseFlags;
    const { bytecode, abi } = await import('../../../contracts/artifacts/PauseFlags.json', { with: { type: 'json' } }).then(
      (module) => module.default,
    );
    const hash = await wallet.deployContract({ abi, bytecode });
    const { contractAddress } = await reader.waitForTransactionReceipt({ hash });
    const data = encodeFunctionData({ abi, functionName: 'upgradeToAndCall', args: [contractAddress, '0x'] });
    const zero = `0x${'0'.repeat(64)}`;
    await write(all.TimelockController, 'schedule', [target.address, 0n, data, zero, zero, 1n]);
    await chain.rpc.evm_mine();
    await write(all.TimelockController, 'execute', [target.address, 0n, data, zero, zero]);
    const word = await chain.rpc.eth_getStorageAt(target.address, SLOT, 'latest');
    assert.equal(`0x${word.slice(26)}`, contractAddress.toLowerCase());
    assert.equal(await read(target, 'EPOCH_BLOCKS'), 10_000n);
  });

  await t.check('forge create LicenseRegistry --constructor-args $POLICY $ADE deploys one of its own', async () => {
    assert.equal(built.code, 0, built.stderr);
    const args = ['create', 'src/licensing/LicenseRegistry.sol:LicenseRegistry', '--rpc-url', chain.http, '--json'];
    args.push('--private-key', stranger.privateKey, '--broadcast', '--constructor-args');
    args.push(all.PolicyRegistry.address, all.SplitRegistry.address);
    const made = await contractsForge(...args);
    assert.equal(made.code, 0, made.stderr);
    const { deployedTo } = JSON.parse(made.stdout);
    const registry = { ...all.LicenseRegistry, address: deployedTo };
    assert.equal(await read(registry, 'policy'), all.PolicyRegistry.address);
    assert.equal((await read(registry, 'owner')).toLowerCase(), stranger.address.toLowerCase());
  });

  await t.check('a genesis file may name who governs', async () => {
    const { writeFile } = await import('node:fs/promises');
    const file = `${await t.folder()}/genesis.json`;
    const governance = { authority: stranger.address, timelockDelay: 3600 };
    await writeFile(file, JSON.stringify({ config: { chainId: 7272, chlom: { governance } }, alloc: {} }));
    const own = await t.ownChain('--genesis', file);
    const there = publicClient(own);
    const delay = await there.readContract({ ...all.TimelockController, functionName: 'getMinDelay' });
    assert.equal(delay, 3600n);
  });
}

/** The contracts' own forge, with what it compiled kept where `make contracts` keeps it. */
async function contractsForge(...args) {
  await execute(`${CONTRACTS}/tools/install`, [], { timeoutMs: 600_000 });
  const env = { ...process.env, FOUNDRY_OUT: `${CONTRACTS_FOUNDRY}/out`, FOUNDRY_CACHE_PATH: `${CONTRACTS_FOUNDRY}/cache` };
  return execute(`${CONTRACTS}/tools/forge`, args, { env, timeoutMs: 600_000 });
}
