// How each node is started for a comparison: same chain id, gas limit, block time, fork and rich account; loopback only.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const CHAIN_ID = 7272;
export const START_MS = 30_000;

// Each gives the command and, where needed, a step before it. `settings` is what run.mjs states in its report.
const commands = {
  chlom: ({ chlom, port, settings }) => ({
    program: chlom,
    args: ["dev", "--port", port, "--block-time", `${settings.blockTime}s`, "--gas-limit", settings.gasLimit, "--accounts", 10, "--json"],
  }),
  anvil: ({ anvil, port, settings }) => ({
    program: anvil,
    args: ["--host", "127.0.0.1", "--port", port, "--block-time", settings.blockTime, "--gas-limit", settings.gasLimit,
      "--chain-id", CHAIN_ID, "--hardfork", "osaka", "--silent"],
  }),
  geth: ({ geth, port, settings, folder }) => ({
    // `--dev` with its own genesis activates an unreleased fork: it is given Osaka instead.
    before: [geth, ["--datadir", folder, "init", join(here, "peers", "genesis.json")]],
    program: geth,
    // Pool limits above the run's transactions: the default global limit (5,120) would drop most of them.
    args: ["--dev", "--dev.period", settings.blockTime, "--datadir", folder, "--miner.gaslimit", settings.gasLimit,
      "--txpool.accountslots", 10_000, "--txpool.globalslots", 100_000, "--txpool.accountqueue", 10_000, "--txpool.globalqueue", 100_000,
      "--http", "--http.addr", "127.0.0.1", "--http.port", port, "--http.api", "eth,net,web3",
      "--rpc.batch-request-limit", 10_000, "--rpc.batch-response-max-size", 100_000_000,
      "--ipcdisable", "--nodiscover", "--maxpeers", 0, "--port", 0, "--authrpc.port", port + 1, "--verbosity", 2],
  }),
};

async function rpc(http, method, params = []) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const response = await fetch(http, { method: "POST", headers, body, signal: AbortSignal.timeout(2_000) });
  return (await response.json()).result;
}

// Starts a node and waits until it answers. Gives { http, pid, startMs, version, stop }.
export async function start(name, options) {
  const folder = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  const log = join(folder, "log");
  const { program, args, before } = commands[name]({ ...options, folder });
  if (before) execFileSync(before[0], before[1].map(String), { stdio: "pipe", timeout: START_MS });
  const began = Date.now();
  const output = openSync(log, "w");
  const child = spawn(program, args.map(String), { stdio: ["ignore", output, output], cwd: folder });
  const ended = new Promise((done) => child.once("exit", done));
  let failure;
  child.once("error", (error) => { failure = error; });
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    if (child.pid) await ended;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  const http = `http://127.0.0.1:${options.port}`;
  while (Date.now() - began < START_MS) {
    if (failure || child.exitCode !== null) break;
    const chain = await rpc(http, "eth_chainId").catch(() => undefined);
    if (chain !== undefined) {
      if (Number(chain) !== CHAIN_ID) break;
      return { http, pid: child.pid, startMs: Date.now() - began, version: await rpc(http, "web3_clientVersion"), stop };
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
  const tail = execFileSync("tail", ["-n", "20", log]).toString();
  await stop();
  throw new Error(`${name} did not start: ${failure ?? ""}\n${tail}`);
}
