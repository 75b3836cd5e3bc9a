// What `chlom dev` alone offers: time, mining on demand, snapshots, and the keys of its accounts.
import assert from 'node:assert/strict';
import { JsonRpcProvider, getAddress, verifyMessage, verifyTypedData } from 'ethers';
import {
  createWalletClient,
  http,
  parseEther,
  recoverMessageAddress,
  recoverTransactionAddress,
  recoverTypedDataAddress,
  toHex,
} from 'viem';
import { actor } from '../ethereum/clients.mjs';

export const title = 'dev methods';
export const accounts = 0;

const FRIEND = '0x00000000000000000000000000000000000000fd';
const HOUR = 3_600n;

/** Typed data with a nested type, a list and a dynamic value (EIP-712). */
const LICENCE = {
  domain: { name: 'CHLOM', version: '1', chainId: 7272, verifyingContract: FRIEND },
  types: {
    Term: [
      { name: 'territory', type: 'string' },
      { name: 'until', type: 'uint64' },
    ],
    Licence: [
      { name: 'holder', type: 'address' },
      { name: 'royaltyBps', type: 'uint16' },
      { name: 'terms', type: 'Term[]' },
      { name: 'note', type: 'bytes' },
    ],
  },
  primaryType: 'Licence',
  message: {
    holder: FRIEND,
    royaltyBps: 250,
    terms: [
      { territory: 'CH', until: 1_900_000_000n },
      { territory: 'LI', until: 2_000_000_000n },
    ],
    note: '0xc0ffee',
  },
};

/** What eth_signTypedData_v4 takes: the domain's type spelled out, no BigInt. */
function typedData({ domain, types, primaryType, message }) {
  const EIP712Domain = [
    { name: 'name', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'chainId', type: 'uint256' },
    { name: 'verifyingContract', type: 'address' },
  ];
  const terms = message.terms.map((term) => ({ ...term, until: Number(term.until) }));
  return { domain, types: { EIP712Domain, ...types }, primaryType, message: { ...message, terms } };
}

