// Errors as geth has them: codes, messages and data of calls that revert and of transactions that are refused.
import assert from 'node:assert/strict';
import { encodeErrorResult, encodeFunctionData, parseEther, parseGwei, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { actor } from '../ethereum/clients.mjs';
import { signedTransfer } from '../ethereum/sign.mjs';

export const title = 'errors';
export const accounts = 2;

const FRIEND = '0x00000000000000000000000000000000000000fa';
const CAP = 2 ** 24;

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
  const { chain } = t;
  const { rpc } = chain;
  const [me, other] = t.accounts.map((account) => actor(chain, account));
  const poor = privateKeyToAccount(`0x${'43'.repeat(32)}`);
  const faults = await t.need('a contract that fails on demand is there', () => me.deploy('Faults'));
  const nest = (ending) => encodeFunctionData({ ...faults, functionName: 'nest', args: [0n, ending] });
  const fails = (request, code, message) =>
    assert.rejects(request, (error) => {
      assert.deepEqual([error.code, message.test(error.message) || error.message], [code, true]);
      return true;
    });

  for (const [ending, what, code, message, data] of CALLS) {
    await t.check(`a call that fails with ${what} has code ${code}`, async () => {
      for (const method of ['eth_call', 'eth_estimateGas']) {
        const error = await rpc[method]({ to: faults.address, data: nest(ending) }, 'latest').then(
          () => assert.fail(`${method} answered`),
          (caught) => caught,
        );
        assert.equal(error.code, code, `${method}: ${error.message}`);
        assert.match(error.message, message, method);
        if (data) assert.match(error.data, data, method);
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
    const spend = { from: poor.address, to: FRIEND, value: '0x1' };
    await fails(rpc.eth_call(spend, 'latest'), -32000, /insufficient funds/);
    await fails(rpc.eth_estimateGas(spend, 'latest'), -32000, /insufficient funds/);
  });

  const base = {
    chainId: chain.chainId,
    type: 'eip1559',
    to: FRIEND,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: parseGwei('50'),
    maxPriorityFeePerGas: 1n,
  };
  async function raw(signer, fields) {
    const nonce = await rpc.eth_getTransactionCount(signer.address, 'pending');
    return signer.signTransaction({ ...base, nonce: Number(nonce), ...fields });
  }
  const signer = privateKeyToAccount(t.accounts[1].privateKey);
  const refuses = (name, fields, message, who = signer) =>
    t.check(`refused: ${name}`, async () => fails(rpc.eth_sendRawTransaction(await raw(who, fields)), -32000, message));

  await t.check('refused: a nonce that was used', async () => {
    await other.send({ to: FRIEND, value: 1n });
    await fails(rpc.eth_sendRawTransaction(await raw(signer, { nonce: 0 })), -32000, /^nonce too low/);
  });
  await refuses('an empty account', {}, /^insufficient funds for gas \* price \+ value/, poor);
  await refuses(
    'more value than there is',
    { value: parseEther('1000000') },
    /^insufficient funds for gas \* price \+ value/,
  );
  await refuses('gas below the intrinsic', { gas: 20_999n }, /^intrinsic gas too low/);
  await refuses(
    'data whose floor (EIP-7623) is above the gas',
    { gas: 22_100n, data: `0x${'ff'.repeat(64)}` },
    /floor data gas/,
  );
  await refuses('gas above 2^24', { gas: BigInt(CAP + 1) }, /gas limit too high/);
  await refuses("another chain's id", { chainId: 1 }, /invalid chain ?id|invalid sender/i);
  await t.check('refused: a tip above the fee', async () => {
    const nonce = BigInt(await rpc.eth_getTransactionCount(other.address, 'pending'));
    const upsideDown = {
      chainId: BigInt(chain.chainId),
      nonce,
      tip: parseGwei('51'),
      fee: parseGwei('50'),
      to: FRIEND,
    };
    await fails(
      rpc.eth_sendRawTransaction(signedTransfer(t.accounts[1].privateKey, upsideDown)),
      -32000,
      /max priority fee per gas higher than max fee per gas/,
    );
  });
  await refuses(
    'initcode above 49,152 bytes',
    { to: undefined, gas: BigInt(CAP), data: `0x${'00'.repeat(49_153)}` },
    /max initcode size exceeded/,
  );
  await refuses(
    'a legacy transaction that is not bound to a chain',
    {
      type: 'legacy',
      chainId: undefined,
      gasPrice: parseGwei('50'),
      maxFeePerGas: undefined,
      maxPriorityFeePerGas: undefined,
    },
    /replay-protected/,
  );

  await t.check(
    'refused: a transaction that is known, one that is in a block, and one that is no transaction',
    async () => {
      const bytes = await raw(signer, {
        nonce: Number(await rpc.eth_getTransactionCount(signer.address, 'pending')) + 5,
      });
      const hash = await rpc.eth_sendRawTransaction(bytes);
      await fails(rpc.eth_sendRawTransaction(bytes), -32000, /^already known$/);
      assert.equal((await rpc.eth_getTransactionByHash(hash)).blockHash, null);
      for (const nonsense of ['0x', '0xc0', '0x7f00', `${bytes}00`, bytes.slice(0, -2)]) {
        await assert.rejects(rpc.eth_sendRawTransaction(nonsense), { name: 'RpcError' }, nonsense);
      }
    },
  );

  await t.check('refused: a signature that is too high or of nobody', async () => {
    const bytes = await raw(signer, {});
    // The last 32 bytes are s: all ones is above half the curve's order.
    await assert.rejects(
      rpc.eth_sendRawTransaction(`${bytes.slice(0, -64)}${'f'.repeat(64)}`),
      /invalid|signature|s value/i,
    );
  });

  await t.check('refused: a replacement that bumps the fee by less than a tenth', async () => {
    const nonce = Number(await rpc.eth_getTransactionCount(signer.address, 'latest')) + 9;
    const fees = (gwei) => ({ nonce, maxFeePerGas: parseGwei(gwei), maxPriorityFeePerGas: parseGwei(gwei) });
    await rpc.eth_sendRawTransaction(await raw(signer, fees('10')));
    await fails(
      rpc.eth_sendRawTransaction(await raw(signer, fees('10.9'))),
      -32000,
      /^replacement transaction underpriced/,
    );
    const hash = await rpc.eth_sendRawTransaction(await raw(signer, fees('11')));
    assert.equal((await rpc.txpool_contentFrom(signer.address)).queued[String(nonce)].hash, hash);
  });

  await t.check('a refused transaction leaves nonce, balance and pool as they were', async () => {
    const look = () =>
      Promise.all([
        rpc.eth_getTransactionCount(me.address, 'pending'),
        rpc.eth_getBalance(me.address, 'latest'),
        rpc.txpool_contentFrom(me.address),
      ]);
    const before = await look();
    const mine = privateKeyToAccount(t.accounts[0].privateKey);
    await assert.rejects(rpc.eth_sendRawTransaction(await raw(mine, { value: parseEther('1000000') })));
    assert.deepEqual(await look(), before);
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
