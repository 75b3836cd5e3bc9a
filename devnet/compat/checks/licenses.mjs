// The README's walk: licences imported with `chlom`, a period settled through its override levels, payees paid, and every
// amount compared with what was computed independently.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { concat, encodeFunctionData, keccak256, pad, stringToHex, toHex } from 'viem';
import { actor } from '../ethereum/clients.mjs';
import { chlomOf } from '../runner/chlom.mjs';

export const title = 'licences and royalties';
export const accounts = 0;

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const FILE = at('devnet/data/licences.json');
const FIRST = at('devnet/data/first-licence.csv');
const EXPECTED = at('spec/vectors/demo/expected.json');

const ZERO = pad('0x0');
const LANE = pad(stringToHex('adluxe'), { dir: 'right', size: 20 });
const PERIOD = 20250901;
const POLICY = keccak256(toHex('a demonstration pack'));
const idOf = (name) => keccak256(toHex(name));

export async function run(t) {
  const chain = await t.ownChain('--automine');
  const [account, stranger] = chain.accounts;
  const chlom = chlomOf(t.binary, chain);
  const { read, write, deploy } = actor(chain, account);
  const all = await chlom.json('contracts');
  const { LicenseRegistry: registry, RoyaltyLedger: ledger, TimelockController: timelock } = all;
  const from = ['--from', account.address];
  const importing = ['license', 'import', FILE, '--policy', POLICY];
  const expected = JSON.parse(await readFile(EXPECTED, 'utf8'));
  const documents = JSON.parse(await readFile(FILE, 'utf8'));
  const tally = ({ licences }) =>
    licences.reduce((sum, { verdict }) => ({ ...sum, [verdict]: (sum[verdict] ?? 0) + 1 }), {});

  await t.check('an import under a policy that is not active is refused, with exit code 6 and nothing sent', async () => {
    const nonce = await chain.rpc.eth_getTransactionCount(account.address, 'latest');
    const refused = await chlom.attempt(...importing, ...from);
    assert.equal(refused.code, 6, refused.stderr);
    assert.match(refused.stdout, /policy 0x[0-9a-f]{64} is not active/);
    assert.equal(await chain.rpc.eth_getTransactionCount(account.address, 'latest'), nonce);
  });

  await t.need('a policy is activated by the authority', async () => {
    const height = BigInt(await chain.rpc.eth_blockNumber());
    await write(all.PolicyRegistry, 'activate', [POLICY, height + 3n]);
    for (let mined = 0; mined < 3; mined += 1) await chain.rpc.evm_mine();
    assert.equal(await read(all.PolicyRegistry, 'isPolicyHashActive', [POLICY]), true);
  });

  await t.check('--dry-run shows what would be new and sends nothing', async () => {
    const head = await chain.rpc.eth_getTransactionCount(account.address, 'latest');
    assert.deepEqual(tally(await chlom.json(...importing, ...from, '--dry-run')), { new: 23 });
    assert.deepEqual(tally(await chlom.json(...importing, '--dry-run')), { new: 23 }, 'without a signer too');
    assert.equal(await chain.rpc.eth_getTransactionCount(account.address, 'latest'), head);
  });

  await t.need('an import that stopped in the middle goes on when it is run again', async () => {
    const some = `${await t.folder()}/some.json`;
    const names = new Set(['AST-9003', 'AST-9004', 'AST-9000']);
    await writeFile(some, JSON.stringify(documents.filter(({ id }) => names.has(id))));
    await chlom.run('license', 'import', some, '--policy', POLICY, ...from);
    const done = await chlom.json(...importing, ...from);
    assert.deepEqual(tally(done), { new: 20, unchanged: 3 });
    for (const { id, owner } of documents) {
      assert.equal((await read(registry, 'licensorOf', [idOf(id)])).toLowerCase(), owner, id);
    }
  });

  await t.check('a second import changes nothing', async () => {
    const nonce = await chain.rpc.eth_getTransactionCount(account.address, 'latest');
    const again = await chlom.json(...importing, ...from);
    assert.deepEqual(tally(again), { unchanged: 23 });
    assert.equal(await chain.rpc.eth_getTransactionCount(account.address, 'latest'), nonce);
  });

  await t.check('what others own is not changed, and what is fixed is named', async () => {
    const file = `${await t.folder()}/changed.json`;
    const [one, two] = documents;
    const changed = [{ ...one, royalty: { type: 'percent', value: 21 } }, { ...two, languages: ['FR'] }];
    await writeFile(file, JSON.stringify(changed));
    const refused = await chlom.attempt('license', 'import', file, '--policy', POLICY, ...from);
    assert.equal(refused.code, 6);
    assert.match(refused.stdout, /AST-9000 +refused +only its owner 0x\w+ may change royalty, metaHash/);
    assert.match(refused.stdout, /AST-9001 +refused +fixed since it was minted: rights/);
  });

  await t.check('a file with mistakes is refused with all of them, exit code 2', async () => {
    const file = `${await t.folder()}/wrong.json`;
    const wrong = [{ ...documents[0], end: '2025-02-29', owner: 'ENT-500' }, { ...documents[1], royalty: { type: 'percent', value: 33.333 } }];
    await writeFile(file, JSON.stringify(wrong));
    const refused = await chlom.attempt('license', 'import', file, '--policy', POLICY, ...from);
    assert.equal(refused.code, 2);
    for (const said of ['[0].owner', '[0].end', '[1].royalty']) assert.ok(refused.stderr.includes(said), refused.stderr);
  });

  await t.check('a licence from CSV is minted, checked, modified by its owner, and revoked', async () => {
    await chlom.run('license', 'import', FIRST, '--policy', POLICY, ...from);
    const shown = await chlom.json('license', 'show', 'FIRST-1');
    assert.equal(shown.state, 'active');
    assert.deepEqual([shown.royaltyPercent, shown.endsBefore], ['12.5', '2100-01-01']);
    assert.deepEqual([shown.rights, shown.territories], [['use', 'display'], ['CA', 'US-VA']]);
    const use = ['--right', 'use', '--channel', 'web', '--language', 'en'];
    assert.equal((await chlom.run('license', 'check', 'FIRST-1', ...use, '--territory', 'US-VA')).trim(), 'allowed');
    const elsewhere = await chlom.attempt('license', 'check', 'FIRST-1', ...use, '--territory', 'US-MD');
    assert.equal(elsewhere.code, 6);
    assert.match(elsewhere.stderr, /not allowed: TERRITORY/);
    const other = [...use, '--territory', 'CA', '--user', stranger.address];
    assert.match((await chlom.run('license', 'check', 'FIRST-1', ...other)).trim(), /^allowed$/, 'the licensee');
    const file = `${await t.folder()}/first.csv`;
    await writeFile(file, (await readFile(FIRST, 'utf8')).replace(',12.5,', ',15,'));
    const changed = await chlom.json('license', 'import', file, '--policy', POLICY, ...from);
    assert.deepEqual(changed.licences[0].changes[0], { field: 'royalty', from: '12.5 %', to: '15 %' });
    assert.equal((await chlom.json('license', 'show', 'FIRST-1')).royaltyPercent, '15');
    await chlom.run('license', 'revoke', 'FIRST-1', ...from);
    const revoked = await chlom.attempt('license', 'check', 'FIRST-1', ...use, '--territory', 'CA');
    assert.match(revoked.stderr, /not allowed: REVOKED/);
    const again = await chlom.attempt('license', 'import', FIRST, '--policy', POLICY, ...from);
    assert.match(again.stdout, /it is revoked, and an id is used once/);
  });

  await t.check('an owner with a key file commits first, then mints; the file must be its own alone', async () => {
    const folder = await t.folder();
    const [key, file] = [`${folder}/key`, `${folder}/own.json`];
    const own = { ...documents[0], id: 'OWN-1', owner: stranger.address };
    await writeFile(file, JSON.stringify(own));
    await writeFile(key, stranger.privateKey, { mode: 0o644 });
    const args = ['license', 'import', file, '--policy', POLICY, '--key-file', key];
    const open = await chlom.attempt(...args);
    assert.deepEqual([open.code, /others can read it/.test(open.stderr)], [2, true], open.stderr);
    const { chmod } = await import('node:fs/promises');
    await chmod(key, 0o600);
    const unsalted = await chlom.attempt(...args);
    assert.match(unsalted.stdout, /only a registrar mints without a salt/);
    await writeFile(file, JSON.stringify({ ...own, salt: keccak256(toHex('of this check')) }));
    await chlom.run(...args);
    const licensor = await read(registry, 'licensorOf', [idOf('OWN-1')]);
    assert.equal(licensor.toLowerCase(), stranger.address.toLowerCase());
    const other = await chlom.attempt('license', 'revoke', 'OWN-1', '--from', chain.accounts[2].address);
    assert.deepEqual([other.code, /refuses: OWNER/.test(other.stderr)], [6, true], other.stderr);
    await chlom.run('license', 'revoke', 'OWN-1', '--key-file', key);
  });

  const token = await t.need('a token with six decimals is enabled by the timelock, and a pot is funded', async () => {
    const supply = BigInt(expected.totals.gross) * 3n;
    const token = await deploy('Dollar', [supply]);
    const data = encodeFunctionData({ abi: ledger.abi, functionName: 'enableToken', args: [token.address, 6] });
    await write(timelock, 'schedule', [ledger.address, 0n, data, ZERO, ZERO, 1n]);
    await chain.rpc.evm_mine();
    await write(timelock, 'execute', [ledger.address, 0n, data, ZERO, ZERO]);
    await write(token, 'approve', [ledger.address, supply]);
    await write(ledger, 'deposit', [token.address, LANE, account.address, supply]);
    return token;
  });

  await t.check('royalty preview says what a settlement through two override levels will pay', async () => {
    const { revenue, base, fee } = expected.licenses.find(({ id }) => id === 'AST-9005');
    const args = ['--revenue', revenue, '--period', String(PERIOD), '--token', token.address];
    const preview = await chlom.json('royalty', 'preview', 'AST-9005', ...args);
    assert.deepEqual([preview.base, preview.fee], [base, fee]);
    assert.deepEqual(preview.licences.map(({ licence }) => licence), ['AST-9005', 'AST-9004', 'AST-9003'].map(idOf));
  });

  await t.need('every row is reserved and settled at the expected base and fee', async () => {
    const batch = keccak256(toHex('batch 1'));
    const most = expected.licenses.reduce((sum, { base }) => sum + BigInt(base), 0n);
    await write(ledger, 'reserve', [batch, token.address, LANE, account.address, most]);
    const rows = expected.licenses.map(({ id, revenue }) => ({
      batch,
      lane: LANE,
      period: PERIOD,
      token: token.address,
      payer: account.address,
      licence: idOf(id),
      revenue: BigInt(revenue),
    }));
    for (let start = 0; start < rows.length; start += 8) {
      await write(ledger, 'settleBatch', [rows.slice(start, start + 8)]);
    }
    for (const { id, base, fee } of expected.licenses) {
      const accrual = await read(ledger, 'accrualOf', [token.address, idOf(id), LANE, PERIOD]);
      assert.deepEqual([accrual.base, accrual.fee], [BigInt(base), BigInt(fee)], id);
    }
  });

  await t.check('every payee withdraws exactly the expected amount, and the residuals stay', async () => {
    const paid = new Map();
    let fees = 0n;
    for (const { id, payees, residual, fee } of expected.licenses) {
      const key = await read(ledger, 'routeKeyOf', [idOf(id), PERIOD]);
      const [allocations, , left] = await read(ledger, 'payoutReceipt', [token.address, key]);
      const sorted = [...payees].sort((a, b) => (a.address < b.address ? -1 : 1));
      const got = allocations.map(({ to, amount }) => ({ address: to.toLowerCase(), amount: String(amount) }));
      assert.deepEqual(got, sorted, id);
      assert.equal(left, BigInt(residual), id);
      // A payout that fails stops no other; too little gas for one undoes all, so that an estimate is enough for each.
      await write(ledger, 'withdrawBatch', [payees.map((_, index) => ({ key, token: token.address, index }))]);
      for (const { address, amount } of payees) paid.set(address, (paid.get(address) ?? 0n) + BigInt(amount));
      fees += BigInt(fee);
    }
    for (const [address, amount] of paid) {
      assert.equal(await read(token, 'balanceOf', [address]), amount, address);
    }
    const { totals } = expected;
    assert.equal([...paid.values()].reduce((a, b) => a + b), BigInt(totals.paid));
    assert.equal(await read(ledger, 'feesOwed', [token.address]), fees);
    const [free, reserved] = await read(ledger, 'potOf', [token.address, LANE, account.address]);
    const accounted = await read(ledger, 'accounted', [token.address]);
    assert.equal(accounted, free + reserved + fees + BigInt(totals.residual), 'to the unit');
    assert.equal(await read(token, 'balanceOf', [ledger.address]), accounted);
  });

  await t.check('fees reach the router, and the treasury its quarter', async () => {
    const owed = await read(ledger, 'feesOwed', [token.address]);
    await write(ledger, 'collectFees', [token.address]);
    const [validators, dla, treasury] = await read(all.FeeRouter, 'accrued', [token.address]);
    assert.equal(validators + dla + treasury, owed);
    await write(all.FeeRouter, 'payTreasury', [token.address]);
    assert.equal(await read(all.Treasury, 'held', [token.address]), treasury);
  });

  // ------------------------------------------------------------------ previews of what is already under way

  const base = { lane: LANE, period: PERIOD, token: token.address, payer: account.address };
  async function settle(id, revenue, batch) {
    await write(token, 'approve', [ledger.address, revenue]);
    await write(ledger, 'reserve', [batch, token.address, LANE, account.address, revenue]);
    await write(ledger, 'settleBatch', [[{ ...base, batch, licence: idOf(id), revenue }]]);
    await write(ledger, 'release', [batch, token.address, LANE, account.address]);
  }
  const accounts = (preview) =>
    Promise.all(
      preview.licences.map(async ({ licence }) => {
        const key = await read(ledger, 'routeKeyOf', [licence, PERIOD]);
        const { inflow, passedUp } = await read(ledger, 'accountOf', [token.address, key]);
        return { key, inflow, passedUp };
      }),
    );

  await t.check('royalty preview says to the unit what a further row of a settled period will add', async () => {
    const revenue = 123_457n;
    const args = ['--revenue', String(revenue), '--period', String(PERIOD), '--token', token.address, '--lane', LANE];
    const preview = await chlom.json('royalty', 'preview', 'AST-9005', ...args);
    const before = await accounts(preview);
    for (const [i, { before: said }] of preview.licences.entries()) {
      assert.deepEqual([said.inflow, said.passedUp], [String(before[i].inflow), String(before[i].passedUp)]);
      assert.ok(before[i].inflow > 0n, 'something was settled');
    }
    const known = await read(ledger, 'accrualOf', [token.address, idOf('AST-9005'), LANE, PERIOD]);
    assert.equal(preview.revenueBefore, String(known.revenue));
    await settle('AST-9005', revenue, keccak256(toHex('batch 2')));
    const accrual = await read(ledger, 'accrualOf', [token.address, idOf('AST-9005'), LANE, PERIOD]);
    assert.equal(preview.base, String(accrual.base - known.base));
    assert.equal(preview.fee, String(accrual.fee - known.fee));
    for (const [i, { key, inflow, passedUp }] of (await accounts(preview)).entries()) {
      const said = preview.licences[i];
      assert.equal(said.inflow, String(inflow - before[i].inflow));
      assert.equal(said.passedUp, String(passedUp - before[i].passedUp));
      // All that was owed before has been withdrawn.
      for (const [index, { amount }] of said.payees.entries()) {
        const [due] = await read(ledger, 'withdrawable', [{ key, token: token.address, index }]);
        assert.equal(amount, String(due), `payee ${index}`);
      }
    }
  });

  await t.check('royalty preview divides by a sum tree, whose leaves a file names', async () => {
    const u96 = (n) => toHex(n, { size: 12 });
    const [a, b] = [stranger.address, account.address];
    const leaf = (payee, start, weight) => keccak256(concat(['0x00', payee, u96(start), u96(weight)]));
    const root = keccak256(concat(['0x01', leaf(a, 0, 3), u96(3), leaf(b, 3, 4), u96(4)]));
    const split = keccak256(concat([toHex('CHLOM_SPLIT_TREE_V1'), root, u96(7), toHex(2, { size: 4 })]));
    await write(all.SplitRegistry, 'registerTree', [root, 7n, 2]);
    const { splits: _, denom: __, parent: ___, ...document } = documents[0];
    const path = join(await t.folder(), 'tree.json');
    await writeFile(path, JSON.stringify([{ ...document, id: 'TREE-1', ade_split_hash: split }]));
    await chlom.json('license', 'import', path, '--policy', POLICY, ...from);
    const args = ['--revenue', '1000', '--period', String(PERIOD), '--token', token.address];
    const [blind] = (await chlom.json('royalty', 'preview', 'TREE-1', ...args)).licences;
    assert.deepEqual(blind.tree, { root, leaves: 2 });
    assert.deepEqual([blind.payees, blind.residual], [[], null]);
    const leaves = join(await t.folder(), 'leaves.csv');
    await writeFile(leaves, `payee,weight\n${a},3\n${b},4\n`);
    const [named] = (await chlom.json('royalty', 'preview', 'TREE-1', ...args, '--leaves', leaves)).licences;
    const kept = BigInt(named.kept);
    assert.deepEqual(
      named.payees.map(({ address, amount }) => [address.toLowerCase(), BigInt(amount)]),
      [[a.toLowerCase(), (kept * 3n) / 7n], [b.toLowerCase(), (kept * 4n) / 7n]],
    );
    assert.equal(BigInt(named.residual), kept - (kept * 3n) / 7n - (kept * 4n) / 7n);
    await writeFile(leaves, `${b},4\n${a},3\n`);
    const wrong = await chlom.attempt('royalty', 'preview', 'TREE-1', ...args, '--leaves', leaves);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /no licence on the way has/);
  });
}
