// The page of `chlom lane serve`, in Chromium: what it shows is what `chlom lane status` says, on an address of its own.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openBrowser } from '../runner/browser.mjs';
import { DESKTOP, PHONE, Shown } from '../runner/page.mjs';
import { execute, launch } from '../runner/processes.mjs';

export const title = 'page of a lane';
export const accounts = 0;

const PAYER = '0x0707070707070707070707070707070707070707';
const HOSTILE = '<b onclick=alert(1)>monday.csv';

export async function run(t) {
  const folder = await t.folder();
  const data = join(folder, 'op');
  const attempt = (...args) => execute(t.binary, ['lane', ...args], { cwd: folder });
  const lane = async (...args) => {
    const result = await attempt(...args);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };
  const status = async () => JSON.parse(await lane('status', '--data', data, '--json')).lanes[0];

  await t.need('an operator has receipts, and a file with a line that is refused', async () => {
    await lane('init', '--data', data, '--lane', 'adluxe');
    await lane('generate', '--receipts', '3000', '--licenses', '20', '--seed', '5', '--out', 'made');
    const [first, ...lines] = (await readFile(join(folder, 'made/receipts.csv'), 'utf8')).trim().split('\n');
    const broken = lines[0].replace(/,[^,]*,USD,/, ',1.5.5,USD,');
    await writeFile(join(folder, HOSTILE), [first, ...lines.slice(0, 1_000), broken].join('\n'));
    const read = await attempt('ingest', '--data', data, '--payer', PAYER, '--source', 'shop', HOSTILE);
    assert.equal(read.code, 7, read.stderr);
  });

  const chain = await t.ownChain('--automine');
  const serve = ['lane', 'serve', '--data', data, '--listen', '127.0.0.1:0', '--json'];
  const server = launch(t.binary, [...serve, '--rpc', chain.http]);
  server.stderr.resume();
  const ready = await t.need('it says where receipts go, and where the page is', () => firstLine(server));
  assert.notEqual(ready.http, ready.page);

  await t.check('the page is not where receipts go, and receipts are not where the page is', async () => {
    const answer = async (base, path, options) => (await fetch(new URL(path, base), options)).status;
    assert.equal(await answer(ready.http, '/page'), 404);
    assert.equal(await answer(ready.http, '/', { headers: { accept: 'text/html' } }), 404);
    assert.equal(await answer(ready.page, '/v1/receipts', { method: 'POST', body: '[]' }), 404);
    assert.equal(await answer(ready.page, '/page'), 200);
    assert.match(await (await fetch(ready.page)).text(), /<!doctype html>/, 'the root leads there');
  });

  const browser = await t.need('Chromium starts', () => openBrowser(join(folder, 'browser')));
  try {
    const desk = await Shown.open(browser, ready.page, DESKTOP);

    await t.check('receipts, files and refusals are those of chlom lane status', async () => {
      const { periods, imports } = await status();
      const now = await desk.once(t, ({ parts }) => assert.ok(parts.operator?.rows.length > 0));
      const count = (text) => Number(text.replaceAll(',', ''));
      const sum = (of) => periods.reduce((all, period) => all + of(period), 0);
      assert.deepEqual([count(now.tiles.Receipts), count(now.tiles.Waiting)], [sum((p) => p.receipts), sum((p) => p.waiting)]);
      for (const { period, receipts, waiting } of periods) {
        const row = now.parts.operator.rows.find(({ key, Period }) => Period && key === String(period));
        assert.deepEqual([count(row.Receipts), count(row.Waiting)], [receipts, waiting]);
      }
      const file = now.parts.operator.rows.find((row) => row.File);
      assert.deepEqual([file.File, count(file.New), count(file.Refused)], [HOSTILE, imports[0].accepted, imports[0].refused]);
      const [refused] = now.parts.rejects.rows;
      assert.deepEqual([refused.File, refused.Line], [HOSTILE, '1002']);
      assert.match(refused.Reason, /\w/);
      await desk.isSound();
    });

    await t.check('receipts that come over HTTP are seen, live', async () => {
      const [key] = (await lane('key', 'add', '--data', data, '--payer', PAYER, '--source', 'web')).match(/chlom_key_[0-9a-f]{64}/);
      const ts = '2025-09-02T12:00:00Z';
      const receipt = { event: 'order', ts, order_id: 'OR-1', license_id: '<i>x', gross: '84.00', discount: '4.00', net: '80.00', currency: 'USD' };
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const body = JSON.stringify([receipt]);
      const before = (await status()).periods.reduce((all, { receipts }) => all + receipts, 0);
      const answer = await fetch(new URL('/v1/receipts', ready.http), { method: 'POST', headers, body });
      assert.equal(answer.status, 200, await answer.text());
      await desk.once(t, ({ tiles }) => assert.equal(Number(tiles.Receipts.replaceAll(',', '')), before + 1));
    });

    await t.check('the chain is shown too; one that is gone is said to be gone', async () => {
      await desk.once(t, ({ height, parts }) => assert.ok(height >= 0 && /adluxe/.test(parts.lanes.text)));
      const phone = await Shown.open(browser, ready.page, PHONE);
      await phone.once(t, ({ parts }) => assert.ok(parts.operator?.rows.length > 0));
      await phone.isSound();
      await desk.picture('operator-desk');
      await phone.picture('operator-phone');
      await chain.stop();
      const now = await desk.once(t, ({ notice }) => assert.match(notice, /The chain is not up to date/));
      assert.ok(now.parts.operator.rows.length > 0);
    });
  } finally {
    await browser.close();
  }

  await t.check('a page that is off is off; one whose address is taken is refused', async () => {
    const off = launch(t.binary, [...serve, '--page', 'off']);
    off.stderr.resume();
    assert.equal((await firstLine(off)).page, null);
    off.kill('SIGTERM');
    const taken = await execute(t.binary, [...serve, '--page', new URL(ready.page).host]);
    assert.deepEqual([taken.code, /cannot listen/.test(taken.stderr)], [3, true], taken.stderr);
  });
  server.kill('SIGTERM');
  await t.check('SIGTERM ends it, page and all', async () => assert.equal((await server.ended).code, 0));
}

async function firstLine(child) {
  const ended = child.ended.then(({ code }) => Promise.reject(new Error(`it ended with ${code}`)));
  const line = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  return JSON.parse(await Promise.race([line, ended]));
}
