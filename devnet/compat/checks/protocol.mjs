// JSON-RPC itself: envelopes, batches, identifiers, parameters, limits; and that bad input disturbs nothing else.
import assert from 'node:assert/strict';
import { openSocket } from '../runner/socket.mjs';

export const title = 'JSON-RPC';
export const accounts = 0;

const ADDRESS = '0x00000000000000000000000000000000000000fb';

export async function run(t) {
  const { chain } = t;
  const { rpc } = chain;
  const post = async (body) => (await rpc.post(body)).json;
  const call = (fields) => post(JSON.stringify({ jsonrpc: '2.0', id: 1, ...fields }));
  const codeOf = async (answer) => (await answer).error?.code;

  await t.check('an unknown method is -32601 and named', async () => {
    const { error } = await call({ method: 'eth_noSuchMethod', params: [] });
    assert.deepEqual(error, { code: -32601, message: 'the method eth_noSuchMethod does not exist/is not available' });
  });

  await t.check('parameters that are missing, too many or of the wrong type are -32602 and say which', async () => {
    const message = async (params) => {
      const { error } = await call({ method: 'eth_getBalance', params });
      assert.equal(error.code, -32602);
      return error.message;
    };
    assert.match(await message([]), /missing value for required argument 0/);
    assert.match(await message(['0x12', 'latest']), /invalid argument 0/);
    assert.match(await message([ADDRESS, 'newest']), /invalid argument 1/);
    assert.match(await message([ADDRESS, '0x01', 'more']), /invalid argument 1|too many arguments, want at most 2/);
    assert.match(await message([ADDRESS, 'latest', 'more']), /too many arguments, want at most 2/);
    assert.match(await message({ address: ADDRESS }), /non-array args/);
  });

  await t.check('parameters may be left out where all are optional', async () => {
    assert.match((await call({ method: 'eth_chainId' })).result, /^0x/);
    assert.match((await call({ method: 'eth_chainId', params: null })).result, /^0x/);
    assert.equal((await call({ method: 'eth_getBalance', params: [ADDRESS] })).result, '0x0');
  });

  await t.check('what is not JSON is -32700 with a null id', async () => {
    for (const body of ['{', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId",}', 'eth_chainId', '\u0000']) {
      const answer = await post(body);
      assert.equal(answer?.error?.code, -32700, JSON.stringify(body));
      assert.equal(answer.id, null);
    }
  });

  await t.check('JSON that is no request is -32600', async () => {
    for (const body of [
      '{}',
      '{"jsonrpc":"2.0","id":7}',
      '{"jsonrpc":"2.0","id":7,"method":5}',
      '[]',
      '[1]',
      '"eth_chainId"',
      '{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}',
    ]) {
      const answer = await post(body);
      const { error } = Array.isArray(answer) ? answer[0] : answer;
      assert.ok([-32600, -32700].includes(error?.code), `${body}: ${JSON.stringify(answer)}`);
    }
    assert.equal(await codeOf(post('[]')), -32600);
    assert.equal(await codeOf(call({ method: undefined })), -32600);
  });

  await t.check('identifiers come back as they went: numbers, strings, null', async () => {
    for (const id of [0, 42, 'abc', '', null]) assert.equal((await call({ id, method: 'eth_chainId' })).id, id);
  });

  await t.check('a notification is carried out without an answer', async () => {
    const { status, text } = await rpc.post(JSON.stringify({ jsonrpc: '2.0', method: 'eth_chainId' }));
    assert.ok(status === 200 || status === 204);
    assert.equal(text.trim(), '');
  });

  await t.check('a mixed batch: each call its own answer, notifications none', async () => {
    const answers = await post(
      JSON.stringify([
        { jsonrpc: '2.0', id: 'a', method: 'eth_chainId' },
        { jsonrpc: '2.0', method: 'eth_chainId' },
        { jsonrpc: '2.0', id: 'b', method: 'nope' },
        { jsonrpc: '2.0', id: 'c', method: 'eth_getBalance', params: [] },
        { jsonrpc: '2.0', id: 'd', method: 'eth_blockNumber', params: [] },
        5,
      ]),
    );
    const found = Object.fromEntries(answers.map(({ id, result, error }) => [id, error?.code ?? typeof result]));
    assert.deepEqual(found, { a: 'string', b: -32601, c: -32602, d: 'string', null: -32600 });
  });

  await t.check('a batch of 1,000 is answered; a larger one is refused whole, with the limit', async () => {
    const calls = (count) =>
      Array.from({ length: count }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_chainId', params: [] }));
    assert.equal((await post(JSON.stringify(calls(1_000)))).length, 1_000);
    const refused = await post(JSON.stringify(calls(1_001)));
    const { error } = Array.isArray(refused) ? refused[0] : refused;
    assert.match(error.message, /1000|1,000|batch too large/);
  });

  await t.check('a body above the limit is refused with a clear status', async () => {
    const { status, text } = await rpc.post(
      `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":["${'0'.repeat(6_000_000)}"]}`,
    );
    assert.equal(status, 413);
    assert.match(text, /too large|limit|5242880/i);
  });

  await t.check('a hundred thousand nested arrays are refused and nothing breaks', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const body of [deep, `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":${deep}}`]) {
      const answer = await post(body);
      assert.ok((Array.isArray(answer) ? answer[0] : answer).error.code < -32000);
    }
    assert.match(await rpc.eth_chainId(), /^0x/);
  });

  await t.check('limits say what they are: log range, fee history, storage keys, simulated blocks', async () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `0x${i.toString(16).padStart(64, '0')}`);
    for (const request of [
      () => rpc.eth_getProof(ADDRESS, keys, 'latest'),
      () => rpc.eth_simulateV1({ blockStateCalls: Array.from({ length: 300 }, () => ({ calls: [] })) }, 'latest'),
      () => rpc.eth_getLogs({ address: Array.from({ length: 20_000 }, () => ADDRESS), fromBlock: '0x0' }),
    ]) {
      await assert.rejects(request, (error) => /\d/.test(error.message) && error.code < 0);
    }
    assert.ok((await rpc.eth_feeHistory('0xffff', 'latest', [])).baseFeePerGas.length <= 1_025);
  });

  await t.check('a WebSocket answers calls, batches and errors like HTTP', async () => {
    const { socket, call: ask, close } = await openSocket(chain.ws);
    assert.equal(await ask('eth_chainId'), await rpc.eth_chainId());
    await assert.rejects(ask('nope'), { code: -32601 });
    const answer = (text) =>
      new Promise((resolve, reject) => {
        socket.once('message', (reply) => resolve(JSON.parse(reply)));
        socket.once('close', () => reject(new Error(`closed without an answer to ${text}`)));
        socket.send(text);
      });
    assert.equal((await answer('[{"jsonrpc":"2.0","id":9,"method":"eth_chainId"}]'))[0].id, 9);
    assert.equal((await answer('{')).error.code, -32700);
    close();
  });
}
