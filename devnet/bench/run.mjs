#!/usr/bin/env node
// Runs the same load on chlom, geth and anvil in turn and prints a table (and, with --json FILE, the figures).
//   node run.mjs [--nodes chlom,geth,anvil] [--chlom PATH] [--count 20000] [--batch 100] [--connections 4] [--repeat 3] [--json FILE]
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CHAIN_ID, start } from "./nodes.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: flags } = parseArgs({
  options: {
    nodes: { type: "string", default: "chlom,geth,anvil" },
    chlom: { type: "string", default: process.env.CHLOM_BIN ?? "chlom" },
    count: { type: "string", default: "20000" },
    accounts: { type: "string", default: "200" },
    batch: { type: "string", default: "100" },
    connections: { type: "string", default: "4" },
    repeat: { type: "string", default: "3" },
    "read-connections": { type: "string", default: "32" },
    "read-seconds": { type: "string", default: "5" },
    "gas-limit": { type: "string", default: "500000000" },
    "block-time": { type: "string", default: "1" },
    port: { type: "string", default: "28545" },
    json: { type: "string" },
  },
});
const settings = {
  gasLimit: Number(flags["gas-limit"]), blockTime: Number(flags["block-time"]), chainId: CHAIN_ID,
  count: Number(flags.count), accounts: Number(flags.accounts), batch: Number(flags.batch), connections: Number(flags.connections),
  repeat: Number(flags.repeat),
  readConnections: Number(flags["read-connections"]), readSeconds: Number(flags["read-seconds"]),
};
// A node that stalls under a load must not take the comparison with it.
const LOAD_MS = 120_000;

let names = flags.nodes.split(",");
const target = process.env.CARGO_TARGET_DIR ?? join(here, "target");
execFileSync("cargo", ["build", "--release", "--locked", "--quiet", "-p", "chlom-bench-load"], { cwd: here, stdio: "inherit" });
const load = join(target, "release", "load");
const peers = obtainPeers();

// Peers are for comparison: without Go or npm there is none, and chlom's own figures are worth having all the same.
function obtainPeers() {
  const found = {};
  for (const name of names.filter((name) => name !== "chlom")) {
    try {
      const printed = execFileSync(join(here, "peers.sh"), [name], { stdio: ["ignore", "pipe", "inherit"] });
      Object.assign(found, JSON.parse(printed));
    } catch (error) {
      console.error(`${name} is left out, it cannot be installed: ${error.message.split("\n")[0]}`);
      names = names.filter((other) => other !== name);
    }
  }
  return found;
}

function measure(node, args) {
  const output = execFileSync(load, [...args, "--http", node.http, "--pid", node.pid, "--json"].map(String), { timeout: LOAD_MS });
  return JSON.parse(output);
}

// The phase of the block clock at the first send moves a short run by up to a block: the median of several counts.
function repeated(node, args) {
  const runs = Array.from({ length: settings.repeat }, () => measure(node, args)).sort((a, b) => a.included_per_s - b.included_per_s);
  const cpu = runs.map((run) => run.node_cpu_us_per_tx).sort((a, b) => a - b);
  const middle = Math.floor(runs.length / 2);
  return { ...runs[middle], node_cpu_us_per_tx: cpu[middle], rates: runs.map((run) => Math.round(run.included_per_s)) };
}

// A fresh node for every kind of load, so that no run pays for another's state.
async function withNode(name, use) {
  const node = await start(name, { ...peers, chlom: flags.chlom, port: Number(flags.port), settings });
  try {
    return { ...(await use(node)), startMs: node.startMs, version: node.version };
  } finally {
    await node.stop();
  }
}

async function figuresOf(name) {
  const figures = { name };
  for (const kind of ["transfers", "erc20"]) {
    process.stderr.write(`${name} ${kind} …\n`);
    const args = [kind, "--count", settings.count, "--accounts", settings.accounts, "--batch", settings.batch, "--connections", settings.connections];
    const { startMs, version, ...measured } = await withNode(name, (node) => repeated(node, args));
    Object.assign(figures, { startMs, version, [kind]: measured });
    process.stderr.write(`  ${measured.rates.join(" ")} included/s, ${round(measured.node_cpu_us_per_tx)} µs of the node each\n`);
  }
  for (const method of ["eth_getBalance", "eth_call", "eth_getLogs"]) {
    process.stderr.write(`${name} ${method} …\n`);
    const args = ["reads", "--method", method, "--connections", settings.readConnections, "--seconds", settings.readSeconds];
    figures[method] = await withNode(name, (node) => measure(node, args));
    process.stderr.write(`  ${round(figures[method].per_s)}/s\n`);
  }
  return figures;
}

