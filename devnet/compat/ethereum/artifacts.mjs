// The compiled contracts, read from where forge wrote them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOUNDRY_OUT } from '../runner/tools.mjs';

const read = new Map();

/** The ABI and the creation code of a contract by its name (its file has the same one). */
export function artifact(name) {
  if (!read.has(name)) {
    const { abi, bytecode } = JSON.parse(readFileSync(join(FOUNDRY_OUT, `${name}.sol`, `${name}.json`), 'utf8'));
    read.set(name, { abi, bytecode: bytecode.object });
  }
  return read.get(name);
}
