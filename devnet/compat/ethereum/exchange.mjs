// The exchange deployed and supplied: two coins, their market, and a market of one coin against CHM.
import { parseEther } from 'viem';
import { artifact } from './artifacts.mjs';

const SUPPLY = parseEther('1000000');
const DEPTH = parseEther('1000');

/** The last second: no deadline. */
export const NEVER = 2n ** 64n - 1n;

/** Deploys everything as `me` and supplies both markets. */
export async function deployExchange(me) {
  const wrapped = await me.deploy('WrappedChm');
  const registry = await me.deploy('MarketRegistry', [me.address]);
  const trader = await me.deploy('Trader', [registry.address, wrapped.address]);
  const red = await me.deploy('Coin', ['Red', 'RED', SUPPLY]);
  const blue = await me.deploy('Coin', ['Blue', 'BLUE', SUPPLY]);
  for (const coin of [red, blue]) await me.write(coin, 'approve', [trader.address, SUPPLY]);
  await me.write(trader, 'supply', [red.address, blue.address, DEPTH, 2n * DEPTH, me.address, NEVER]);
  await me.write(trader, 'supplyChm', [blue.address, DEPTH, me.address, NEVER], { value: parseEther('10') });
  const market = {
    address: await me.read(registry, 'marketOf', [red.address, blue.address]),
    abi: artifact('Market').abi,
  };
  return { wrapped, registry, trader, red, blue, market };
}
