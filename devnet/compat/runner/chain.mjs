// Starts `chlom dev`, waits for its line of JSON, and stops it again.
import { createInterface } from 'node:readline';
import { launch, execute } from './processes.mjs';
import { rpcClient } from './rpc.mjs';

const READY_MS = 120_000;
const STOP_MS = 60_000;

/** The binary under test: `CHLOM_BIN`, or what cargo builds in this workspace. */
export async function findBinary() {
  if (process.env.CHLOM_BIN) return process.env.CHLOM_BIN;
  const args = ['build', '--quiet', '-p', 'chlom', '--bin', 'chlom', '--message-format=json-render-diagnostics'];
  const built = await execute('cargo', args, { timeoutMs: 1_800_000, cwd: new URL('../../..', import.meta.url) });
  if (built.code !== 0) throw new Error(`cargo build failed:\n${built.stderr}`);
  const messages = built.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const artifact = messages.find((message) => message.executable && message.target?.name === 'chlom');
  if (!artifact) throw new Error('cargo build named no executable `chlom`');
  return artifact.executable;
}

// The proposer stops building after 400 ms of real time; on a busy machine that leaves out what a check expects in a block.
const PATIENT = ['--build-budget', '1m'];

/** Starts a process without waiting for it to be ready; `log()` is what it has written to standard error. */
export function spawnChain(binary, args) {
  const child = launch(binary, ['dev', '--port', '0', '--json', ...PATIENT, ...args]);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log = (log + text).slice(-20_000);
  });
  return { child, log: () => log };
}

/** Starts a chain and resolves once it has said that it is ready. */
export async function startChain(binary, args = []) {
  const began = performance.now();
  const { child, log } = spawnChain(binary, args);
  const ready = JSON.parse(await firstLine(child, log));
  return {
    chainId: Number(ready.chainId),
    http: ready.http,
    ws: ready.ws,
    accounts: ready.accounts,
    ready,
    startedMs: performance.now() - began,
    pid: child.pid,
    rpc: rpcClient(ready.http),
    log,
    ended: child.ended,
    stop: () => stop(child),
    kill: () => (child.kill('SIGKILL'), child.ended),
  };
}

/** Runs a chain that is expected to refuse to start: its exit status and what it says. */
export async function refusedChain(binary, args) {
  const result = await execute(binary, ['dev', '--json', ...args], { timeoutMs: READY_MS });
  return { code: result.code, signal: result.signal, said: result.stderr + result.stdout };
}

async function firstLine(child, log) {
  const lines = createInterface({ input: child.stdout });
  const line = new Promise((resolve) => lines.once('line', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  const ended = child.ended.then(({ code, signal, error }) => {
    throw new Error(`the chain ended before it was ready (${error?.message ?? signal ?? `exit ${code}`}):\n${log()}`);
  });
  try {
    return await Promise.race([line, ended]);
  } finally {
    clearTimeout(timer);
    ended.catch(() => {});
  }
}

/** Asks a chain to stop and returns its exit status; one that does not stop in time is killed and shows as a signal. */
async function stop(child) {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const end = await child.ended;
  clearTimeout(timer);
  return end;
}
