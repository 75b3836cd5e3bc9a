// What forge built, reduced to what the chain and its tools need, in bytes that depend on the sources alone.
//
//   artifacts.mjs write    writes artifacts/<Name>.json for every contract and interface of src/, removes what is gone
//   artifacts.mjs check    says what differs from the committed files and exits with 1
//
// A contract: {name, bytecode (creation), storageLayoutHash, storageLayout, abi}. An interface: {name, abi}.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = process.env.FOUNDRY_OUT ?? join(ROOT, 'out');
const FOLDER = join(ROOT, 'artifacts');
/** From OpenZeppelin, through src/core/Vendored.sol. */
const VENDORED = ['ERC1967Proxy', 'TimelockController'];
/** EIP-3860: init code may have no more bytes, arguments included. */
const MOST_INIT_CODE = 49_152;

const [mode] = process.argv.slice(2);
if (mode !== 'write' && mode !== 'check') fail('artifacts.mjs takes `write` or `check`');

const wanted = new Map([...named(), ...VENDORED.map((name) => [`${name}.sol`, name])].map(([file, name]) => [name, file]));
const texts = new Map([...wanted].sort().map(([name, file]) => [`${name}.json`, artifact(name, file)]));
const present = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith('.json')) : [];
const gone = present.filter((file) => !texts.has(file));
const changed = [...texts].filter(([file, text]) => read(join(FOLDER, file)) !== text);

if (mode === 'check') {
  const said = [...changed.map(([file]) => file), ...gone.map((file) => `${file} (has no source any more)`)];
  if (said.length) {
    fail(`contracts/artifacts are not what the sources give:\n  ${said.join('\n  ')}\nRun \`make contracts\` and commit.`);
  }
  console.log(`${texts.size} artefacts are what the sources give`);
} else {
  mkdirSync(FOLDER, { recursive: true });
  for (const [file, text] of changed) writeFileSync(join(FOLDER, file), text);
  for (const file of gone) rmSync(join(FOLDER, file));
  console.log(`${texts.size} artefacts, ${changed.length} changed, ${gone.length} removed`);
}

/** [file, name] of each contract and interface of src/ that can be deployed or called. */
function* named() {
  for (const entry of readdirSync(join(ROOT, 'src'), { recursive: true })) {
    if (!entry.endsWith('.sol')) continue;
    const source = readFileSync(join(ROOT, 'src', entry), 'utf8');
    for (const [, name] of source.matchAll(/^(?:contract|interface) (\w+)/gm)) yield [basename(entry), name];
  }
}

function artifact(name, file) {
  const path = join(OUT, file, `${name}.json`);
  if (!existsSync(path)) fail(`${name}: forge wrote no ${file}/${name}.json; build first`);
  const built = JSON.parse(readFileSync(path, 'utf8'));
  const { object = '0x', linkReferences = {} } = built.bytecode ?? {};
  if (object === '0x') return render({ name, abi: built.abi });
  if (Object.keys(linkReferences).length) fail(`${name}: needs a linked library; genesis links none`);
  if ((object.length - 2) / 2 > MOST_INIT_CODE) {
    fail(`${name}: ${(object.length - 2) / 2} bytes of init code, at most ${MOST_INIT_CODE} (EIP-3860)`);
  }
  const storageLayout = layout(built.storageLayout);
  const storageLayoutHash = `0x${createHash('sha256').update(storageLayout.join('\n')).digest('hex')}`;
  return render({ name, bytecode: object, storageLayoutHash, storageLayout, abi: built.abi });
}

/** One line a slot entry, structs unfolded, without the compiler's numbering of types. */
function layout({ storage = [], types = {} } = {}) {
  const lines = [];
  const walk = (entries, indent, open) => {
    for (const { slot, offset, label, type } of entries ?? []) {
      lines.push(`${indent}${slot}+${offset} ${types[type].label} ${label}`);
      unfold(type, `${indent}  `, open);
    }
  };
  const unfold = (id, indent, open) => {
    const { members, value, base } = types[id] ?? {};
    if (members && !open.has(id)) walk(members, indent, new Set(open).add(id));
    if (value) unfold(value, indent, open);
    if (base) unfold(base, indent, open);
  };
  walk(storage, '', new Set());
  return lines;
}

/** One ABI entry a line, so that a change shows as what it is. */
function render({ abi, ...rest }) {
  const head = JSON.stringify(rest, null, 1).slice(0, -2);
  return `${head},\n "abi": [\n${abi.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')}\n ]\n}\n`;
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
