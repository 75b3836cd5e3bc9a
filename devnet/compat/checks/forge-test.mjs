// `forge test --fork-url`: tests that run on the chain's own state.
import assert from 'node:assert/strict';
import { actor } from '../ethereum/clients.mjs';
import { deployExchange } from '../ethereum/exchange.mjs';
import { forge } from '../runner/tools.mjs';

export const title = 'forge test';
export const accounts = 1;

export async function run(t) {
  const { chain } = t;
  const me = actor(chain, t.accounts[0]);

  await t.check('passes without a chain', () => forge('test'));

  const { trader, red, blue, market } = await t.need('the exchange is there to be tested', () => deployExchange(me));
  const env = {
    FOUNDRY_PROFILE: 'fork',
    CHAIN_ID: String(chain.chainId),
    TRADER: trader.address,
    RED: red.address,
    BLUE: blue.address,
    HOLDER: me.address,
  };
  const fork = (...args) => forge.with({ env }, 'test', '--fork-url', chain.http, ...args);

  await t.check('--fork-url passes on the latest state, fuzzed', async () => {
    assert.match(await fork(), /4 tests passed, 0 failed/);
  });

  await t.check('--fork-block-number passes on a state of the past', async () => {
    const then = await me.reader.getBlockNumber();
    await me.write(red, 'transfer', [market.address, 1n]);
    const books = 'test_the_books_match_the_balances';
    assert.match(await fork('--match-test', books, '--fork-block-number', String(then)), /1 tests passed, 0 failed/);
    const { code, stdout } = await forge.attemptWith({ env }, 'test', '--fork-url', chain.http, '--match-test', books);
    assert.notEqual(code, 0, `the books should no longer match after a gift:\n${stdout}`);
  });
}
