// `cast run`: a transaction executed again from the chain's own past, above all one that failed.
import assert from 'node:assert/strict';
import { actor } from '../ethereum/clients.mjs';
import { cast } from '../runner/tools.mjs';

export const title = 'cast run';
export const accounts = 1;

/** The endings of `Faults`, by their place in its enum, and how a trace names them. */
const ENDINGS = [
  [1, 'a reason', /Faults: because/],
  [2, 'a custom error', /FaultsCustom|custom/],
  [3, 'no data', /EvmError: Revert|\[Revert\]/],
  [4, 'a failed assertion', /assertion failed|panic/i],
  [5, 'an overflow', /overflow/i],
  [6, 'all its gas', /OutOfGas/],
  [7, 'an invalid opcode', /InvalidFEOpcode|Invalid/],
];

export async function run(t) {
  const { chain } = t;
  const me = actor(chain, t.accounts[0]);
  const at = ['--rpc-url', chain.http];
  const faults = await t.need('a contract that fails on demand is there', () => me.deploy('Faults'));

  async function fails(depth, ending) {
    const hash = await me.wallet.writeContract({
      ...faults,
      functionName: 'nest',
      args: [depth, ending],
      gas: 300_000n,
    });
    const receipt = await me.reader.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, 'reverted');
    return receipt;
  }

  for (const [ending, what, shown] of ENDINGS) {
    await t.check(`a transaction that failed three calls deep with ${what} is traced`, async () => {
      const receipt = await fails(2n, ending);
      const trace = await cast('run', receipt.transactionHash, ...at);
      assert.match(trace, shown);
      assert.equal(trace.match(/::nest|::[0-9a-f]{8}/g)?.length, 3, trace);
      assert.match(trace, new RegExp(`Gas used: ${receipt.gasUsed}`));
    });
  }

  await t.check('a failure that was caught is traced, and the transaction succeeds', async () => {
    const receipt = await me.write(faults, 'rescue', [1n, 1], { gas: 300_000n });
    assert.equal(receipt.logs.length, 1);
    const trace = await cast('run', receipt.transactionHash, ...at);
    assert.match(trace, /Faults: because/);
    assert.match(trace, /Transaction successfully executed/);
  });

  await t.check('--quick gives the same verdict from the parent state', async () => {
    const receipt = await fails(0n, 1);
    assert.match(await cast('run', '--quick', receipt.transactionHash, ...at), /Faults: because/);
  });
}
