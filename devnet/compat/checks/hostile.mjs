// Callers that mean harm or do not care: the chain goes on, says no clearly, and keeps its memory.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { signedTransfer } from '../ethereum/sign.mjs';
import { openSocket } from '../runner/socket.mjs';

export const title = 'bad callers';
export const accounts = 0;

const FRIEND = '0x00000000000000000000000000000000000f00d3';
const CONNECTIONS = 10_000;
const MAX_MEMORY_MB = 600;
/** What large bodies and answers of all connections may take together. */
const BUDGET_MIB = 64;
const BUDGET = BUDGET_MIB * 1_024 * 1_024;

/** A trace of some 2 MB (a loop until its gas is used), and a call that returns 4 MB of text. */
const LARGE = '0x00000000000000000000000000000000000000af';
const LARGE_TRACE = [
  'debug_traceCall',
  [{ to: LARGE, gas: toHex(100_000) }, 'latest', { stateOverrides: { [LARGE]: { code: '0x5b600056' } } }],
];
const LARGE_CALL = ['eth_call', [{ to: LARGE }, 'latest', { [LARGE]: { code: '0x622000005ff3' } }]];

/** Opens a TCP connection, writes to it what there is to write, and collects what comes back in `said`. */
function knock({ port }, first = '') {
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  const caller = { socket, said: '' };
  socket.setEncoding('latin1').on('data', (text) => (caller.said += text));
  caller.closed = new Promise((resolve) => socket.once('error', resolve).once('close', resolve));
  caller.connected = new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
  if (first) socket.write(first);
  return caller;
}

