// Child processes: run one to its end, or keep one and be sure that it goes when we go.
import { spawn } from 'node:child_process';

const alive = new Set();

/** Starts a process that is killed when this one ends, however it ends. */
export function launch(file, args, options = {}) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  alive.add(child);
  child.ended = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  child.ended.then(() => alive.delete(child));
  return child;
}

/** Runs a process to its end; a non-zero exit status is an answer, not an exception. */
export async function execute(file, args, { timeoutMs = 280_000, ...options } = {}) {
  const child = launch(file, args, options);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const { code, signal, error } = await child.ended;
  clearTimeout(timer);
  if (error) throw error;
  const result = { code, signal, stdout: await stdout, stderr: await stderr };
  if (signal === 'SIGKILL') result.stderr += `\n(killed after ${timeoutMs} ms)`;
  return result;
}

/** Everything that a stream says, once it has closed. */
async function collect(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

function killAll() {
  for (const child of alive) child.kill('SIGKILL');
}

process.once('exit', killAll);
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
]) {
  process.once(signal, () => process.exit(128 + number));
}
