// The page of `chlom dev`, in Chromium: what it shows is what the chain says, live, on a phone and a desk, whatever others wrote.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { encodeFunctionData, keccak256, pad, toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { openBrowser, REBOUND } from '../runner/browser.mjs';
import { chlomOf } from '../runner/chlom.mjs';
import { DESKTOP, minor, PHONE, Shown } from '../runner/page.mjs';
import { launch } from '../runner/processes.mjs';
import { openSocket } from '../runner/socket.mjs';

export const title = 'page';
export const accounts = 0;

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const ZERO = pad('0x0');
const PERIOD = 20250901;
const POLICY = keccak256(toHex('a pack for the page'));
const HOSTILE = '"><img src=x onerror=alert(1)>\u202e';
const STATES = ['none', 'open', 'void', 'final', 'settled'];
const LICENCE_STATES = ['draft', 'active', 'suspended', 'revoked', 'expired'];
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

const idOf = (name) => keccak256(toHex(name));

export async function run(t) {
  const chain = await t.ownChain('--automine', '--accounts', '20', '--cors', 'https://app.example');
  const [account] = chain.accounts;
  const chlom = chlomOf(t.binary, chain);
  const { read, write, deploy, reader } = actor(chain, account);
  const all = await chlom.json('contracts');
  const { PayoutProofs: proofs, LicenseRegistry: registry, RoyaltyLedger: ledger, LaneRegistry: lanes } = all;
  const laneId = (name) => keccak256(toHex(name)).slice(0, 42);
  const planted = async (kind) =>
    (await chlom.run('drill', 'fraud', '--kind', kind, '--json')).trim().split('\n').map((line) => JSON.parse(line));
  const get = (path, headers = {}) => fetch(new URL(path, chain.http), { headers });

  await t.check('figures are written to the last unit', async () => {
    const text = await readFile(at('crates/page/assets/format.js'));
    const { amount, duration, percent, period } = await import(`data:text/javascript;base64,${text.toString('base64')}`);
    for (const [minor, decimals, shown] of [
      ['0', 6, '0.00'],
      ['1', 6, '0.000001'],
      ['1500000', 6, '1.50'],
      ['123456789012', 6, '123,456.789012'],
      ['4000000000000000000000', 18, '4,000'],
      ['1', 18, '0.000000000000000001'],
      ['1234567', 0, '1,234,567'],
      [String(2n ** 128n), 2, '3,402,823,669,209,384,634,633,746,074,317,682,114.56'],
    ]) {
      assert.equal(amount(minor, decimals), shown);
    }
    assert.deepEqual([0, 250, 1_005, 2_000, 10_000].map(percent), ['0 %', '2.5 %', '10.05 %', '20 %', '100 %']);
    assert.deepEqual([0, 59, 3_600, 604_799].map(duration), ['0 s', '59 s', '1 h', '6 d 23 h']);
    assert.equal(period(20250901), '2025-09-W01');
  });

  await t.check('a browser gets the page at the root; programs get what they got before', async () => {
    const page = await get('/', BROWSER);
    assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
    assert.match(page.headers.get('content-security-policy'), /default-src 'none'/);
    assert.match(await (await get('/')).text(), /^CHLOM: JSON-RPC by POST/);
    assert.equal((await get('/health', BROWSER)).headers.get('content-type'), 'application/json');
    assert.match(await (await get('/metrics', BROWSER)).text(), /^# /);
    assert.equal(await chain.rpc.eth_chainId(), '0x1c68');
    const socket = await openSocket(chain.ws);
    assert.equal(await socket.call('eth_chainId'), '0x1c68');
    socket.close();
  });

  await t.check('the page has methods and files of its own, and no origin is let in', async () => {
    const origin = { origin: 'https://app.example' };
    for (const path of ['/page', '/page/state', '/page/page.js', '/page/no-such-file']) {
      const answer = await get(path, origin);
      assert.equal(answer.headers.get('access-control-allow-origin'), null, path);
      assert.equal(answer.headers.get('cross-origin-resource-policy'), 'same-origin', path);
    }
    assert.equal((await get('/page/no-such-file')).status, 404);
    assert.equal((await fetch(new URL('/page/state', chain.http), { method: 'POST', body: '{}' })).status, 405);
    assert.equal((await fetch(new URL('/page', chain.http), { method: 'HEAD' })).status, 200);
    const call = { method: 'POST', headers: { ...origin, 'content-type': 'application/json' } };
    const called = await fetch(chain.http, { ...call, body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}' });
    assert.equal(called.headers.get('access-control-allow-origin'), 'https://app.example', 'JSON-RPC as before');
  });

  const browser = await t.need('Chromium starts', async () => openBrowser(await t.folder()));
  try {
    await inBrowser();
  } finally {
    await browser.close();
  }

  async function inBrowser() {
    const desk = await Shown.open(browser, chain.http, DESKTOP);
    const phone = await Shown.open(browser, chain.http, PHONE);

    await t.check('an empty chain: lanes of genesis, a head that moves, and what to do next', async () => {
      const first = await desk.once(t, ({ height }) => assert.ok(height >= 0));
      const heads = new Set();
      await desk.once(t, ({ height }) => assert.ok(heads.add(height).size >= 3, 'the head moves by itself'));
      assert.match(first.parts.lanes.text, /adluxe.*media-ott|media-ott.*adluxe/s);
      assert.match(first.parts.licences.text, /chlom license import/);
      assert.deepEqual(first.parts.batches.rows, []);
      await desk.isSound();
    });

    await t.check('a name that somebody pointed at this machine sees nothing', async () => {
      const { port } = new URL(chain.http);
      const rebound = await Shown.open(browser, `http://${REBOUND}:${port}/page`, DESKTOP);
      const text = await rebound.page.look(() => document.body.textContent);
      assert.match(text, /only here under an address in figures/);
      const fetched = (url) => fetch(url).then((answer) => answer.status, () => 'refused');
      assert.equal(await rebound.page.look(fetched, `http://${REBOUND}:${port}/page/state`), 421);
      assert.equal(await rebound.page.look(fetched, `${chain.http}/page/state`), 'refused', 'another origin cannot read');
    });

    await t.check('what governance named is shown as text, and forgotten when the chain goes back', async () => {
      const before = await chain.rpc.evm_snapshot();
      const [, terms] = await read(lanes, 'parametersAt', [laneId('adluxe'), 2_000_000_000n]);
      const data = encodeFunctionData({ abi: lanes.abi, functionName: 'addLane', args: [HOSTILE, terms] });
      const timelock = all.TimelockController;
      await write(timelock, 'schedule', [lanes.address, 0n, data, ZERO, ZERO, 1n]);
      await chain.rpc.evm_increaseTime(2);
      await chain.rpc.evm_mine();
      await write(timelock, 'execute', [lanes.address, 0n, data, ZERO, ZERO]);
      const shown = HOSTILE.replace('\u202e', '\ufffd');
      await desk.once(t, ({ parts }) => assert.ok(parts.lanes.text.includes(shown)));
      await desk.isSound();
      assert.equal(await chain.rpc.evm_revert(before), true);
      await desk.once(t, ({ parts }) => assert.ok(!parts.lanes.text.includes('onerror')));
    });

    await t.need('licences are shown as the chain has them', async () => {
      const height = BigInt(await chain.rpc.eth_blockNumber());
      await write(all.PolicyRegistry, 'activate', [POLICY, height + 3n]);
      for (let mined = 0; mined < 3; mined += 1) await chain.rpc.evm_mine();
      await chlom.run('license', 'import', at('devnet/data/licences.json'), '--policy', POLICY, '--from', account.address);
      const now = await desk.once(t, ({ parts }) => assert.equal(parts.licences.rows.length, 23));
      const blockNumber = BigInt(now.height);
      const { timestamp } = await reader.getBlock({ blockNumber });
      for (const row of now.parts.licences.rows) {
        const [, , royaltyBps, startTs] = await read(registry, 'licenses', [row.key], { blockNumber });
        const { state } = await read(registry, 'stateAt', [row.key, timestamp, timestamp], { blockNumber });
        assert.equal(row.Licence, row.key, 'the chain has no name');
        assert.equal(row.State, LICENCE_STATES[state]);
        assert.equal(row.Royalty, `${Number(royaltyBps) / 100} %`);
        assert.ok(row['In force'].startsWith(new Date(Number(startTs) * 1_000).toISOString().slice(0, 10)));
      }
      assert.match(now.tiles.Licences, /^23/);
    });

    await t.check('payees are shown with what they can withdraw, and what they took', async () => {
      const token = await settledRows(t, { chain, account, all, read, write, deploy });
      const due = async (blockNumber) => {
        const payees = new Map();
        const { licenses } = JSON.parse(await readFile(at('spec/vectors/demo/expected.json'), 'utf8'));
        for (const { id } of licenses) {
          const key = await read(ledger, 'routeKeyOf', [idOf(id), PERIOD], { blockNumber });
          const [allocations] = await read(ledger, 'payoutReceipt', [token.address, key], { blockNumber });
          for (const [index, { to, amount }] of allocations.entries()) {
            const [can] = await read(ledger, 'withdrawable', [{ key, token: token.address, index }], { blockNumber });
            const known = payees.get(to.toLowerCase()) ?? { can: 0n, taken: 0n };
            payees.set(to.toLowerCase(), { can: known.can + can, taken: known.taken + amount - can, key, index });
          }
        }
        return payees;
      };
      const agrees = async ({ height, parts, legend }) => {
        const expected = await due(BigInt(height));
        const shown = new Map(parts.payees.rows.map((row) => [row.key.split('-')[0].toLowerCase(), row]));
        assert.equal(shown.size, Math.min(100, expected.size));
        for (const [payee, row] of shown) {
          const { can, taken } = expected.get(payee);
          assert.deepEqual([minor(row['Can withdraw'], 6), minor(row.Taken, 6)], [can, taken], payee);
        }
        const withdrawn = [...expected.values()].reduce((sum, { taken }) => sum + taken, 0n);
        assert.equal(minor(legend.withdrawn, 6), withdrawn);
        return expected;
      };
      let expected;
      await desk.once(t, async (now) => {
        assert.ok(now.parts.payees.rows.length > 0);
        expected = await agrees(now);
      });
      const [, { key, index, can }] = [...expected].find(([, one]) => one.can > 0n);
      assert.ok(can > 0n);
      await write(ledger, 'withdraw', [{ key, token: token.address, index }]);
      const height = Number(await chain.rpc.eth_blockNumber());
      await desk.once(t, async (now) => {
        assert.ok(now.height >= height);
        await agrees(now);
      });
    });

    await t.check('batches count down, and a fraud that a watcher proves is shown, live', async () => {
      const [right] = await planted('right');
      const open = await desk.once(t, ({ parts }) => assert.ok(parts.batches.rows.some(({ key }) => key === right.batch)));
      const row = open.parts.batches.rows.find(({ key }) => key === right.batch);
      assert.equal(row.State, 'open');
      assert.match(row.Window, /^(7 d|6 d 23 h) left$/);
      const watching = await watcher(t, chain);
      const wrong = await planted('wrong-sum');
      const culprit = wrong.at(-1);
      const now = await desk.once(t, ({ parts }) => assert.ok(parts.frauds.rows.some(({ key }) => key === culprit.batch)));
      const fraud = now.parts.frauds.rows.find(({ key }) => key === culprit.batch);
      assert.match(fraud.Fraud, /^Wrong sum/);
      assert.ok(fraud['Watcher won'].includes(watching.address), fraud['Watcher won']);
      const blockNumber = BigInt(now.height);
      const logs = await reader.getContractEvents({ ...proofs, eventName: 'BatchVoided', fromBlock: 0n, toBlock: blockNumber });
      const { slashed } = logs.find(({ args }) => args.batchRoot === culprit.batch).args;
      assert.equal(minor(fraud['Submitter lost'], 18), slashed);
      for (const { key, State } of now.parts.batches.rows) {
        const { status } = await read(proofs, 'batchOf', [key], { blockNumber });
        assert.equal(State, STATES[status], key);
      }
      watching.child.kill('SIGTERM');
    });

    await t.check('a phone has all of it, without scrolling sideways', async () => {
      const [here, there] = [await desk.now(), await phone.once(t, async ({ height }) => assert.ok(height >= (await desk.now()).height))];
      assert.deepEqual(Object.keys(there.parts), Object.keys(here.parts));
      assert.deepEqual(there.parts.batches.rows.map(({ key }) => key), here.parts.batches.rows.map(({ key }) => key));
      await phone.isSound();
      const narrow = await Shown.open(browser, chain.http, { ...PHONE, width: 320, dark: true });
      await narrow.once(t, ({ height }) => assert.ok(height >= 0));
      await narrow.isSound();
    });

    await t.check('pictures are kept', async () => {
      await desk.picture('dev-desk');
      await phone.picture('dev-phone');
    });

    await t.check('a node that is gone is said to be gone, and what was known stays', async () => {
      const before = await desk.now();
      await chain.stop();
      const now = await desk.once(t, ({ notice }) => assert.match(notice, /does not answer/));
      assert.deepEqual([now.live, now.parts.licences.rows], ['lost', before.parts.licences.rows]);
    });
  }
}

/** The rows of the worked example, settled by the first account out of a pot of its own. */
async function settledRows(t, { chain, account, all, write, deploy }) {
  const { RoyaltyLedger: ledger, TimelockController: timelock } = all;
  const expected = JSON.parse(await readFile(at('spec/vectors/demo/expected.json'), 'utf8'));
  const supply = BigInt(expected.totals.gross) * 3n;
  const token = await deploy('Dollar', [supply]);
  const data = encodeFunctionData({ abi: ledger.abi, functionName: 'enableToken', args: [token.address, 6] });
  await write(timelock, 'schedule', [ledger.address, 0n, data, ZERO, ZERO, 1n]);
  await chain.rpc.evm_increaseTime(2);
  await chain.rpc.evm_mine();
  await write(timelock, 'execute', [ledger.address, 0n, data, ZERO, ZERO]);
  await write(token, 'approve', [ledger.address, supply]);
  const [batch, lane] = [keccak256(toHex('batch 1')), keccak256(toHex('adluxe')).slice(0, 42)];
  await write(ledger, 'deposit', [token.address, lane, account.address, supply]);
  const most = expected.licenses.reduce((sum, { base }) => sum + BigInt(base), 0n);
  await write(ledger, 'reserve', [batch, token.address, lane, account.address, most]);
  const base = { batch, lane, period: PERIOD, token: token.address, payer: account.address };
  const rows = expected.licenses.map(({ id, revenue }) => ({ ...base, licence: idOf(id), revenue: BigInt(revenue) }));
  for (let start = 0; start < rows.length; start += 8) await write(ledger, 'settleBatch', [rows.slice(start, start + 8)]);
  return token;
}

/** A watcher with the last account's key; ready when it says so. */
async function watcher(t, chain) {
  const { privateKey, address } = chain.accounts.at(-1);
  const folder = await t.folder();
  const key = join(folder, 'key');
  await writeFile(key, privateKey, { mode: 0o600 });
  const args = ['watch', '--rpc', chain.http, '--dir', join(folder, 'watch'), '--key-file', key, '--listen', '127.0.0.1:0'];
  const child = launch(t.binary, [...args, '--poll', '50', '--json']);
  child.stderr.resume();
  await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.ended.then(({ code }) => reject(new Error(`the watcher ended with ${code}`)));
  });
  return { child, address };
}
