// Compiles Token.sol to Token.hex (creation code). Run after a change: `npm ci` in ../../peers, then `node compile.mjs`.
// With --check it only says whether Token.hex is what the source gives.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const home = process.env.CHLOM_SOLC_FROM ?? join(here, "../../peers/");
const solc = createRequire(join(home, "package.json"))("solc");
const input = {
  language: "Solidity",
  sources: { "Token.sol": { content: readFileSync(join(here, "Token.sol"), "utf8") } },
  settings: {
    evmVersion: "osaka",
    optimizer: { enabled: true, runs: 10_000 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { Token: ["evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const error of output.errors ?? []) console.error(error.formattedMessage);
const code = output.contracts?.["Token.sol"]?.Token?.evm.bytecode.object;
if (!code) process.exit(1);
if (process.argv.includes("--check")) {
  const same = readFileSync(join(here, "Token.hex"), "utf8").trim() === code;
  console.log(same ? "Token.hex matches Token.sol" : "Token.hex differs from Token.sol");
  process.exit(same ? 0 : 1);
}
writeFileSync(join(here, "Token.hex"), code + "\n");
