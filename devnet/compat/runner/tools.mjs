// The tools as a developer has them: npm's own forge and cast, with settings that do not depend on this machine.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute } from './processes.mjs';

/** The folder of this suite: the root of its forge project. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'chlom', 'foundry');

/** Where forge writes artefacts and what it compiled: outside of the clone, so that a fresh clone is warm. */
export const FOUNDRY_OUT = process.env.FOUNDRY_OUT ?? join(CACHE, 'out');
/** Where `make contracts` keeps what forge built of the system contracts. */
export const CONTRACTS_FOUNDRY = process.env.CONTRACTS_FOUNDRY ?? join(CACHE, '..', 'contracts');
const FOUNDRY_CACHE_PATH = process.env.FOUNDRY_CACHE_PATH ?? join(CACHE, 'cache');

/** The native binary, which starts a tenth of a second faster than npm's shim; the shim where npm has no native one. */
function toolPath(tool) {
  const machine = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const native = join(ROOT, 'node_modules', '@foundry-rs', `${tool}-${machine}`, 'bin', tool);
  return existsSync(native) ? native : join(ROOT, 'node_modules', '.bin', tool);
}

/** The user's environment without settings that would change what the tools do. */
function environment(extra) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(FOUNDRY|DAPP|ETH|CHAIN|FORGE|CAST)_/.test(name));
  return { ...Object.fromEntries(kept), FOUNDRY_OUT, FOUNDRY_CACHE_PATH, NO_COLOR: '1', ...extra };
}

/** Runs a tool and returns what it printed; a non-zero exit status throws with everything it said. */
async function succeed(tool, args, { env, ...options } = {}) {
  const result = await attempt(tool, args, { env, ...options });
  if (result.code === 0) return result.stdout.trim();
  const shown = args.map((arg) => (/^0x[0-9a-f]{64}$/i.test(arg) ? '0x…' : arg)).join(' ');
  throw new Error(`${tool} ${shown}: exit ${result.code ?? result.signal}\n${result.stderr}${result.stdout}`);
}

function attempt(tool, args, { env, ...options } = {}) {
  return execute(toolPath(tool), args, { cwd: ROOT, env: environment(env), ...options });
}

/** `forge(...)` and `cast(...)` must succeed; `.attempt` returns the exit status instead; `with` takes options first. */
export const forge = bind('forge');
export const cast = bind('cast');

function bind(tool) {
  const call = (...args) => succeed(tool, args);
  call.with = (options, ...args) => succeed(tool, args, options);
  call.attempt = (...args) => attempt(tool, args);
  call.attemptWith = (options, ...args) => attempt(tool, args, options);
  return call;
}
