// Do block times move while cells are made? One `chlom dev` at its own pace, its intervals between blocks before and while a
// blob of 32 rows is proven, on the clock of this process.
//
//   node devnet/bench/pacing.mjs --chlom BINARY [--blocks 30] [--json FILE]
//
// Exit code 1 when the median or the longest interval moves by more than MOST.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/** By how much of the block time the median and the longest interval may move. */
const MOST = { median: 0.02, longest: 0.1 };
const BLOCK_MS = 1200;
/** Payload of 32 rows less the file's own prefix. */
const BYTES = 32 * 126_976 - 16;
const LOOK_MS = 5;

const { values } = parseArgs({
  options: { chlom: { type: 'string' }, blocks: { type: 'string', default: '30' }, json: { type: 'string' } },
});
if (!values.chlom) throw new Error('name the binary: --chlom target/release/chlom');
const wanted = Number(values.blocks);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const folder = await mkdtemp(join(tmpdir(), 'chlom-pacing-'));
const node = spawn(values.chlom, ['dev', '--json', '--port', '0', '--accounts', '1'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const lines = createInterface({ input: node.stdout });
  const { http, accounts } = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);
  let id = 0;
  const ask = async (method, ...params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: (id += 1), method, params });
    const answer = await fetch(http, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const { result, error } = await answer.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };

  /** Milliseconds between blocks, until `done` says that there are enough. */
  async function intervals(done) {
    const found = [];
    let [height, at] = [await ask('eth_blockNumber'), undefined];
    while (!(await done(found.length))) {
      const now = await ask('eth_blockNumber');
      if (now !== height) {
        if (Number(now) !== Number(height) + 1) throw new Error(`blocks ${height} to ${now} between two looks`);
        const time = performance.now();
        if (at !== undefined) found.push(time - at);
        [height, at] = [now, time];
      }
      await pause(LOOK_MS);
    }
    return found;
  }
  const figures = (all) => {
    const sorted = [...all].sort((a, b) => a - b);
    return { blocks: all.length, median: sorted[Math.floor(sorted.length / 2)], longest: sorted.at(-1) };
  };

  const before = figures(await intervals((blocks) => blocks >= wanted));

  const file = join(folder, 'body');
  await writeFile(file, randomBytes(BYTES));
  let putting = true;
  const started = performance.now();
  const args = ['blob', 'put', file, '--lane', 'adluxe', '--period', '2025-09-W01', '--from', accounts[0].address];
  const put = spawn(values.chlom, [...args, '--json', '--rpc', http], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve, reject) => {
    put.on('error', reject);
    put.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`chlom blob put ended with ${code}`))));
  }).finally(() => {
    putting = false;
  });
  // A failure is reported where it is awaited below.
  ended.catch(() => {});
  const during = figures(await intervals(() => !putting));
  await ended;
  const seconds = (performance.now() - started) / 1000;
  if (during.blocks === 0) throw new Error('the blob was made within one block: nothing was measured');

  const moved = {
    median: Math.abs(during.median - before.median) / BLOCK_MS,
    longest: Math.max(0, during.longest - before.longest) / BLOCK_MS,
  };
  const ms = (n) => n.toFixed(1).padStart(9);
  console.log(`block intervals at ${BLOCK_MS} ms, ms; a blob of 32 rows took ${seconds.toFixed(1)} s until available`);
  console.log(`${'figure'.padEnd(10)}${'before'.padStart(9)}${'during'.padStart(9)}${'moved'.padStart(9)}${'most'.padStart(9)}`);
  for (const name of ['median', 'longest']) {
    const share = (n) => `${(100 * n).toFixed(1)}%`.padStart(9);
    console.log(`${name.padEnd(10)}${ms(before[name])}${ms(during[name])}${share(moved[name])}${share(MOST[name])}`);
  }
  console.log(`${'blocks'.padEnd(10)}${String(before.blocks).padStart(9)}${String(during.blocks).padStart(9)}`);
  if (values.json) await writeFile(values.json, JSON.stringify({ before, during, moved, seconds }, null, 2));
  if (moved.median > MOST.median || moved.longest > MOST.longest) process.exitCode = 1;
} finally {
  node.kill('SIGTERM');
  await new Promise((resolve) => node.once('exit', resolve));
  await rm(folder, { recursive: true, force: true });
}
