// What an operator meets: help, exit codes, health, metrics, browsers, and bad arguments.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concat, sha256, toBeHex } from 'ethers';
import { parseEther, toHex } from 'viem';
import { refusedChain } from '../runner/chain.mjs';
import { execute } from '../runner/processes.mjs';
import { openSocket } from '../runner/socket.mjs';

export const title = 'operation';
export const accounts = 0;

const USAGE = 2;
/** A proof that holds: case correct_proof_4_4 of c-kzg's tests of verify_kzg_proof. */
const KZG = {
  commitment: '0x8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7',
  z: '0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000',
  y: '0x1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9',
  proof: '0xa62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc2160744faf0070725e00b60ad9a026a15b1a8c',
};
const RICH = '0x00000000000000000000000000000000000c4e11';

export async function run(t) {
  const { chain } = t;
  const page = (path, options) => fetch(new URL(path, chain.http), options);

  await t.check('the line of JSON has the chain id, both endpoints and the accounts with their keys', () => {
    assert.deepEqual(Object.keys(chain.ready).sort(), ['accounts', 'chainId', 'http', 'ws']);
    assert.equal(chain.ready.chainId, 7272);
    for (const account of chain.accounts) {
      assert.match(account.address, /^0x[0-9a-fA-F]{40}$/);
      assert.match(account.privateKey, /^0x[0-9a-f]{64}$/);
    }
  });

  await t.check('HTTP and WebSocket share a port', () =>
    assert.equal(new URL(chain.http).port, new URL(chain.ws).port),
  );

  await t.check('a chain left alone makes empty blocks, the first one soon', async () => {
    const own = await t.ownChain();
    const { subscribe, close } = await openSocket(own.ws);
    const { number } = await (await subscribe('newHeads')).next();
    assert.ok(BigInt(number) >= 1n && BigInt(number) <= 5n, number);
    assert.deepEqual((await own.rpc.eth_getBlockByNumber('0x1', false)).transactions, []);
    close();
  });

  await t.check('the KZG precompile answers: its set-up is loaded in the background, and whoever is earlier waits', async () => {
    const input = concat([`0x01${sha256(KZG.commitment).slice(4)}`, KZG.z, KZG.y, KZG.commitment, KZG.proof]);
    const ask = () => t.chain.rpc.eth_call({ to: toBeHex(10, 20), data: input, gas: toHex(100_000) }, 'latest');
    // On a busy machine the first calls may wait for the set-up until their own time is up.
    const answer = await t.eventually(ask);
    // The number of field elements of a blob, and the field's modulus.
    assert.equal(answer, concat([toBeHex(4_096, 32), '0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001']));
  });

  await t.check('/health is 200', async () => {
    const answer = await page('/health');
    assert.equal(answer.status, 200, await answer.text());
  });

  await t.check("/metrics is Prometheus text, and counts this suite's calls", async () => {
    const answer = await page('/metrics');
    assert.equal(answer.status, 200);
    const text = await answer.text();
    assert.match(text, /^# TYPE \S+ (counter|gauge|histogram|summary)$/m);
    assert.match(text, /^\S*height\S* \d+/m);
    assert.match(text, /eth_chainId|requests/);
  });

  await t.check('a browser may call: CORS answers the preflight and the call', async () => {
    const headers = {
      origin: 'http://localhost:3000',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const preflight = await page('/', { method: 'OPTIONS', headers });
    assert.ok(preflight.ok, String(preflight.status));
    assert.match(preflight.headers.get('access-control-allow-origin'), /^(\*|http:\/\/localhost:3000)$/);
    assert.match(preflight.headers.get('access-control-allow-headers'), /\*|content-type/i);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' });
    const answer = await page('/', {
      method: 'POST',
      body,
      headers: { origin: headers.origin, 'content-type': 'application/json' },
    });
    assert.match(answer.headers.get('access-control-allow-origin'), /^(\*|http:\/\/localhost:3000)$/);
  });

  await t.check('--help explains every flag and the exit codes', async () => {
    const help = await execute(t.binary, ['dev', '--help']);
    assert.equal(help.code, 0);
    for (const flag of [
      '--port',
      '--block-time',
      '--gas-limit',
      '--automine',
      '--data-dir',
      '--genesis',
      '--accounts',
      '--json',
      '--history',
      '--proof-history',
    ]) {
      assert.ok(help.stdout.includes(flag), flag);
    }
    assert.match((await execute(t.binary, ['--help'])).stdout, /exit codes/i);
  });

  await t.check('bad arguments are refused with exit code 2 and the reason', async () => {
    for (const args of [
      ['--block-time', 'soon'],
      ['--port', '70000'],
      ['--no-such-flag'],
      ['--genesis', '/no/such/file.json'],
    ]) {
      const { code, said } = await refusedChain(t.binary, args);
      assert.equal(code, USAGE, `${args.join(' ')}: ${said}`);
      assert.ok(said.includes(args[0]) || said.includes(args.at(-1)), said);
    }
  });

  await t.check("--genesis takes Ethereum's JSON: balances, code and storage, at another chain id", async () => {
    const file = join(await t.folder(), 'genesis.json');
    const contract = '0x00000000000000000000000000000000000c0de5';
    const alloc = {
      [RICH.slice(2)]: { balance: '0x4563918244f40000' },
      [contract]: { balance: '0', nonce: '0x1', code: '0x60005460005260206000f3', storage: { '0x00': '0x2a' } },
    };
    await writeFile(file, JSON.stringify({ config: { chainId: 72_720 }, timestamp: '0x1', alloc }));
    const own = await t.ownChain('--genesis', file);
    assert.equal(await own.rpc.eth_chainId(), '0x11c10');
    assert.equal(BigInt(await own.rpc.eth_getBalance(RICH, '0x0')), parseEther('5'));
    assert.equal(BigInt(await own.rpc.eth_call({ to: contract }, 'latest')), 42n);
  });

  await t.check('--genesis refuses a reserved address and nonsense, with exit code 2', async () => {
    const file = join(await t.folder(), 'genesis.json');
    for (const [text, said] of [
      [
        JSON.stringify({
          config: { chainId: 7272 },
          alloc: { '0x0000000000000000000000000000000000001010': { balance: '1' } },
        }),
        /reserved|1010/,
      ],
      [
        JSON.stringify({ config: { chainId: 7272, chlom: { params: { gas: { no_such_parameter: 1 } } } }, alloc: {} }),
        /no_such_parameter/,
      ],
      ['{', /genesis/],
    ]) {
      await writeFile(file, text);
      const refused = await refusedChain(t.binary, ['--port', '0', '--genesis', file]);
      assert.equal(refused.code, USAGE, refused.said);
      assert.match(refused.said, said);
    }
  });
}
