// `chlom`'s own commands against a chain.
import { execute } from './processes.mjs';

/** Commands of the binary under test; `attempt` gives the exit status, the others must succeed. */
export function chlomOf(binary, chain) {
  const environment = { ...process.env, ETH_RPC_URL: chain.http };
  const attempt = (...args) => execute(binary, args, { env: environment });

  async function run(...args) {
    const result = await attempt(...args);
    if (result.code === 0) return result.stdout;
    throw new Error(`chlom ${args.join(' ')}: exit ${result.code ?? result.signal}\n${result.stderr}${result.stdout}`);
  }

  const json = async (...args) => JSON.parse(await run(...args, '--json'));
  return { attempt, run, json };
}
