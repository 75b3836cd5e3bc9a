// ethers v6: its providers batch what they ask, its contracts decode, its listeners follow a WebSocket.
import assert from 'node:assert/strict';
import { Contract, ContractFactory, JsonRpcProvider, Wallet, WebSocketProvider, isError, parseEther } from 'ethers';
import { artifact } from '../ethereum/artifacts.mjs';

export const title = 'ethers v6';
export const accounts = 2;

const FRIEND = '0x00000000000000000000000000000000000000F4';

/** A provider that counts the HTTP requests and the calls in them. */
class CountingProvider extends JsonRpcProvider {
  requests = 0;
  calls = 0;

  async _send(payload) {
    this.requests += 1;
    this.calls += Array.isArray(payload) ? payload.length : 1;
    return super._send(payload);
  }
}

export async function run(t) {
  const { chain } = t;
  const provider = new CountingProvider(chain.http, chain.chainId, {
    staticNetwork: true,
    pollingInterval: 50,
    cacheTimeout: -1,
  });
  const signer = new Wallet(t.accounts[0].privateKey, provider);
  const other = t.accounts[1].address;

  await t.check('fifty reads at once travel in one batch, and each gets its own answer', async () => {
    const heights = Array.from({ length: 50 }, (_, i) => (i % 2 ? signer.address : FRIEND));
    const balances = await Promise.all(heights.map((address) => provider.getBalance(address)));
    assert.deepEqual(
      balances.map((balance) => balance > parseEther('9000')),
      heights.map((address) => address !== FRIEND),
    );
    assert.equal(provider.calls, 50);
    assert.ok(provider.requests <= 2, `${provider.requests} requests`);
  });

  const coin = await t.need('ContractFactory deploys, waitForDeployment', async () => {
    const { abi, bytecode } = artifact('Coin');
    const coin = await new ContractFactory(abi, bytecode, signer).deploy('Ethers', 'ETHR', 1_000_000n);
    await coin.waitForDeployment();
    assert.equal(await coin.symbol(), 'ETHR');
    return coin;
  });

  await t.check('a transaction is sent, waited for, and its event decoded', async () => {
    const receipt = await (await coin.transfer(FRIEND, 500n)).wait();
    assert.equal(receipt.status, 1);
    assert.equal(receipt.logs[0].fragment.name, 'Transfer');
    assert.equal(receipt.logs[0].args.value, 500n);
    assert.equal(await coin.balanceOf(FRIEND), 500n);
  });

  await t.check('estimateGas, staticCall and queryFilter', async () => {
    assert.ok((await coin.transfer.estimateGas(FRIEND, 1n)) > 21_000n);
    assert.equal(await coin.transfer.staticCall(FRIEND, 1n), true);
    const events = await coin.queryFilter(coin.filters.Transfer(null, FRIEND), 0, 'latest');
    assert.deepEqual(
      events.map(({ args }) => args.value),
      [500n],
    );
  });

  await t.check('a revert is a CALL_EXCEPTION whose data is the custom error', async () => {
    const error = await coin.transfer.staticCall(FRIEND, 10n ** 30n).catch((caught) => caught);
    assert.ok(isError(error, 'CALL_EXCEPTION'), error.message);
    assert.equal(error.revert.name, 'ERC20InsufficientBalance');
    const refused = await coin.transfer(FRIEND, 10n ** 30n).catch((caught) => caught);
    assert.ok(isError(refused, 'CALL_EXCEPTION'), refused.message);
    assert.equal(coin.interface.parseError(refused.data).args[1], 999_500n);
  });

  await t.check('spending more than there is is INSUFFICIENT_FUNDS, an old nonce is NONCE_EXPIRED', async () => {
    const poor = new Wallet(`0x${'42'.repeat(32)}`, provider);
    const broke = await poor.sendTransaction({ to: FRIEND, value: 1n, gasLimit: 21_000n }).catch((caught) => caught);
    assert.ok(isError(broke, 'INSUFFICIENT_FUNDS'), broke.message);
    const late = await signer.sendTransaction({ to: FRIEND, nonce: 0, gasLimit: 21_000n }).catch((caught) => caught);
    assert.ok(isError(late, 'NONCE_EXPIRED'), late.message);
  });

  await t.check('getBlock with transactions, getFeeData, lookup of a transaction', async () => {
    const sent = await signer.sendTransaction({ to: FRIEND, value: 1n });
    const { blockNumber } = await sent.wait();
    const block = await provider.getBlock(blockNumber, true);
    assert.ok(block.prefetchedTransactions.some(({ hash }) => hash === sent.hash));
    assert.equal((await provider.getTransaction(sent.hash)).blockHash, block.hash);
    assert.ok((await provider.getFeeData()).maxFeePerGas > 0n);
  });

  await t.check('authorize delegates an account (7702)', async () => {
    const { abi, bytecode } = artifact('Hello');
    const hello = await new ContractFactory(abi, bytecode, signer).deploy('ethers');
    await hello.waitForDeployment();
    const nonce = (await provider.getTransactionCount(signer.address)) + 1;
    const authorization = await signer.authorize({ address: await hello.getAddress(), nonce, chainId: chain.chainId });
    const receipt = await (
      await signer.sendTransaction({ type: 4, to: FRIEND, authorizationList: [authorization] })
    ).wait();
    assert.equal(receipt.type, 4);
    assert.match(await provider.getCode(signer.address), /^0xef0100/);
  });

  await t.check("a JsonRpcSigner sends for the node's own accounts", async () => {
    const mine = await provider.getSigner(other);
    const receipt = await (await mine.sendTransaction({ to: FRIEND, value: 5n })).wait();
    assert.equal(receipt.from, mine.address);
  });

  const socket = await t.need('WebSocketProvider connects', async () => {
    const made = new WebSocketProvider(chain.ws, chain.chainId, { staticNetwork: true });
    assert.ok((await made.getBlockNumber()) > 0);
    return made;
  });

  await t.check('listeners report blocks and decoded events', async () => {
    const watched = new Contract(await coin.getAddress(), artifact('Coin').abi, socket);
    const event = new Promise((resolve) =>
      watched.on('Transfer', (from, to, value, payload) => to === FRIEND && resolve({ value, payload })),
    );
    const block = new Promise((resolve) => socket.once('block', resolve));
    // `listenerCount` answers once the subscription has been made.
    assert.equal(await watched.listenerCount('Transfer'), 1);
    const receipt = await (await coin.transfer(FRIEND, 3n)).wait();
    const { value, payload } = await event;
    assert.equal(value, 3n);
    assert.equal(payload.log.transactionHash, receipt.hash);
    assert.ok((await block) > 0);
    await watched.removeAllListeners();
  });

  // Not `destroy`: it rejects the unsubscriptions that it is still waiting for, and nobody could catch that.
  socket.websocket.close();
  provider.destroy();
}
