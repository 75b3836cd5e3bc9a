// `chlom demo --stay` in Chromium: the story is seen while it is told, and at its end every figure is the chain's.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keccak256, toHex } from 'viem';
import { publicClient } from '../ethereum/clients.mjs';
import { openBrowser } from '../runner/browser.mjs';
import { chlomOf } from '../runner/chlom.mjs';
import { DESKTOP, minor, PHONE, Shown } from '../runner/page.mjs';
import { launch } from '../runner/processes.mjs';
import { rpcClient } from '../runner/rpc.mjs';

export const title = 'page of the demo';
export const accounts = 0;

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
/** What a licence may be called; the last turns what stands behind it, and is shown without. */
const HOSTILE = { 'AST-9000': '<img src=x onerror=alert(1)>', 'AST-9001': '"><script>alert(2)</script>', 'AST-9002': 'AST\u202e2009' };
const shownName = (name) => (HOSTILE[name] ?? name).replace('\u202e', '\ufffd');

export async function run(t) {
  const folder = await t.folder();
  const [receipts, licences] = await hostileInput(folder);
  const demo = launch(t.binary, ['demo', '--stay', '--receipts', receipts, '--licenses', licences]);
  let told = '';
  demo.stderr.setEncoding('utf8').on('data', (text) => (told += text));
  demo.stdout.resume();
  const says = (pattern) =>
    t.eventually(async () => {
      await new Promise(setImmediate);
      const found = told.match(pattern);
      assert.ok(found, told);
      return found;
    });
  const [, http] = await t.need('the demo says where to look at it', () => says(/look at it on (http:\S+)/));
  const chain = { http, ws: http.replace('http', 'ws'), chainId: 7272, rpc: rpcClient(http) };
  const browser = await t.need('Chromium starts', () => openBrowser(join(folder, 'browser')));
  try {
    await watch();
  } finally {
    await browser.close();
  }

  async function watch() {
    const desk = await Shown.open(browser, http, { ...DESKTOP, dark: true });
    await t.need('the story is seen while it is told', async () => {
      const states = new Set();
      await desk.once(t, ({ parts }) => {
        for (const { State } of parts.batches?.rows ?? []) states.add(State);
        assert.ok(states.size > 0, 'a batch comes');
      });
    });
    await t.need('it comes to its end, and the chain stays', () => says(/The chain goes on: look at it on http/));

    await t.check('at the end every figure is the worked example’s and the chain’s', async () => {
      const { totals } = JSON.parse(await readFile(at('devnet/data/demo/expected.json'), 'utf8'));
      const reader = publicClient(chain);
      const { PayoutProofs: proofs, LicenseRegistry: registry } = await chlomOf(t.binary, chain).json('contracts');
      const now = await desk.once(t, ({ parts, legend }) => {
        assert.equal(minor(legend.withdrawn, 6), BigInt(totals.paid));
        assert.ok(parts.frauds.rows.length === 1 && !/pending/.test(parts.frauds.rows[0]['Watcher won']));
      });
      assert.equal(minor(now.legend.fees, 6), BigInt(totals.fees));
      assert.equal(minor(now.legend.left, 6), BigInt(totals.residual), 'what flooring leaves');
      const blockNumber = BigInt(now.height);
      const logs = async (eventName) =>
        reader.getContractEvents({ ...proofs, eventName, fromBlock: 0n, toBlock: blockNumber });
      const [fraud] = now.parts.frauds.rows;
      const [[{ args: voided }], [{ args: award }]] = [await logs('BatchVoided'), await logs('AwardPaid')];
      assert.equal(fraud.key, voided.batchRoot);
      assert.equal(minor(fraud['Submitter lost'], 18), voided.slashed);
      assert.equal(minor(fraud['Watcher won'], 18), award.reward);
      assert.ok(fraud['Watcher won'].toLowerCase().includes(award.winner.toLowerCase()));
      const accepted = await logs('BatchAccepted');
      assert.deepEqual(now.parts.batches.rows.map(({ key }) => key).sort(), accepted.map(({ args }) => args.batchRoot).sort());
      assert.deepEqual(now.parts.batches.rows.map(({ State }) => State).sort(), ['settled', 'void']);
      for (const { key, Royalty } of now.parts.licences.rows) {
        const [, , bps] = await reader.readContract({ ...registry, functionName: 'licenses', args: [key], blockNumber });
        assert.equal(Royalty, `${Number(bps) / 100} %`, key);
      }
    });

    await t.check('names of licences are shown as text, whatever they are', async () => {
      const { parts } = await desk.now();
      const documents = JSON.parse(await readFile(licences, 'utf8'));
      const shown = new Map(parts.licences.rows.map((row) => [row.key, row.Licence]));
      for (const { id } of documents) assert.ok(shown.get(keccak256(toHex(id))).startsWith(id.replace('\u202e', '\ufffd')), id);
      assert.ok(Object.keys(HOSTILE).every((name) => parts.licences.text.includes(shownName(name))));
      await desk.isSound();
    });

    await t.check('a licence is found by its name', async () => {
      const seek = (text) => {
        const input = document.getElementById('find');
        input.value = text;
        input.dispatchEvent(new Event('input'));
      };
      await desk.page.look(seek, 'ast-9005');
      assert.deepEqual((await desk.now()).parts.licences.rows.map(({ key }) => key), [keccak256(toHex('AST-9005'))]);
      await desk.page.look(seek, '');
    });

    await t.check('pictures are kept, of a phone too', async () => {
      const phone = await Shown.open(browser, http, PHONE);
      await phone.once(t, ({ height }) => assert.ok(height >= 0));
      await phone.isSound();
      await desk.picture('demo-desk-dark');
      await phone.picture('demo-phone');
    });

    await t.check('SIGINT ends it, with exit code 0', async () => {
      demo.kill('SIGINT');
      assert.equal((await demo.ended).code, 0, told);
    });
  }
}

/** The worked example, with some names that nobody should take for markup. */
async function hostileInput(folder) {
  const [receipts, licences] = [join(folder, 'receipts.csv'), join(folder, 'licenses.json')];
  const renamed = (name) => HOSTILE[name] ?? name;
  const documents = JSON.parse(await readFile(at('devnet/data/demo/licenses.json'), 'utf8'));
  for (const document of documents) {
    document.id = renamed(document.id);
    if (document.parent) document.parent.id = renamed(document.parent.id);
  }
  await writeFile(licences, JSON.stringify(documents));
  const cell = (text) => (/[",<]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = (await readFile(at('devnet/data/demo/receipts.csv'), 'utf8')).split('\n');
  const line = (text) => text.split(',').map((field) => cell(renamed(field))).join(',');
  await writeFile(receipts, lines.map(line).join('\n'));
  return [receipts, licences];
}
