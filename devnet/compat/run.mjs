// The entry point: builds what is needed, starts one chain, runs every file of `checks/` against it.
import { readdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { findBinary, startChain } from './runner/chain.mjs';
import { printSummary, printTopic } from './runner/report.mjs';
import { runAll } from './runner/suite.mjs';
import { forge } from './runner/tools.mjs';

const USAGE = `Runs unmodified Ethereum tools against \`chlom dev\` and says what passed.

  devnet/compat/run.sh [--only NAME]… [--parallel N]

  --only NAME    run the files of checks/ whose name contains NAME (may be given several times)
  --parallel N   how many files run at a time (default 4)
  --help         this text

CHLOM_BIN names the binary under test; without it, cargo builds one from this workspace.`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    parallel: { type: 'string', default: '4' },
    help: { type: 'boolean', default: false },
  },
});

async function loadChecks() {
  const folder = new URL('./checks/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
  const chosen = names.filter((name) => !options.only.length || options.only.some((part) => name.includes(part)));
  if (!chosen.length) throw new Error(`no file of checks is called ${options.only.join(' or ')}: ${names.join(' ')}`);
  return Promise.all(chosen.map((name) => import(new URL(name, folder).href)));
}

async function main() {
  if (options.help) return console.log(USAGE);
  const began = performance.now();
  const files = await loadChecks();
  const [binary] = await Promise.all([findBinary(), forge('build', '--quiet')]);
  const accounts = files.reduce((sum, file) => sum + file.accounts, 0);
  const chain = await startChain(binary, ['--automine', '--accounts', String(Math.max(accounts, 10))]);
  console.log(`${binary} was ready in ${Math.round(chain.startedMs)} ms at ${chain.http} and ${chain.ws}`);
  const strays = [];
  process.on('unhandledRejection', (error) =>
    strays.push({ topic: 'suite', name: 'no stray rejection', ms: 0, error }),
  );
  const results = await runAll(files, { binary, chain, parallel: Number(options.parallel), report: printTopic });
  results.push(...strays);
  const end = await chain.stop();
  results.push({ topic: 'chain', name: 'stops when it is asked to', ms: 0, error: stopError(end, chain.log()) });
  printTopic(results.slice(-1));
  if (!printSummary(results, (performance.now() - began) / 1_000)) process.exitCode = 1;
}

function stopError({ code, signal }, log) {
  return code === 0 ? null : new Error(`SIGTERM ended it with ${signal ?? `exit ${code}`}\n${log}`);
}

main().then(
  () => process.exit(),
  (error) => {
    console.error(error.message);
    process.exit(2);
  },
);
