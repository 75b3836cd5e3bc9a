// eth_simulateV1, eth_createAccessList, eth_fillTransaction, eth_estimateGas: what would happen.
import assert from 'node:assert/strict';
import { encodeFunctionData, pad, parseEther, toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';

export const title = 'simulation';
export const accounts = 1;

const FRIEND = '0x00000000000000000000000000000000000000f8';
const POOR = '0x00000000000000000000000000000000000000f9';
const NATIVE = '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee';

export async function run(t) {
  const { rpc } = t.chain;
  const me = actor(t.chain, t.accounts[0]);
  const coin = await t.need('a coin is there', () => me.deploy('Coin', ['Sim', 'SIM', 1_000n]));
  const data = (functionName, args) => encodeFunctionData({ ...coin, functionName, args });
  const transfer = { from: me.address, to: coin.address, data: data('transfer', [FRIEND, 40n]) };
  const balanceOf = { to: coin.address, data: data('balanceOf', [FRIEND]) };

  await t.check('eth_simulateV1 carries state from call to call and from block to block', async () => {
    const blockStateCalls = [{ calls: [transfer, balanceOf] }, { calls: [transfer, balanceOf] }];
    const [first, second] = await rpc.eth_simulateV1({ blockStateCalls }, 'latest');
    assert.deepEqual(
      first.calls.map(({ status }) => status),
      ['0x1', '0x1'],
    );
    assert.equal(first.calls[0].logs.length, 1);
    assert.equal(BigInt(first.calls[1].returnData), 40n);
    assert.equal(BigInt(second.calls[1].returnData), 80n);
    assert.equal(BigInt(second.number), BigInt(first.number) + 1n);
    assert.equal(second.parentHash, first.hash);
  });

  await t.check('eth_simulateV1 overrides state and block, and names a revert', async () => {
    const stateOverrides = { [POOR]: { balance: toHex(parseEther('5')) } };
    const blockOverrides = { time: toHex(4_000_000_000n), number: toHex(BigInt(await rpc.eth_blockNumber()) + 10n) };
    const calls = [
      { from: POOR, to: FRIEND, value: toHex(parseEther('4')) },
      { from: POOR, to: coin.address, data: data('transfer', [FRIEND, 1n]) },
    ];
    const blocks = await rpc.eth_simulateV1({ blockStateCalls: [{ stateOverrides, blockOverrides, calls }] }, 'latest');
    const {
      calls: [paid, refused],
      timestamp,
    } = blocks.at(-1);
    assert.equal(BigInt(timestamp), 4_000_000_000n);
    assert.equal(paid.status, '0x1');
    assert.equal(refused.status, '0x0');
    assert.equal(refused.error.code, 3);
    assert.match(refused.error.message, /execution reverted/);
  });

  await t.check('eth_simulateV1 traces transfers of value as logs', async () => {
    const calls = [{ from: me.address, to: FRIEND, value: '0x7' }];
    const [
      {
        calls: [{ logs }],
      },
    ] = await rpc.eth_simulateV1({ blockStateCalls: [{ calls }], traceTransfers: true }, 'latest');
    assert.equal(logs[0].address.toLowerCase(), NATIVE);
    assert.equal(BigInt(logs[0].data), 7n);
  });

  await t.check('eth_simulateV1 with validation refuses what a block would', async () => {
    const calls = [{ from: POOR, to: FRIEND, value: '0x1', maxFeePerGas: toHex(10n ** 10n) }];
    await assert.rejects(rpc.eth_simulateV1({ blockStateCalls: [{ calls }], validation: true }, 'latest'), {
      code: -38014,
    });
    const late = [{ from: me.address, to: FRIEND, nonce: '0x0', maxFeePerGas: toHex(10n ** 10n) }];
    await assert.rejects(rpc.eth_simulateV1({ blockStateCalls: [{ calls: late }], validation: true }, 'latest'), {
      code: -38010,
    });
  });

  await t.check('eth_createAccessList names the slots, and using it does not change the result', async () => {
    const { accessList, gasUsed, error } = await rpc.eth_createAccessList(transfer, 'latest');
    assert.equal(error, undefined);
    const entry = accessList.find(({ address }) => address.toLowerCase() === coin.address.toLowerCase());
    assert.equal(entry.storageKeys.length, 2);
    const receipt = await me.send({ to: coin.address, data: transfer.data, accessList, gas: BigInt(gasUsed) });
    assert.equal(receipt.gasUsed, BigInt(gasUsed));
  });

  await t.check('eth_createAccessList of a call that reverts says so', async () => {
    const { error } = await rpc.eth_createAccessList(
      { ...transfer, data: data('transfer', [FRIEND, 10n ** 30n]) },
      'latest',
    );
    assert.match(error, /execution reverted/);
  });

  await t.check('eth_fillTransaction fills in nonce, gas, fees and chain', async () => {
    const { tx, raw } = await rpc.eth_fillTransaction(transfer);
    assert.equal(BigInt(tx.chainId), BigInt(t.chain.chainId));
    assert.equal(BigInt(tx.nonce), BigInt(await rpc.eth_getTransactionCount(me.address, 'pending')));
    assert.ok(BigInt(tx.gas) > 21_000n && BigInt(tx.maxFeePerGas) >= BigInt(tx.maxPriorityFeePerGas));
    assert.match(raw ?? '0x02', /^0x02/);
  });

  await t.check('eth_estimateGas is enough and not much too much, with data or input, at pending', async () => {
    const gas = BigInt(await rpc.eth_estimateGas({ ...transfer, input: transfer.data }, 'pending'));
    const receipt = await me.send({ to: coin.address, data: transfer.data, gas });
    assert.ok(receipt.gasUsed <= gas && gas <= (receipt.gasUsed * 13n) / 10n, `${gas} for ${receipt.gasUsed}`);
    assert.equal(BigInt(await rpc.eth_estimateGas({ from: me.address, to: FRIEND, value: '0x1' })), 21_000n);
  });

  await t.check('eth_estimateGas and eth_call take state and block overrides', async () => {
    const slot = (await rpc.eth_createAccessList({ ...balanceOf, from: me.address }, 'latest')).accessList[0]
      .storageKeys[0];
    const stateDiff = { [coin.address]: { stateDiff: { [slot]: pad('0x2a') } } };
    assert.equal(BigInt(await rpc.eth_call(balanceOf, 'latest', stateDiff)), 42n);
    const target = '0x00000000000000000000000000000000000000ad';
    const time = { [target]: { code: '0x4260005260206000f3' } };
    assert.equal(BigInt(await rpc.eth_call({ to: target }, 'latest', time, { time: '0x1234' })), 0x1234n);
    const rich = { [POOR]: { balance: toHex(parseEther('1')) } };
    assert.equal(BigInt(await rpc.eth_estimateGas({ from: POOR, to: FRIEND, value: '0x1' }, 'latest', rich)), 21_000n);
  });
}
