// Errors as geth has them: codes, messages and data of calls that fail and of things that are not there.
import assert from 'node:assert/strict';
import { encodeErrorResult, encodeFunctionData, toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { fails } from '../runner/rpc.mjs';

export const title = 'errors';
export const accounts = 1;

const POOR = '0x0000000000000000000000000000000000000b0b';
const FRIEND = '0x00000000000000000000000000000000000000fa';

/** The endings of `Faults`, by their place in its enum, as eth_call and eth_estimateGas must report them. */
const CALLS = [
  [1, 'a reason', 3, /^execution reverted: Faults: because$/, /^0x08c379a0/],
  [2, 'a custom error', 3, /^execution reverted$/, /^0x/],
  [3, 'no data', 3, /^execution reverted$/, /^0x$/],
  [4, 'a failed assertion', 3, /^execution reverted: assert\(false\)$/, /^0x4e487b71.*01$/],
  [5, 'an overflow', 3, /^execution reverted: arithmetic underflow or overflow$/, /^0x4e487b71.*11$/],
  [7, 'an invalid opcode', -32000, /^invalid opcode: INVALID$/, undefined],
];

export async function run(t) {
  const { rpc } = t.chain;
  const me = actor(t.chain, t.accounts[0]);
  const faults = await t.need('a contract that fails on demand is there', () => me.deploy('Faults'));
  const nest = (ending) => encodeFunctionData({ ...faults, functionName: 'nest', args: [0n, ending] });

  for (const [ending, what, code, message, data] of CALLS) {
    await t.check(`a call that fails with ${what} has code ${code}`, async () => {
      for (const method of ['eth_call', 'eth_estimateGas']) {
        const error = await rpc[method]({ to: faults.address, data: nest(ending) }, 'latest').then(
          () => assert.fail(`${method} answered`),
          (caught) => caught,
        );
        assert.equal(error.code, code, `${method}: ${error.message}`);
        assert.match(error.message, message, `${method}: ${error.message}`);
        if (data) assert.match(error.data, data, `${method}: ${error.data}`);
      }
    });
  }

  await t.check('the data of a custom error is the error, encoded', async () => {
    const expected = encodeErrorResult({ abi: faults.abi, errorName: 'FaultsCustom', args: [0n, 'custom'] });
    await assert.rejects(rpc.eth_call({ to: faults.address, data: nest(2) }, 'latest'), { data: expected });
  });

  await t.check('a call and an estimate without enough gas', async () => {
    await fails(rpc.eth_call({ to: faults.address, data: nest(6), gas: '0x186a0' }, 'latest'), -32000, /^out of gas$/);
    await fails(
      rpc.eth_estimateGas({ to: faults.address, data: nest(6), gas: '0x186a0' }, 'latest'),
      -32000,
      /^gas required exceeds allowance \(100000\)$/,
    );
    await fails(rpc.eth_call({ to: FRIEND, gas: '0x100' }, 'latest'), -32000, /intrinsic gas too low/);
  });

  await t.check('a call that spends more than there is', async () => {
    const spend = { from: POOR, to: FRIEND, value: '0x1' };
    await fails(rpc.eth_call(spend, 'latest'), -32000, /insufficient funds/);
    await fails(rpc.eth_estimateGas(spend, 'latest'), -32000, /insufficient funds/);
  });

  await t.check('what is not there is null, or an error where geth has one', async () => {
    const nothing = `0x${'55'.repeat(32)}`;
    for (const method of ['eth_getTransactionByHash', 'eth_getTransactionReceipt'])
      assert.equal(await rpc[method](nothing), null);
    assert.equal(await rpc.eth_getBlockByHash(nothing, false), null);
    assert.equal(await rpc.eth_getBlockReceipts('0xffffff'), null);
    assert.equal(await rpc.eth_getTransactionByBlockNumberAndIndex('0x0', '0x5'), null);
    await fails(rpc.eth_getLogs({ blockHash: nothing }), -32000, /unknown block/);
    await fails(rpc.eth_getFilterChanges('0x1234567890'), -32000, /filter not found/);
    assert.equal(await rpc.eth_uninstallFilter('0x1234567890'), false);
  });

  await t.check('a range of logs that is upside down, and a block hash together with a range', async () => {
    await assert.rejects(rpc.eth_getLogs({ fromBlock: '0x5', toBlock: '0x2' }), /invalid block range/);
    await assert.rejects(rpc.eth_getLogs({ blockHash: toHex(1, { size: 32 }), fromBlock: '0x1' }), { code: -32602 });
  });
}
