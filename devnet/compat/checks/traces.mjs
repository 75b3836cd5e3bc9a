// debug_trace*: every tracer, above all on transactions that failed.
import assert from 'node:assert/strict';
import { encodeFunctionData, toFunctionSelector, toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';

export const title = 'debug_trace';
export const accounts = 1;

const FRIEND = '0x00000000000000000000000000000000000000f5';
const lower = (text) => text.toLowerCase();

/** All frames of a call trace, outermost first. */
const frames = (call) => [call, ...(call.calls ?? []).flatMap(frames)];

export async function run(t) {
  const { chain } = t;
  const { rpc } = chain;
  const me = actor(chain, t.accounts[0]);
  const faults = await t.need('a contract that fails on demand is there', () => me.deploy('Faults'));
  const coin = await t.need('and a coin', () => me.deploy('Coin', ['Trace', 'TRACE', 1_000n]));
  const selector = toFunctionSelector('nest(uint256,uint8)');
  const nest = (depth, ending) => encodeFunctionData({ ...faults, functionName: 'nest', args: [depth, ending] });

  async function sent(functionName, args) {
    const hash = await me.wallet.writeContract({ ...faults, functionName, args, gas: 400_000n });
    return me.reader.waitForTransactionReceipt({ hash });
  }

  const failed = await t.need('a transaction fails three calls deep', async () => {
    const receipt = await sent('nest', [2n, 1]);
    assert.equal(receipt.status, 'reverted');
    return receipt;
  });
  const trace = (receipt, options) => rpc.debug_traceTransaction(receipt.transactionHash, options);

  await t.check('callTracer: three frames, the reason, and the gas of the receipt', async () => {
    const call = await trace(failed, { tracer: 'callTracer' });
    const all = frames(call);
    assert.equal(all.length, 3);
    for (const frame of all) {
      assert.equal(frame.type, 'CALL');
      assert.equal(frame.error, 'execution reverted');
      assert.equal(frame.revertReason, 'Faults: because');
      assert.equal(lower(frame.to), lower(faults.address));
    }
    assert.equal(BigInt(call.gasUsed), failed.gasUsed);
    assert.equal(BigInt(call.gas), 400_000n);
    assert.equal(lower(call.from), lower(me.address));
  });

  await t.check('callTracer: onlyTopCall leaves the rest out', async () => {
    const call = await trace(failed, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } });
    assert.equal(frames(call).length, 1);
  });

  await t.check('callTracer: withLog keeps the logs of what lived, not of what was undone', async () => {
    const rescued = await sent('rescue', [1n, 2]);
    const call = await trace(rescued, { tracer: 'callTracer', tracerConfig: { withLog: true } });
    assert.equal(call.error, undefined);
    assert.deepEqual(
      frames(call).map(({ logs }) => (logs ?? []).length),
      [1, 0, 0],
    );
    assert.equal(lower(call.logs[0].address), lower(faults.address));
    assert.equal(call.calls[0].error, 'execution reverted');
  });

  for (const [ending, error] of [
    [6, /out of gas/],
    [7, /invalid opcode/],
  ]) {
    await t.check(`callTracer: ${error.source} is named where it happened`, async () => {
      const call = await trace(await sent('nest', [1n, ending]), { tracer: 'callTracer' });
      assert.match(frames(call).at(-1).error, error);
    });
  }

  await t.check('callTracer: a creation has type CREATE and the new address', async () => {
    const call = await rpc.debug_traceTransaction(coin.receipt.transactionHash, { tracer: 'callTracer' });
    assert.equal(call.type, 'CREATE');
    assert.equal(lower(call.to), lower(coin.address));
  });

  await t.check('prestateTracer: what was touched, as it was before', async () => {
    const receipt = await me.write(coin, 'transfer', [FRIEND, 10n]);
    const before = await rpc.debug_traceTransaction(receipt.transactionHash, { tracer: 'prestateTracer' });
    const parent = toHex(receipt.blockNumber - 1n);
    assert.equal(BigInt(before[lower(me.address)].balance), BigInt(await rpc.eth_getBalance(me.address, parent)));
    assert.equal(before[lower(coin.address)].code, await rpc.eth_getCode(coin.address, parent));
    assert.equal(Object.values(before[lower(coin.address)].storage).map(BigInt).includes(1_000n), true);
  });

  await t.check('prestateTracer: diffMode gives both sides of what changed', async () => {
    const receipt = await me.write(coin, 'transfer', [FRIEND, 10n]);
    const { pre, post } = await rpc.debug_traceTransaction(receipt.transactionHash, {
      tracer: 'prestateTracer',
      tracerConfig: { diffMode: true },
    });
    const slots = (side) => Object.values(side[lower(coin.address)].storage).map(BigInt);
    assert.deepEqual(slots(pre).sort(), [10n, 990n].sort());
    assert.deepEqual(slots(post).sort(), [20n, 980n].sort());
    assert.equal(post[lower(me.address)].nonce, (pre[lower(me.address)].nonce ?? 0) + 1);
  });

  await t.check('4byteTracer counts the selectors with the size of their arguments', async () => {
    assert.deepEqual(await trace(failed, { tracer: '4byteTracer' }), { [`${selector}-64`]: 3 });
  });

  await t.check('struct logs: every opcode, with the switches for stack, memory, storage and return data', async () => {
    const plain = await trace(failed, {});
    assert.equal(plain.failed, true);
    assert.equal(BigInt(plain.gas), failed.gasUsed);
    assert.match(plain.returnValue, /08c379a0/);
    assert.deepEqual(
      plain.structLogs.slice(0, 2).map(({ op, pc, depth }) => [op, pc, depth]),
      [
        ['PUSH1', 0, 1],
        ['PUSH1', 2, 1],
      ],
    );
    assert.equal(plain.structLogs.at(-1).op, 'REVERT');
    assert.equal(Math.max(...plain.structLogs.map(({ depth }) => depth)), 3);
    assert.ok(
      plain.structLogs.some(({ storage }) => storage && Object.keys(storage).length),
      'storage is on by default',
    );
    assert.equal(
      plain.structLogs.some(({ memory }) => memory?.length),
      false,
    );
    const bare = await trace(failed, { disableStack: true, disableStorage: true, enableMemory: true });
    assert.equal(
      bare.structLogs.some(({ stack, storage }) => stack || storage),
      false,
    );
    assert.ok(bare.structLogs.some(({ memory }) => memory?.length));
    assert.equal((await trace(failed, { limit: 5 })).structLogs.length, 5);
  });

  await t.check('debug_traceCall: a call that was never sent, with overrides', async () => {
    const call = { from: me.address, to: faults.address, data: nest(1n, 2) };
    assert.equal(frames(await rpc.debug_traceCall(call, 'latest', { tracer: 'callTracer' })).length, 2);
    // The code returns the word 7 to any call.
    const stateOverrides = { [faults.address]: { code: '0x600760005260206000f3' } };
    const overridden = await rpc.debug_traceCall(call, 'latest', { tracer: 'callTracer', stateOverrides });
    assert.equal(BigInt(overridden.output), 7n);
  });

  await t.check('debug_traceBlockByNumber and ByHash agree, one entry a transaction', async () => {
    const { blockHash, blockNumber, transactionHash } = failed;
    const byNumber = await rpc.debug_traceBlockByNumber(toHex(blockNumber), { tracer: 'callTracer' });
    assert.deepEqual(byNumber, await rpc.debug_traceBlockByHash(blockHash, { tracer: 'callTracer' }));
    const { transactions } = await rpc.eth_getBlockByHash(blockHash, false);
    assert.deepEqual(
      byNumber.map(({ txHash }) => txHash),
      transactions,
    );
    const { result } = byNumber.find(({ txHash }) => txHash === transactionHash);
    assert.deepEqual(result, await trace(failed, { tracer: 'callTracer' }));
  });

  await t.check('an unknown transaction and an unknown tracer are errors', async () => {
    await assert.rejects(rpc.debug_traceTransaction(`0x${'77'.repeat(32)}`, {}), /transaction not found/);
    await assert.rejects(trace(failed, { tracer: 'noSuchTracer' }), { name: 'RpcError' });
  });
}
