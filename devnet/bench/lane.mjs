// An operator's figures on processes as an operator runs them: 1M receipts from CSV to submitted batches, receipts over HTTP into
// SQLite and Postgres, and what an idle watcher costs. The proofs of data availability are the node's work and counted apart.
//
//   node devnet/bench/lane.mjs --chlom BINARY [--receipts 1000000] [--licenses 500] [--http 200000] [--idle 60] [--json FILE]
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { flood } from './lane/flood.mjs';
import { startPostgres } from './lane/postgres.mjs';
import { cpuSeconds, peakMemory } from './lane/process.mjs';

const { values: flags } = parseArgs({
  options: {
    chlom: { type: 'string' },
    receipts: { type: 'string', default: '1000000' },
    licenses: { type: 'string', default: '500' },
    http: { type: 'string', default: '200000' },
    idle: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
});
if (!flags.chlom) throw new Error('name the binary: --chlom target/release/chlom');

const GOALS = {
  csv_to_submitted_s: ['<=', 20],
  peak_memory_mb: ['<=', 500],
  http_sqlite_per_s: ['>=', 20_000],
  http_postgres_per_s: ['>=', 10_000],
  idle_watcher_core_percent: ['<=', 1],
};
const CHM = 10n ** 18n;
/** What payers and submitters of a bench need not worry about. */
const RICH = `0x${(10n ** 12n * CHM).toString(16)}`;

const folder = await mkdtemp(join(tmpdir(), 'chlom-lane-'));
const figures = {};
const left = [];
process.on('exit', () => left.forEach((child) => child.kill('SIGKILL')));

/** Runs a command to its end; gives what it printed, how long it took, and its most memory. */
async function chlom(...args) {
  const started = performance.now();
  const child = spawn(flags.chlom, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const memory = peakMemory(child.pid);
  let out = '';
  child.stdout.on('data', (data) => (out += data));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`chlom ${args.join(' ')} ended with ${code}: ${out}`);
  return { out, seconds: (performance.now() - started) / 1000, memory: memory.stop() };
}

/** Starts a service that prints one line of JSON when it is ready. */
async function service(...args) {
  const child = spawn(flags.chlom, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  left.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = JSON.parse((await lines.next()).value);
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  };
  return { ready, pid: child.pid, stop };
}

async function ask(http, method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await fetch(http, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { result, error } = await answer.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

const say = (text) => process.stderr.write(`${text}\n`);

/** A chain with the licences, a rich payer that consents, a submitter with collateral. */
async function world(made) {
  const mnemonic = ['0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', '0x70997970C51812dc3A010C7d01b50e0d17dc79C8', '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'];
  const genesis = join(folder, 'genesis.json');
  const alloc = Object.fromEntries(mnemonic.map((address) => [address, { balance: RICH }]));
  const timestamp = `0x${(Math.floor(Date.now() / 1000) - 3600).toString(16)}`;
  await writeFile(genesis, JSON.stringify({ timestamp, alloc }));
  const node = await service('dev', '--json', '--port', '0', '--automine', '--genesis', genesis, '--accounts', '4');
  const rpc = ['--rpc', node.ready.http];
  const [governor, payer, operator] = mnemonic;
  const { out } = await chlom('lane', 'period', '--last', ...rpc);
  const period = out.trim();
  await chlom('lane', 'generate', '--receipts', flags.receipts, '--licenses', flags.licenses, '--seed', '7', '--period', period, '--out', made);
  const pack = join(folder, 'pack.json');
  await writeFile(pack, '{"pack":"bench"}');
  const active = (await chlom('policy', 'activate', pack, '--from', governor, ...rpc)).out.trim();
  say('licences …');
  await chlom('license', 'import', join(made, 'licenses.json'), '--policy', active, '--from', governor, ...rpc);
  const lane = ['--lane', 'adluxe', ...rpc];
  await chlom('lane', 'submitter', 'register', operator, '--from', governor, ...lane);
  await chlom('lane', 'collateral', 'add', '--chm', '10000000000', '--from', operator, ...rpc);
  await chlom('lane', 'pot', 'deposit', '--amount', '10000000000', '--from', payer, ...lane);
  await chlom('lane', 'allowance', 'set', '--period', period, '--limit', '10000000000', '--source', 'shop', '--unsigned-sources', '--from', payer, ...lane);
  return { node, rpc, payer, operator };
}

async function throughTheChain() {
  const made = join(folder, 'made');
  const { node, rpc, payer, operator } = await world(made);
  const data = join(folder, 'op');
  await chlom('lane', 'init', '--data', data, '--lane', 'adluxe', ...rpc);
  say('ingesting …');
  const ingest = await chlom('lane', 'ingest', '--data', data, '--payer', payer, '--source', 'shop', join(made, 'receipts.csv'));
  Object.assign(figures, { ingest_s: ingest.seconds, batch_s: 0, publish_s: 0, submit_s: 0, batches: 0 });
  let memory = ingest.memory;
  const common = ['--data', data, '--from', operator, ...rpc, '--json'];
  for (;;) {
    say(`batch ${figures.batches + 1} …`);
    const built = await chlom('lane', 'batch', ...common);
    figures.batch_s += built.seconds;
    if (!built.out.includes('"built"')) break;
    const published = await chlom('lane', 'publish', ...common);
    figures.publish_s += published.seconds;
    const submitted = await chlom('lane', 'submit', ...common);
    figures.submit_s += submitted.seconds;
    figures.batches += 1;
    memory = Math.max(memory, built.memory, published.memory, submitted.memory);
  }
  const status = JSON.parse((await chlom('lane', 'status', '--data', data, '--json')).out);
  await writeFile(join(folder, 'status.json'), JSON.stringify(status));
  figures.csv_to_submitted_s = figures.ingest_s + figures.batch_s + figures.submit_s;
  figures.peak_memory_mb = memory;
  await node.stop();
}

async function overHttp(database, name) {
  const data = join(folder, name);
  const env = database ? { ...process.env, CHLOM_DATABASE: database } : process.env;
  Object.assign(process.env, env);
  await chlom('lane', 'init', '--data', data, '--lane', 'adluxe');
  delete process.env.CHLOM_DATABASE;
  const payer = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
  const key = (await chlom('lane', 'key', 'add', '--data', data, '--payer', payer, '--source', 'shop')).out.trim();
  const server = await service('lane', 'serve', '--data', data, '--listen', '127.0.0.1:0', '--json');
  say(`HTTP into ${name} …`);
  const { perSecond } = await flood({ http: server.ready.http, key, receipts: Number(flags.http), perRequest: 100, connections: 8 });
  figures[`http_${name}_per_s`] = perSecond;
  await server.stop();
}

async function idleWatcher() {
  const node = await service('dev', '--json', '--port', '0', '--accounts', '4');
  const account = (await ask(node.ready.http, 'eth_accounts'))[3];
  const child = spawn(flags.chlom, ['watch', '--dir', join(folder, 'watch'), '--from', account, '--rpc', node.ready.http], { stdio: 'ignore' });
  left.push(child);
  say(`an idle watcher for ${flags.idle} s …`);
  // Starting is not idling.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const before = cpuSeconds(child.pid);
  await new Promise((resolve) => setTimeout(resolve, Number(flags.idle) * 1_000));
  if (child.exitCode !== null) throw new Error(`the watcher ended with ${child.exitCode}`);
  figures.idle_watcher_core_percent = (100 * (cpuSeconds(child.pid) - before)) / Number(flags.idle);
  child.kill('SIGTERM');
  await node.stop();
}

try {
  await throughTheChain();
  await overHttp(undefined, 'sqlite');
  const postgres = await startPostgres();
  if (postgres) {
    await overHttp(postgres.url, 'postgres');
    await postgres.stop();
  } else {
    say('PostgreSQL is missing (make postgres): its figure is left out');
  }
  await idleWatcher();
  console.log(`${flags.receipts} receipts of ${flags.licenses} licences; HTTP in requests of 100, 8 connections, generator on the same cores`);
  console.log(`${'figure'.padEnd(28)}${'measured'.padStart(12)}${'goal'.padStart(12)}`);
  for (const [name, value] of Object.entries(figures)) {
    const goal = GOALS[name]?.join(' ') ?? '';
    console.log(`${name.padEnd(28)}${value.toFixed(value < 100 ? 2 : 0).padStart(12)}${goal.padStart(12)}`);
  }
  if (flags.json) await writeFile(flags.json, JSON.stringify({ flags, figures }, null, 2));
} finally {
  left.forEach((child) => child.kill('SIGKILL'));
  await rm(folder, { recursive: true, force: true });
}
