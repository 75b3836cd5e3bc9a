// Data availability end to end: files put, attested, sampled, lost in part and rebuilt; cells opened on chain by a dApp's
// contract; uploads and publications that are refused; a node killed while it makes cells.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeErrorResult, encodeFunctionData, keccak256, parseEther, toHex } from 'viem';
import { artifact } from '../ethereum/artifacts.mjs';
import { actor } from '../ethereum/clients.mjs';
import { documented, schemaFaults } from '../openrpc/own.mjs';
import { chlomOf } from '../runner/chlom.mjs';
import { fails } from '../runner/rpc.mjs';
import { forge } from '../runner/tools.mjs';

export const title = 'blobs';
export const accounts = 0;

const MODULE = '0x0000000000000000000000000000000000001003';
const LANE_ID = '0x7cc99bfb447fe40d71ed4ebb22c852583eef797c'; // The first 20 bytes of keccak256("adluxe").
const LANE = ['--lane', 'adluxe', '--period', '2025-09-W01'];
const PERIOD = 20250901;
const ROW_BYTES = 126_976;
const PREFIX = 16;
const MONTH = 2_592_000;
const CELL_BYTES = 2_048;
const DATA_COLUMNS = 64;
const ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

/** Errors of the module that the interface of dApps does not list. */
const FAULTS = [
  { type: 'error', name: 'HeaderInvalid', inputs: [{ name: 'fault', type: 'uint8' }] },
  {
    type: 'error',
    name: 'CellMalformed',
    inputs: ['uint16', 'uint16', 'uint8'].map((type) => ({ type })),
  },
  { type: 'error', name: 'CommitmentsMismatch', inputs: [{ type: 'bytes32' }] },
];
const HEADER_FAULT = { Length: 0, Rows: 2, Columns: 3, CommitmentsLength: 4, Encoding: 5, Root: 8, Fold: 9 };
const CELL_FAULT = { Row: 0, DataLength: 2, NotCanonical: 5, ProofEncoding: 6 };

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
const joined = (commitments) => `0x${commitments.map((one) => one.slice(2)).join('')}`;
const places = (rows, columns) => rows.flatMap((row) => columns.map((column) => [row, column]));
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