const round = (number, digits = 0) => (number == null ? "–" : number.toFixed(digits));
const ROWS = [
  ["transfers, included/s", (f) => f.transfers.included_per_s, 0],
  ["transfers, each run", (f) => f.transfers.rates.join(" ")],
  ["ERC-20 transfers, included/s", (f) => f.erc20.included_per_s, 0],
  ["ERC-20 transfers, each run", (f) => f.erc20.rates.join(" ")],
  ["node CPU per transfer, µs", (f) => f.transfers.node_cpu_us_per_tx, 0],
  ["node CPU per ERC-20 transfer, µs", (f) => f.erc20.node_cpu_us_per_tx, 0],
  ["generator CPU per transfer, µs", (f) => f.transfers.generator_cpu_us_per_tx, 1],
  ["receipts checked", (f) => String(settings.repeat * (f.transfers.receipts_checked + f.erc20.receipts_checked))],
  ["eth_getBalance/s", (f) => f.eth_getBalance.per_s, 0],
  ["node CPU per eth_getBalance, µs", (f) => f.eth_getBalance.node_cpu_us_per_answer, 1],
  ["eth_getBalance p50 / p99, µs", (f) => `${f.eth_getBalance.p50_us} / ${f.eth_getBalance.p99_us}`],
  ["eth_call/s", (f) => f.eth_call.per_s, 0],
  ["node CPU per eth_call, µs", (f) => f.eth_call.node_cpu_us_per_answer, 1],
  ["eth_call p50 / p99, µs", (f) => `${f.eth_call.p50_us} / ${f.eth_call.p99_us}`],
  ["eth_getLogs/s (1,000 logs)", (f) => f.eth_getLogs.per_s, 0],
  ["node CPU per eth_getLogs, µs", (f) => f.eth_getLogs.node_cpu_us_per_answer, 1],
  ["eth_getLogs p50 / p99, µs", (f) => `${f.eth_getLogs.p50_us} / ${f.eth_getLogs.p99_us}`],
  ["start to first answer, ms", (f) => f.startMs, 0],
];

function printTable(all) {
  if (all.length === 0) return;
  const subject = all.find((f) => f.name === "chlom");
  const others = subject ? all.filter((f) => f !== subject) : [];
  console.log(`| | ${[...all.map((f) => f.name), ...others.map((f) => `chlom : ${f.name}`)].join(" | ")} |`);
  console.log(`|---|${"---|".repeat(all.length + others.length)}`);
  for (const [label, of, digits] of ROWS) {
    const cells = all.map((f) => (typeof of(f) === "string" ? of(f) : round(of(f), digits)));
    const ratios = others.map((f) => (typeof of(f) === "string" ? "" : round(of(subject) / of(f), 2)));
    console.log(`| ${label} | ${[...cells, ...ratios].join(" | ")} |`);
  }
  const { gasLimit, blockTime, count, accounts, batch, connections, repeat, readConnections, readSeconds } = settings;
  console.log(`\nGas limit ${gasLimit}, blocks every ${blockTime} s, ${count} transactions of ${accounts} accounts, batches of ${batch} on ${connections} connections, median of ${repeat} runs;`);
  console.log(`reads on ${readConnections} connections for ${readSeconds} s; generator on the same cores; chain id ${CHAIN_ID}, Osaka.`);
  for (const f of all) console.log(`${f.name}: ${f.version}; load average after the transfers ${f.transfers.machine.load}`);
  const { cpu, cores, kernel } = all[0].transfers.machine;
  console.log(`Machine: ${cores} × ${cpu}, Linux ${kernel}`);
}

// Every node in turn; those that fail under the load are named and left out.
async function compare(nodes) {
  const measured = [];
  const failed = [];
  for (const name of nodes) {
    try {
      measured.push(await figuresOf(name));
    } catch (error) {
      if (name === "chlom") throw error;
      console.error(`${name} failed with batches of ${settings.batch}: ${error.message.split("\n").slice(0, 2).join(" ")}`);
      failed.push(name);
    }
  }
  return { settings: { ...settings }, nodes: measured, failed };
}

// A batch that holds several transactions of one sender asks for their order to be kept, which not every node does: one that
// failed is compared once more, with chlom beside it, in batches with one transaction of each sender at most.
const gentle = Math.max(1, Math.floor(settings.accounts / settings.connections));
const report = await compare(names);
printTable(report.nodes);
if (report.failed.length > 0 && gentle < settings.batch) {
  settings.batch = gentle;
  report.again = await compare([...names.filter((name) => name === "chlom"), ...report.failed]);
  console.log("");
  printTable(report.again.nodes);
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(report, null, 2)}\n`);