export async function run(t) {
  // A minute between blocks: only what this file asks for makes one.
  const chain = await t.need('a chain of its own, a block a minute', () =>
    t.ownChain('--automine', '--block-time', '1m'),
  );
  const { rpc } = chain;
  const me = actor(chain, chain.accounts[0]);
  const latest = () => rpc.eth_getBlockByNumber('latest', false);
  const time = async () => BigInt((await latest()).timestamp);

  await t.check('the accounts are those that Foundry and Hardhat users know, with 10,000 CHM', async () => {
    assert.equal(chain.accounts.length, 10);
    assert.equal(chain.accounts[0].address.toLowerCase(), '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
    const listed = await rpc.eth_accounts();
    assert.deepEqual(
      listed.map((one) => one.toLowerCase()),
      chain.accounts.map(({ address }) => address.toLowerCase()),
    );
    for (const { address } of chain.accounts)
      assert.equal(BigInt(await rpc.eth_getBalance(address, 'latest')), parseEther('10000'));
  });

  await t.check('the chain id is 7272 everywhere', async () => {
    assert.equal(chain.chainId, 7272);
    assert.equal(await rpc.eth_chainId(), '0x1c68');
    assert.equal(await rpc.net_version(), '7272');
  });

  await t.check('evm_mine makes one block, with nothing in it', async () => {
    const before = BigInt(await rpc.eth_blockNumber());
    await rpc.evm_mine();
    const block = await latest();
    assert.equal(BigInt(block.number), before + 1n);
    assert.deepEqual(block.transactions, []);
  });

  await t.check('evm_increaseTime moves the next blocks forward, for good', async () => {
    // Blocks in quick succession put the chain's time ahead of the clock; the hour counts from the chain's.
    for (let i = 0; i < 5; i += 1) await rpc.evm_mine();
    const before = await time();
    await rpc.evm_increaseTime(toHex(HOUR));
    await rpc.evm_mine();
    const after = await time();
    assert.ok(after >= before + HOUR && after <= before + HOUR + 120n, `${after - before} s`);
    await me.send({ to: FRIEND, value: 1n });
    assert.ok((await time()) > after);
  });

  await t.check('evm_setNextBlockTimestamp sets exactly the next one, and refuses the past', async () => {
    const wanted = (await time()) + 500n;
    await rpc.evm_setNextBlockTimestamp(toHex(wanted));
    await rpc.evm_mine();
    assert.equal(await time(), wanted);
    await assert.rejects(rpc.evm_setNextBlockTimestamp(toHex(wanted - 1n)), { name: 'RpcError' });
  });

  await t.check('evm_snapshot and evm_revert: balances, nonces, code and height go back', async () => {
    const before = await latest();
    const nonce = await rpc.eth_getTransactionCount(me.address, 'latest');
    const id = await rpc.evm_snapshot();
    const coin = await me.deploy('Coin', ['Gone', 'GONE', 1n]);
    assert.equal(await rpc.evm_revert(id), true);
    const after = await latest();
    assert.deepEqual([after.hash, after.number], [before.hash, before.number]);
    assert.equal(await rpc.eth_getCode(coin.address, 'latest'), '0x');
    assert.equal(await rpc.eth_getTransactionCount(me.address, 'latest'), nonce);
    assert.equal(await rpc.eth_getTransactionReceipt(coin.receipt.transactionHash), null);
    assert.equal(await rpc.evm_revert(id), false);
  });

  await t.check('after a revert the chain goes on: same nonce, new block, its logs found once', async () => {
    const id = await rpc.evm_snapshot();
    await me.deploy('Coin', ['One', 'ONE', 1n]);
    await rpc.evm_revert(id);
    const coin = await me.deploy('Coin', ['Two', 'TWO', 2n]);
    assert.equal(await me.read(coin, 'symbol'), 'TWO');
    assert.equal((await rpc.eth_getLogs({ address: coin.address, fromBlock: '0x0' })).length, 1);
  });

  await t.check('snapshots nest: an outer revert forgets the inner one', async () => {
    const outer = await rpc.evm_snapshot();
    await me.send({ to: FRIEND, value: 5n });
    const inner = await rpc.evm_snapshot();
    await me.send({ to: FRIEND, value: 5n });
    assert.equal(await rpc.evm_revert(outer), true);
    assert.equal(await rpc.evm_revert(inner), false);
  });

  await t.check('eth_sendTransaction signs for its accounts and for nobody else', async () => {
    const from = chain.accounts[1].address;
    const hash = await rpc.eth_sendTransaction({ from, to: FRIEND, value: '0x9' });
    const receipt = await me.settled(hash);
    assert.equal(receipt.from, from.toLowerCase());
    await assert.rejects(rpc.eth_sendTransaction({ from: FRIEND, to: from, value: '0x1' }), /unknown account/);
  });

  await t.check('eth_sign and eth_signTransaction give signatures of the account', async () => {
    const { address } = chain.accounts[2];
    const signature = await rpc.eth_sign(address, toHex('CHLOM'));
    assert.equal((await recoverMessageAddress({ message: 'CHLOM', signature })).toLowerCase(), address.toLowerCase());
    const filled = {
      from: address,
      to: FRIEND,
      value: '0x1',
      gas: '0x5208',
      nonce: '0x0',
      maxFeePerGas: '0x77359400',
      maxPriorityFeePerGas: '0x1',
    };
    const { raw } = await rpc.eth_signTransaction(filled);
    assert.equal(
      (await recoverTransactionAddress({ serializedTransaction: raw })).toLowerCase(),
      address.toLowerCase(),
    );
    await me.settled(await rpc.eth_sendRawTransaction(raw));
  });

  await t.check('viem signs messages, typed data and transactions with the node\'s accounts', async () => {
    const { address } = chain.accounts[2];
    const wallet = createWalletClient({ account: address, transport: http(chain.http) });
    const signature = await wallet.signMessage({ message: 'CHLOM' });
    assert.equal((await recoverMessageAddress({ message: 'CHLOM', signature })).toLowerCase(), address.toLowerCase());
    const typed = await wallet.signTypedData(LICENCE);
    const signer = await recoverTypedDataAddress({ ...LICENCE, signature: typed });
    assert.equal(signer.toLowerCase(), address.toLowerCase());
  });

  await t.check('ethers signs messages and typed data with the node\'s accounts', async () => {
    const { address } = chain.accounts[3];
    const provider = new JsonRpcProvider(chain.http, undefined, { staticNetwork: true });
    try {
      const signer = await provider.getSigner(address);
      assert.equal(verifyMessage('CHLOM', await signer.signMessage('CHLOM')), getAddress(address));
      const { domain, message, types } = LICENCE;
      const signature = await signer.signTypedData(domain, { Licence: types.Licence, Term: types.Term }, message);
      const found = verifyTypedData(domain, { Licence: types.Licence, Term: types.Term }, message, signature);
      assert.equal(found, getAddress(address));
    } finally {
      provider.destroy();
    }
  });

  await t.check('typed data as text is signed alike; nobody else\'s account signs, and nonsense is refused', async () => {
    const { address } = chain.accounts[2];
    const object = typedData(LICENCE);
    const signature = await rpc.eth_signTypedData_v4(address, object);
    assert.equal(await rpc.eth_signTypedData_v4(address, JSON.stringify(object)), signature);
    await assert.rejects(rpc.eth_signTypedData_v4(FRIEND, object), /unknown account/);
    await assert.rejects(rpc.personal_sign(toHex('CHLOM'), FRIEND), /unknown account/);
    await assert.rejects(rpc.eth_signTypedData_v4(address, { ...object, primaryType: 'Nothing' }), { code: -32602 });
  });

  await t.check('rpc_modules, web3_clientVersion, web3_sha3, net_listening, net_peerCount', async () => {
    const modules = await rpc.rpc_modules();
    for (const name of ['eth', 'net', 'web3', 'debug', 'txpool', 'rpc', 'evm']) assert.ok(name in modules, name);
    assert.match(await rpc.web3_clientVersion(), /^chlom\/v\d/);
    assert.equal(await rpc.web3_sha3('0x'), '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
    assert.equal(typeof (await rpc.net_listening()), 'boolean');
    assert.match(await rpc.net_peerCount(), /^0x/);
  });
}