export async function run(t) {
  const folder = await t.folder();
  const dir = join(folder, 'chain');
  const start = () => t.ownChain('--automine', '--data-dir', dir);
  let chain = await start();
  const [account] = chain.accounts;
  const from = ['--from', account.address];
  let chlom = chlomOf(t.binary, chain);
  let ask = documented(chain.rpc);
  const abi = [...artifact('IDataAvailability').abi, ...FAULTS];
  const files = new Map();

  async function file(name, bytes) {
    files.set(name, join(folder, name));
    await writeFile(files.get(name), bytes);
    return files.get(name);
  }
  async function upload(body, { query = `lane=${LANE_ID}&period=${PERIOD}`, headers = {} } = {}) {
    const response = await fetch(`${chain.http}/chlom_putBlob?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body,
    });
    return { status: response.status, ...(await response.json()) };
  }
  const held = (id) =>
    t.eventually(async () => {
      const { node } = await ask('chlom_blobStatus', id);
      assert.equal(node?.state, 'held', JSON.stringify(node));
      assert.equal(node.cells, node.of);
      return node;
    });
  /** What a call of the module reverts with, or `null`. */
  async function revertOf(functionName, args, value = 0n) {
    const data = encodeFunctionData({ abi, functionName, args });
    try {
      await chain.rpc.eth_call({ from: account.address, to: MODULE, data, value: toHex(value) }, 'latest');
      return null;
    } catch (error) {
      assert.equal(error.code, 3, error.message);
      const { errorName, args: values } = decodeErrorResult({ abi, data: error.data });
      return [errorName, values?.at(-1)];
    }
  }

  // ------------------------------------------------------------------ a file's way

  const first = await t.need('a file is put, published and attested: {"id","height","status"}', async () => {
    const bytes = randomBytes(100_000);
    const path = await file('first.bin', bytes);
    const put = await chlom.json('blob', 'put', path, ...LANE, ...from);
    assert.deepEqual(Object.keys(put).sort(), ['height', 'id', 'status']);
    assert.equal(put.status, 'available');
    const { status, chain: record } = await ask('chlom_blobStatus', put.id);
    assert.equal(status, 'available');
    assert.equal(Number(record.availableAt), put.height);
    assert.equal(record.laneId.toLowerCase(), LANE_ID);
    assert.equal(Number(record.period), PERIOD);
    assert.ok(Number(record.announcedAt) < put.height, 'attested in a block after its publication');
    return { ...put, bytes, path };
  });

  await t.check('put again it costs nothing, and says the same', async () => {
    const nonce = await chain.rpc.eth_getTransactionCount(account.address, 'latest');
    const again = await chlom.json('blob', 'put', first.path, ...LANE, ...from);
    assert.deepEqual(again, { id: first.id, height: first.height, status: 'available' });
    assert.equal(await chain.rpc.eth_getTransactionCount(account.address, 'latest'), nonce);
  });

  await t.check('--extend pays for a later expiry, which counts once it is attested anew', async () => {
    const before = (await ask('chlom_blobStatus', first.id)).chain;
    await chain.rpc.evm_increaseTime(1_000);
    const again = await chlom.json('blob', 'put', first.path, ...LANE, ...from, '--extend');
    const after = (await ask('chlom_blobStatus', first.id)).chain;
    assert.ok(again.height > first.height);
    assert.ok(Number(after.expiresAt) >= Number(before.expiresAt) + 1_000);
    assert.equal(Number(after.pendingExpiry), 0);
    await t.eventually(async () => {
      assert.equal((await ask('chlom_blobStatus', first.id)).node.keptUntil, after.expiresAt);
    });
  });

  for (const rows of [2, 4, 8, 16, 32]) {
    await t.check(`a blob of ${rows} rows is put and comes back byte for byte`, async () => {
      const bytes = randomBytes(rows * ROW_BYTES - PREFIX);
      const path = await file(`rows-${rows}.bin`, bytes);
      const { id } = await chlom.json('blob', 'put', path, ...LANE, ...from);
      assert.equal(Number((await ask('chlom_blobStatus', id)).chain.rows), rows);
      await chlom.run('blob', 'get', id, '--out', join(folder, `back-${rows}.bin`));
      assert.equal(sha(await readFile(join(folder, `back-${rows}.bin`))), sha(bytes));
    });
  }

  await t.check('one byte more than 32 rows hold is refused by command and node', async () => {
    const path = await file('large.bin', Buffer.alloc(32 * ROW_BYTES - PREFIX + 1));
    const refused = await chlom.attempt('blob', 'put', path, ...LANE, ...from);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /more than 4063216 bytes/);
    const { status, error } = await upload(Buffer.alloc(32 * ROW_BYTES + 1));
    assert.equal(status, 413);
    assert.match(error.message, /more than 4063232 bytes/);
  });

  // ------------------------------------------------------------------ losses

  await t.check('a quarter of the cells is deleted, and the file comes back byte for byte', async () => {
    assert.match(await chlom.run('blob', 'drop', first.id), /^64 of 256 cells deleted/);
    assert.equal(Number((await ask('chlom_blobStatus', first.id)).node.cells), 192);
    const said = await chlom.run('blob', 'get', first.id, '--out', join(folder, 'rebuilt.bin'));
    assert.match(said, /100000 bytes, checked/);
    assert.deepEqual(await readFile(join(folder, 'rebuilt.bin')), first.bytes);
  });

  await t.check('what was missed is made again, with proofs', async () => {
    // The one cell in a random quarter that a reader always misses.
    await ask('chlom_dropCells', first.id, [[0, 0]]);
    await ask('chlom_getBlob', first.id);
    await held(first.id);
    const { data, cells } = await chlom.json('blob', 'verify', first.id, '--cells');
    assert.deepEqual({ data, cells }, { data: 'right', cells: { right: 256, wrong: 0, missing: 0 } });
  });

  await t.check('a node that was restarted with cells missing makes them again', async () => {
    await ask('chlom_dropCells', first.id, places([1], range(0, 128)));
    await chain.stop();
    chain = await start();
    [chlom, ask] = [chlomOf(t.binary, chain), documented(chain.rpc)];
    await held(first.id);
  });

  await t.check('the smallest set that can be lost is reported as that, by get and by verify', async () => {
    const path = await file('lost.bin', randomBytes(2 * ROW_BYTES - PREFIX));
    const { id } = await chlom.json('blob', 'put', path, ...LANE, ...from);
    await ask('chlom_dropCells', id, places([0, 1, 3], range(10, 75)));
    const lost = await chlom.attempt('blob', 'get', id, '--out', join(folder, 'nothing.bin'));
    assert.equal(lost.code, 6);
    assert.match(lost.stderr, /195 cells in 3 rows and 65 columns cannot be rebuilt, the smallest set that can be lost/);
    await assert.rejects(stat(join(folder, 'nothing.bin')), 'nothing is half-written');
    await fails(ask('chlom_getBlob', id), -32001, /smallest set that can be lost/);
  });

  await t.check('73 samples say how sure they make; a missing one is named', async () => {
    const { samples, bits } = await chlom.json('blob', 'sample', first.id);
    assert.equal(samples, 73);
    assert.ok(bits >= 30, `${bits} bits`);
    assert.deepEqual(
      (({ samples, certain }) => ({ samples, certain }))(await chlom.json('blob', 'sample', first.id, '--samples', '256')),
      { samples: 256, certain: true },
    );
    const path = await file('sampled.bin', randomBytes(10));
    const { id } = await chlom.json('blob', 'put', path, ...LANE, ...from);
    await ask('chlom_dropCells', id, places([0, 1], range(0, 128)));
    const missed = await chlom.attempt('blob', 'sample', id);
    assert.equal(missed.code, 6);
    assert.match(missed.stderr, /0 of 73 samples came: no answer for cell \d+ of row \d/);
    const many = await chlom.attempt('blob', 'sample', id, '--samples', '257');
    assert.equal(many.code, 2);
  });

  // ------------------------------------------------------------------ on chain

  const { header, commitments } = await ask('chlom_getBlob', first.id);
  const cellsOf = async (id, ...wanted) =>
    (await ask('chlom_getCells', id, wanted)).map(({ row, column, cell, proof }) => ({
      row: Number(row),
      column: Number(column),
      data: cell,
      proof,
    }));
  const { read } = actor(chain, account);
  const module = { address: MODULE, abi };

  await t.check('cells of data and parity rows open the blob on chain; a wrong one does not', async () => {
    const cells = await cellsOf(first.id, [0, 0], [0, 127], [1, 5]);
    const opens = (some) => read(module, 'verifyCells', [first.id, joined(commitments), some]);
    assert.equal(await opens(cells), true);
    assert.equal(await opens([{ ...cells[0], proof: cells[1].proof }]), false, 'another cell has that proof');
    assert.equal(await opens([{ ...cells[2], column: 6 }]), false, 'it is of another column');
    const changed = `${cells[0].data.slice(0, -2)}${cells[0].data.endsWith('00') ? '01' : '00'}`;
    assert.equal(await opens([{ ...cells[0], data: changed }]), false);
  });

  await t.check('what cannot be judged is refused with its fault', async () => {
    const [cell] = await cellsOf(first.id, [0, 0]);
    const refusal = (one, all = joined(commitments)) => revertOf('verifyCells', [first.id, all, [one]]);
    const tooLarge = `0x${ORDER.toString(16)}${cell.data.slice(66)}`;
    assert.deepEqual(await refusal({ ...cell, row: 2 }), ['CellMalformed', CELL_FAULT.Row]);
    assert.deepEqual(await refusal({ ...cell, data: cell.data.slice(0, -2) }), ['CellMalformed', CELL_FAULT.DataLength]);
    assert.deepEqual(await refusal({ ...cell, data: tooLarge }), ['CellMalformed', CELL_FAULT.NotCanonical]);
    assert.deepEqual(await refusal({ ...cell, proof: `0x${'00'.repeat(48)}` }), ['CellMalformed', CELL_FAULT.ProofEncoding]);
    const infinity = `0xc0${'00'.repeat(47)}`;
    assert.deepEqual((await refusal(cell, infinity))[0], 'CommitmentsMismatch');
  });

  await t.check("headers whose fields disagree are refused with the fault's number", async () => {
    const value = parseEther('1');
    const bytes = Buffer.from(header.slice(2), 'hex');
    const with_ = (at, byte) => `0x${Buffer.from([...bytes.subarray(0, at), byte, ...bytes.subarray(at + 1)]).toString('hex')}`;
    const refusal = async (changed, all = joined(commitments)) => {
      const [name, fault] = await revertOf('publish', [changed, all], value);
      assert.equal(name, 'HeaderInvalid');
      return fault;
    };
    assert.equal(await refusal(header.slice(0, -2)), HEADER_FAULT.Length);
    assert.equal(await refusal(with_(26, 3)), HEADER_FAULT.Rows, 'three rows');
    assert.equal(await refusal(with_(28, 65)), HEADER_FAULT.Columns);
    assert.equal(await refusal(with_(26, 2)), HEADER_FAULT.CommitmentsLength, 'two rows, one commitment');
    assert.equal(await refusal(with_(40, bytes[40] ^ 1)), HEADER_FAULT.Fold);
    assert.equal(await refusal(with_(108, bytes[108] ^ 1)), HEADER_FAULT.Root);
    assert.equal(await refusal(header, `0x${'00'.repeat(48)}`), HEADER_FAULT.Encoding);
    assert.equal(await revertOf('publish', [header, joined(commitments)], value), null, 'and the right one is not');
  });

  await t.check("a dApp's contract opens a page of the file on chain, deployed and called by forge script", async () => {
    const [cell] = await cellsOf(first.id, [0, 3]);
    const env = {
      BLOB_ID: first.id,
      BLOB_COMMITMENTS: joined(commitments),
      BLOB_ROW: '0',
      BLOB_COLUMN: '3',
      BLOB_CELL: cell.data,
      BLOB_PROOF: cell.proof,
      FOUNDRY_BROADCAST: folder,
    };
    const script = ['script', 'contracts/script/OpenPage.s.sol', '--rpc-url', chain.http, '--skip-simulation'];
    const sending = [...script, '--private-key', account.privateKey, '--broadcast'];
    await forge.with({ env }, ...sending);
    const log = JSON.parse(await readFile(join(folder, 'OpenPage.s.sol', String(chain.chainId), 'run-latest.json'), 'utf8'));
    const address = log.transactions.find(({ contractName }) => contractName === 'PageReader').contractAddress;
    const stored = await read({ address, abi: artifact('PageReader').abi }, 'pageHash', [first.id, 3n]);
    const payload = Buffer.concat([Buffer.alloc(PREFIX), first.bytes]);
    assert.equal(stored, keccak256(payload.subarray(3 * 1_984, 4 * 1_984)), 'page 3 is bytes 5,952 to 7,936');

    const wrong = await forge.attemptWith({ env: { ...env, BLOB_COLUMN: '4' } }, ...sending);
    assert.notEqual(wrong.code, 0, 'the module refuses what forge was told to believe');
  });

  // ------------------------------------------------------------------ uploads

  await t.check('an upload is answered with what publishing needs, and is not published by the node', async () => {
    const { status, result } = await upload('just a body');
    assert.equal(status, 200);
    assert.deepEqual(schemaFaults('Uploaded', result), []);
    await held(result.id);
    const { status: stage, chain: record } = await ask('chlom_blobStatus', result.id);
    assert.deepEqual([stage, record], ['unknown', null]);
  });

  await t.check('uploads that are no upload are refused with the reason', async () => {
    const refusals = [
      [await upload(''), 400, /empty/],
      [await upload('x', { query: '' }), 400, /lane=0x/],
      [await upload('x', { query: `lane=${LANE_ID}&period=4294967296` }), 400, /below 2\^32/],
      [await upload('x', { query: `lane=0x12&period=1` }), 400, /20 bytes/],
      [await upload('x', { headers: { 'content-type': 'application/json' } }), 415, /octet-stream/],
    ];
    for (const [{ status, error }, expected, message] of refusals) {
      assert.equal(status, expected, error?.message);
      assert.match(error.message, message);
    }
    assert.equal((await fetch(`${chain.http}/chlom_putBlob`)).status, 405);
  });

  await t.check('what nobody has is unknown, whatever it is asked for', async () => {
    const nobody = `0x${'11'.repeat(32)}`;
    assert.deepEqual(await ask('chlom_blobStatus', nobody), { id: nobody, status: 'unknown', chain: null, node: null });
    await fails(ask('chlom_getBlob', nobody), -32001, /not known here/);
    await fails(ask('chlom_getCells', nobody, [[0, 0]]), -32001, /not known here/);
    await fails(ask('chlom_getCells', first.id, [[2, 0]]), -32602, /no cell at row 2, column 0/);
    await fails(ask('chlom_getCells', first.id, places([0, 1], range(0, 128)).concat(places([0, 1], range(0, 129)))), -32602, /1 to 512/);
    await fails(chain.rpc.chlom_getCells(first.id, []), -32602, /1 to 512/);
    await fails(chain.rpc.chlom_blobStatus('0x12'), -32602, /invalid argument 0/);
    assert.equal((await chlom.attempt('blob', 'get', nobody, '--out', join(folder, 'none'))).code, 6);
  });

  await t.check('a payload that is no file is told from one that is', async () => {
    const { result } = await upload(Buffer.alloc(CELL_BYTES, 7));
    await held(result.id);
    const out = join(folder, 'raw.bin');
    const refused = await chlom.attempt('blob', 'get', result.id, '--out', out);
    assert.equal(refused.code, 6);
    assert.match(refused.stderr, /no file that `chlom blob put` made/);
    await chlom.run('blob', 'get', result.id, '--out', out, '--raw');
    const raw = await readFile(out);
    assert.equal(raw.length, DATA_COLUMNS * 1_984);
    assert.ok(raw.subarray(0, CELL_BYTES).equals(Buffer.alloc(CELL_BYTES, 7)));
    const there = await chlom.attempt('blob', 'get', result.id, '--out', out, '--raw');
    assert.equal(there.code, 2, 'a file that is there is not written over');
  });

  await t.check('a node killed while it makes cells goes on with them after its start', async () => {
    const body = randomBytes(8 * ROW_BYTES);
    const { result } = await upload(body);
    await chain.kill();
    chain = await start();
    [chlom, ask] = [chlomOf(t.binary, chain), documented(chain.rpc)];
    await held(result.id);
    const { payload } = await ask('chlom_getBlob', result.id);
    assert.ok(Buffer.from(payload.slice(2), 'hex').equals(body));
  });

  // ------------------------------------------------------------------ expiry

  await t.check('after thirty days every blob is expired, and its cells are gone', async () => {
    await chain.rpc.evm_increaseTime(MONTH + 2_000);
    await chain.rpc.evm_mine();
    assert.equal((await ask('chlom_blobStatus', first.id)).status, 'expired');
    await t.eventually(async () => assert.equal((await ask('chlom_blobStatus', first.id)).node, null));
    await fails(ask('chlom_getBlob', first.id), -32001, /not known here/);
  });

  await t.check('put once more after that, it is available again', async () => {
    const put = await chlom.json('blob', 'put', first.path, ...LANE, ...from);
    assert.equal(put.id, first.id);
    assert.ok(put.height > first.height);
    assert.equal((await ask('chlom_blobStatus', first.id)).status, 'available');
  });
}
