// Callers that mean harm or do not care: the chain goes on, says no clearly, and keeps its memory.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { actor } from '../ethereum/clients.mjs';
import { openSocket } from '../runner/socket.mjs';

export const title = 'bad callers';
export const accounts = 0;

const FRIEND = '0x0000000000000000000000000000000000000103';
const CONNECTIONS = 10_000;
const MAX_MEMORY_MB = 600;

/** Opens a TCP connection and says how it ended: `open`, or the error or the answer that closed it. */
function knock({ port }, first) {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    let said = '';
    socket.setEncoding('latin1').on('data', (text) => (said += text));
    socket.once('error', (error) => resolve({ socket, said: error.code }));
    socket.once('close', () => resolve({ socket, said }));
    socket.once('connect', () => (first ? socket.write(first) : resolve({ socket, said })));
  });
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
    for (const text of [
      '\u0000\u0001\u0002\u0003\r\n\r\n',
      'HELO chain\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`,
    ]) {
      const { said } = await knock(address, text);
      assert.match(said, /^(HTTP\/1\.[01] 4\d\d|ECONNRESET|EPIPE|$)/, said.slice(0, 100));
    }
    assert.ok((await fetch(chain.http, { method: 'PUT', body: '{}' })).status >= 400);
    await alive();
  });

  await t.check('a hundred requests that never end do not keep others waiting', async () => {
    const half =
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"json';
    const sockets = Array.from({ length: 100 }, () => connect({ port: Number(address.port), host: '127.0.0.1' }));
    for (const socket of sockets) socket.on('error', () => {}).write(half);
    await alive();
    for (const socket of sockets) socket.destroy();
  });

  await t.check(
    `${CONNECTIONS} connections at once: the ones that are there go on, and afterwards all is well`,
    async () => {
      const before = await openSocket(chain.ws);
      const opened = [];
      while (opened.length < CONNECTIONS) {
        opened.push(...(await Promise.all(Array.from({ length: 500 }, () => knock(address)))));
        assert.equal(await before.call('eth_chainId'), '0x1c68');
      }
      await Promise.all(opened.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve).destroy())));
      before.close();
      await t.eventually(alive);
    },
  );

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
