// An exchange of the size of Uniswap v2 in use: liquidity, trades along a path, permits, limits, fees.
import assert from 'node:assert/strict';
import { parseEther, parseEventLogs, parseSignature } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { NEVER, deployExchange } from '../ethereum/exchange.mjs';

export const title = 'exchange';
export const accounts = 2;

export async function run(t) {
  const { chain } = t;
  const [me, trader] = t.accounts.map((account) => actor(chain, account));
  const parts = await t.need(
    'factory, router, wrapped coin, two tokens and two markets are deployed and supplied',
    () => deployExchange(me),
  );
  const { registry, red, blue, wrapped, market } = parts;
  const router = parts.trader;
  const product = async () => {
    const [low, high] = await me.read(market, 'books');
    return low * high;
  };

  await t.check('a market is at the address that CREATE2 says', async () => {
    assert.equal(await me.read(registry, 'addressOf', [blue.address, red.address]), market.address);
    assert.equal(await me.read(registry, 'count'), 2n);
  });

  await t.check('a second account buys its first coins with CHM', async () => {
    const path = [wrapped.address, blue.address];
    const [, quoted] = await me.read(router, 'quoteSell', [parseEther('1'), path]);
    await trader.write(router, 'sellChm', [quoted, path, trader.address, NEVER], { value: parseEther('1') });
    assert.equal(await me.read(blue, 'balanceOf', [trader.address]), quoted);
  });

  await t.check('sells along a path of three tokens and is paid in CHM, to the wei that was quoted', async () => {
    const path = [red.address, blue.address, wrapped.address];
    const amounts = await me.read(router, 'quoteSell', [parseEther('50'), path]);
    const to = '0x0000000000000000000000000000000000000fee';
    const before = await product();
    const receipt = await me.write(router, 'sellForChm', [parseEther('50'), amounts[2], path, to, NEVER]);
    assert.equal(await me.reader.getBalance({ address: to }), amounts[2]);
    assert.equal(parseEventLogs({ abi: market.abi, logs: receipt.logs, eventName: 'Traded' }).length, 2);
    assert.ok((await product()) >= before);
  });

  await t.check('buys an exact amount for what was quoted', async () => {
    const path = [red.address, blue.address];
    const [cost] = await me.read(router, 'quoteBuy', [parseEther('3'), path]);
    const had = await me.read(red, 'balanceOf', [me.address]);
    await me.write(router, 'buy', [parseEther('3'), cost, path, me.address, NEVER]);
    assert.equal(had - (await me.read(red, 'balanceOf', [me.address])), cost);
  });

  await t.check('refuses a price below the limit and a deadline that has passed', async () => {
    const path = [red.address, blue.address];
    await assert.rejects(me.write(router, 'sell', [1_000n, 10n ** 24n, path, me.address, NEVER]), /TraderTooLittle/);
    await assert.rejects(me.write(router, 'sell', [1_000n, 0n, path, me.address, 1n]), /TraderTooLate/);
    await assert.rejects(me.write(registry, 'open', [red.address, blue.address]), /RegistryAlreadyOpen/);
  });

  await t.check('the house takes its cut of the fee and collects it', async () => {
    await me.write(registry, 'setHouseCut', [5_000]);
    await me.write(router, 'sell', [parseEther('10'), 0n, [red.address, blue.address], me.address, NEVER]);
    const house = '0x0000000000000000000000000000000000c00000';
    await me.write(market, 'collect', [house]);
    assert.equal(await me.read(red, 'balanceOf', [house]), parseEther('0.015'));
    await assert.rejects(trader.write(market, 'collect', [house]), /MarketNotHouse/);
  });

  await t.check('shares are given back with a permit instead of an approval', async () => {
    const shares = (await me.read(market, 'balanceOf', [me.address])) / 2n;
    const permit = await permitFor(me, market, router.address, shares);
    const { logs } = await me.write(router, 'withdraw', [
      red.address,
      blue.address,
      shares,
      1n,
      1n,
      me.address,
      NEVER,
      permit,
    ]);
    const [withdrawn] = parseEventLogs({ abi: market.abi, logs, eventName: 'Withdrawn' });
    assert.equal(withdrawn.args.shares, shares);
  });

  await t.check('a gift to a market is absorbed into its books', async () => {
    const before = await product();
    await me.write(red, 'transfer', [market.address, parseEther('1')]);
    assert.equal(await product(), before);
    await me.write(market, 'absorb');
    assert.ok((await product()) > before);
  });
}

async function permitFor(owner, token, spender, value) {
  const fields = [
    ['owner', 'address'],
    ['spender', 'address'],
    ['value', 'uint256'],
    ['nonce', 'uint256'],
    ['deadline', 'uint256'],
  ];
  const signature = await owner.wallet.signTypedData({
    domain: { name: 'Market share', version: '1', chainId: owner.wallet.chain.id, verifyingContract: token.address },
    types: { Permit: fields.map(([name, type]) => ({ name, type })) },
    primaryType: 'Permit',
    message: {
      owner: owner.address,
      spender,
      value,
      nonce: await owner.read(token, 'nonces', [owner.address]),
      deadline: NEVER,
    },
  });
  const { r, s, v } = parseSignature(signature);
  return { v: Number(v), r, s };
}
