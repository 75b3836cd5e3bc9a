// Every answer against the OpenRPC document of Ethereum's JSON-RPC.
import assert from 'node:assert/strict';
import { CALLS, FAILING_CALLS } from '../openrpc/calls.mjs';
import { EXCLUDED, methods, parameterFaults, resultFaults } from '../openrpc/document.mjs';
import { fixture } from '../openrpc/fixture.mjs';

export const title = 'OpenRPC';
export const accounts = 2;

export async function run(t) {
  const { rpc } = t.chain;
  const asked = [...methods.keys()].filter((name) => !EXCLUDED.includes(name));

  await t.check(`all ${asked.length} methods of the document that concern this chain are asked`, () => {
    assert.deepEqual(Object.keys(CALLS).sort(), asked.sort());
  });

  const found = await t.need('contracts and a transaction of every type are there', () => fixture(t.chain, t.accounts));
  found.filters = {
    log: await rpc.eth_newFilter({ address: found.coin, fromBlock: found.block }).catch(() => '0x0'),
    block: await rpc.eth_newBlockFilter().catch(() => '0x0'),
    pending: await rpc.eth_newPendingTransactionFilter().catch(() => '0x0'),
  };

  // Removing the filter comes last, because other methods ask it.
  for (const name of asked.sort((a, b) => (a === 'eth_uninstallFilter') - (b === 'eth_uninstallFilter'))) {
    await t.check(name, async () => {
      for (const params of await CALLS[name](found)) {
        assert.deepEqual(parameterFaults(name, params), [], `this check's own parameters: ${JSON.stringify(params)}`);
        const result = await rpc[name](...params);
        assert.deepEqual(
          resultFaults(name, result),
          [],
          `${JSON.stringify(params)} was answered ${JSON.stringify(result).slice(0, 1_000)}`,
        );
      }
    });
  }

  for (const [name, params, code] of FAILING_CALLS(found)) {
    await t.check(`${name}(${JSON.stringify(params).slice(1, 45)}…) fails with code ${code}`, async () => {
      const error = await rpc[name](...params).then(
        (result) => assert.fail(`answered ${JSON.stringify(result)}`),
        (caught) => caught,
      );
      assert.equal(error.code, code, error.message);
      if (code === 3) assert.match(error.data, /^0x08c379a0/);
    });
  }
}
