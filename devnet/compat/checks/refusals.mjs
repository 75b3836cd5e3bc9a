// Transactions that are refused, as geth refuses them: the code, the message, and that nothing else changed.
import assert from 'node:assert/strict';
import { parseEther, parseGwei } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { actor } from '../ethereum/clients.mjs';
import { signedTransfer } from '../ethereum/sign.mjs';
import { fails } from '../runner/rpc.mjs';

export const title = 'refusals';
export const accounts = 2;

const FRIEND = '0x00000000000000000000000000000000000f00d2';
const CAP = 2 ** 24;

export async function run(t) {
  const { chain } = t;
  const { rpc } = chain;
  const [me, other] = t.accounts.map((account) => actor(chain, account));
  const poor = privateKeyToAccount(`0x${'43'.repeat(32)}`);
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
    t.check(name, async () => fails(rpc.eth_sendRawTransaction(await raw(who, fields)), -32000, message));

  await t.check('a nonce that was used', async () => {
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
  await t.check('a tip above the fee', async () => {
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

  await t.check('a transaction that is known, one that is in a block, and one that is no transaction', async () => {
    const bytes = await raw(signer, {
      nonce: Number(await rpc.eth_getTransactionCount(signer.address, 'pending')) + 5,
    });
    const hash = await rpc.eth_sendRawTransaction(bytes);
    await fails(rpc.eth_sendRawTransaction(bytes), -32000, /^already known$/);
    assert.equal((await rpc.eth_getTransactionByHash(hash)).blockHash, null);
    for (const nonsense of ['0x', '0xc0', '0x7f00', `${bytes}00`, bytes.slice(0, -2)]) {
      await assert.rejects(rpc.eth_sendRawTransaction(nonsense), { name: 'RpcError' }, nonsense);
    }
  });

  await t.check('a signature that is too high or of nobody', async () => {
    const bytes = await raw(signer, {});
    // The last 32 bytes are s: all ones is above half the curve's order.
    await assert.rejects(
      rpc.eth_sendRawTransaction(`${bytes.slice(0, -64)}${'f'.repeat(64)}`),
      /invalid|signature|s value/i,
    );
  });

  await t.check('a replacement that bumps the fee by less than a tenth', async () => {
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
}
