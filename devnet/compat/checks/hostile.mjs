// Callers that mean harm or do not care: the chain goes on, says no clearly, and keeps its memory.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { actor } from '../ethereum/clients.mjs';
import { openSocket } from '../runner/socket.mjs';

export const title = 'bad callers';
export const accounts = 0;

const FRIEND = '0x00000000000000000000000000000000000f00d3';
const CONNECTIONS = 10_000;
const MAX_MEMORY_MB = 600;

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

  await t.check(`after all that, memory is below ${MAX_MEMORY_MB} MB`, async () => {
    const used = await memoryMb(chain.pid);
    assert.ok(used < MAX_MEMORY_MB, `${used} MB`);
  });
}

/** Resident memory of a process, as Linux tells it. */
async function memoryMb(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) / 1_024;
}