export async function run(t) {
  const chain = await t.need('a chain of its own', () => t.ownChain('--automine'));
  const { rpc } = chain;
  const address = new URL(chain.http);
  const me = actor(chain, chain.accounts[0]);
  let quiet;

  /** The chain answers a call and puts a transaction into a block. */
  async function alive() {
    assert.equal(await rpc.eth_chainId(), '0x1c68');
    await me.send({ to: FRIEND, value: 1n });
  }

  await t.check('bytes that are no HTTP, methods that are none, headers without end', async () => {
    const endless = `GET / HTTP/1.1\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`;
    for (const text of ['\u0000\u0001\u0002\u0003\r\n\r\n', 'HELO chain\r\n\r\n', endless]) {
      const caller = knock(address, text);
      await caller.closed;
      assert.match(caller.said, /^(HTTP\/1\.[01] 4\d\d|$)/);
    }
    assert.ok((await fetch(chain.http, { method: 'PUT', body: '{}' })).status >= 400);
    await alive();
  });

  await t.check('a hundred requests that never end do not keep others waiting', async () => {
    const half =
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"json';
    const callers = Array.from({ length: 100 }, () => knock(address, half));
    await Promise.all(callers.map(({ connected }) => connected));
    await alive();
    for (const { socket } of callers) socket.destroy();
  });

  await t.check(`${CONNECTIONS} connections at once: those that are there go on, others are told why not`, async () => {
    const before = await openSocket(chain.ws);
    const callers = [];
    while (callers.length < CONNECTIONS) {
      callers.push(...Array.from({ length: 500 }, () => knock(address)));
      await Promise.all(callers.slice(-500).map(({ connected }) => connected));
      assert.equal(await before.call('eth_chainId'), '0x1c68');
    }
    assert.ok(
      callers.some(({ said }) => /^HTTP\/1\.1 503[^]*too many connections/.test(said)),
      'nobody was told why',
    );
    for (const { socket } of callers) socket.destroy();
    before.close();
    await t.eventually(alive);
  });

  await t.check('a WebSocket that asks for much and reads nothing is dropped, not waited for', async () => {
    const { socket } = await openSocket(chain.ws);
    const coin = await me.deploy('Coin', ['Big', 'BIG', 1n]);
    const ask = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getCode', params: [coin.address, 'latest'] });
    socket.pause();
    for (let i = 0; i < 20_000; i += 1) socket.send(ask, () => {});
    await alive();
    assert.ok((await memoryMb(chain.pid)) < MAX_MEMORY_MB);
    socket.terminate();
  });

  await t.check(
    'filters that nobody polls are bounded: past the limit a clear error, none of the others lost',
    async () => {
      const mine = await rpc.eth_newBlockFilter();
      const answers = [];
      for (let i = 0; i < 11; i += 1)
        answers.push(...(await rpc.batch(Array.from({ length: 1_000 }, () => ['eth_newFilter', [{}]]))));
      const refused = answers.filter(({ error }) => error);
      assert.ok(refused.length > 0);
      assert.match(refused[0].error.message, /filter/);
      await alive();
      assert.ok((await rpc.eth_getFilterChanges(mine)).length > 0);
    },
  );

  await t.check('an endless loop in a call ends at a limit, and other calls do not wait for it', async () => {
    const target = '0x00000000000000000000000000000000000000ae';
    // JUMPDEST, and back to it.
    const looping = { [target]: { code: '0x5b600056' } };
    const loops = Promise.allSettled(Array.from({ length: 8 }, () => rpc.eth_call({ to: target }, 'latest', looping)));
    await alive();
    for (const { status, reason } of await loops)
      assert.match(`${status} ${reason?.message}`, /^rejected .*(gas|time)/i);
  });

  await t.check('a chain for what follows makes blocks only when asked to', async () => {
    quiet = await t.ownChain('--block-time', '1m', '--accounts', '40', '--rpc-memory', String(BUDGET_MIB));
  });

  await t.check('batches with large answers that then wait for a block share one budget of memory', async () => {
    const held = quiet.accounts.map(({ privateKey }) => {
      const raw = (nonce) => signedTransfer(privateKey, { chainId: 7272n, nonce, tip: 1n, fee: 2_000_000_000n, to: FRIEND });
      const waits = [0n, 1n, 2n].map((nonce) => ['eth_sendRawTransactionSync', [raw(nonce)]]);
      return request([LARGE_TRACE, ...Array(8).fill(LARGE_CALL), ...waits]);
    });
    await staysBounded(() => held.map((text) => ask(quiet, text)));
  });

  await t.check('WebSockets that ask for large answers and read none share it too', async () => {
    const sockets = await Promise.all(Array.from({ length: 40 }, () => openSocket(quiet.ws)));
    await staysBounded(() =>
      sockets.map(({ socket }) => {
        socket.pause();
        for (let id = 0; id < 8; id += 1) socket.send(JSON.stringify(call(LARGE_CALL, id)), () => {});
        return { destroy: () => socket.terminate() };
      }),
    );
  });

  await t.check('requests and messages that begin and do not end share it too', async () => {
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n`;
    await staysBounded(() => Array.from({ length: 200 }, () => ask(quiet, head + ' '.repeat(4_000_000))));
  });

  await t.check('addresses in filters are counted: past the limit a clear error', async () => {
    const address = Array.from({ length: 1_000 }, (_, n) => `0x${n.toString(16).padStart(40, '0')}`);
    const answers = [];
    for (let i = 0; i < 30; i += 1)
      answers.push(...(await quiet.rpc.batch(Array.from({ length: 10 }, () => ['eth_newFilter', [{ address }]]))));
    const refused = answers.filter(({ error }) => error);
    assert.ok(refused.length > 0 && refused.length < answers.length, `${refused.length} of ${answers.length}`);
    assert.match(refused[0].error.message, /addresses and topics/);
    assert.ok(await quiet.rpc.eth_newBlockFilter());
    assert.ok((await memoryMb(quiet.pid)) < MAX_MEMORY_MB);
  });

  /** Runs an attack until it is refused memory; what is held then, and the process, stay within their bounds. */
  async function staysBounded(attack) {
    const before = await refusals(quiet);
    const callers = attack();
    let [most, launched] = [0, performance.now()];
    await t.eventually(async () => {
      // A machine that is busy answers too little in a call's time: then there are more callers.
      if (performance.now() - launched > 2_000) {
        callers.push(...attack());
        launched = performance.now();
      }
      most = Math.max(most, await memoryMb(quiet.pid));
      assert.equal(await quiet.rpc.eth_chainId(), '0x1c68');
      const held = await metric(quiet, /^chlom_rpc_memory_bytes (\d+)/m);
      assert.ok(held <= BUDGET, `${held} bytes are held`);
      assert.ok((await refusals(quiet)) > before, 'nothing was refused for want of memory');
    });
    for (const caller of callers) caller.destroy();
    await t.eventually(async () => assert.equal(await metric(quiet, /^chlom_rpc_memory_bytes (\d+)/m), 0));
    most = Math.max(most, await memoryMb(quiet.pid));
    assert.ok(most < MAX_MEMORY_MB, `${most} MB`);
  }

  await t.check(`after all that, memory is below ${MAX_MEMORY_MB} MB`, async () => {
    const used = await memoryMb(chain.pid);
    assert.ok(used < MAX_MEMORY_MB, `${used} MB`);
  });
}

function call([method, params], id) {
  return { jsonrpc: '2.0', id, method, params };
}

/** A batch as a whole HTTP request. */
function request(calls) {
  const body = JSON.stringify(calls.map(call));
  return `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Sends a text and reads nothing of what comes back. */
function ask(chain, text) {
  const socket = connect({ port: Number(new URL(chain.http).port), host: '127.0.0.1' });
  socket.on('error', () => {}).pause();
  socket.write(text);
  return socket;
}

async function metric(chain, pattern) {
  const text = await (await fetch(new URL('/metrics', chain.http))).text();
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/** How often memory was refused so far. */
function refusals(chain) {
  return metric(chain, /^chlom_rpc_refused_total\{reason="memory"\} (\d+)/m);
}

/** Resident memory of a process, as Linux tells it. */
async function memoryMb(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) / 1_024;
}
