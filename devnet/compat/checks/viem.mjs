// viem over HTTP: deploy, write, wait, read, simulate, fees, delegation.
import assert from 'node:assert/strict';
import { BaseError, ContractFunctionRevertedError, parseEther, zeroAddress } from 'viem';
import { actor } from '../ethereum/clients.mjs';

export const title = 'viem';
export const accounts = 2;

const FRIEND = '0x00000000000000000000000000000000000000f2';

export async function run(t) {
  const { chain } = t;
  const me = actor(chain, t.accounts[0]);
  const other = actor(chain, t.accounts[1]);
  const { reader, wallet } = me;

  const coin = await t.need('deployContract, waitForTransactionReceipt, readContract', async () => {
    const coin = await me.deploy('Coin', ['Viem', 'VIEM', 1_000_000n]);
    assert.equal(await me.read(coin, 'symbol'), 'VIEM');
    assert.equal(await me.read(coin, 'balanceOf', [me.address]), 1_000_000n);
    return coin;
  });

  await t.check("sendTransaction with nothing filled in: nonce, gas and fees are the library's", async () => {
    const receipt = await me.send({ to: FRIEND, value: parseEther('0.25') });
    assert.equal(receipt.gasUsed, 21_000n);
    assert.ok(receipt.effectiveGasPrice > 0n);
    assert.equal(receipt.type, 'eip1559');
  });

  await t.check('every transaction type: legacy, 2930, 1559', async () => {
    for (const type of ['legacy', 'eip2930', 'eip1559']) {
      const receipt = await me.send({ to: FRIEND, value: 1n, type, ...(type === 'eip2930' && { accessList: [] }) });
      assert.equal(receipt.type, type);
    }
  });

  await t.check('signAuthorization delegates an account and takes it back (7702)', async () => {
    const { address: contractAddress } = await me.deploy('Hello', ['viem']);
    const authorization = await wallet.signAuthorization({ contractAddress, executor: 'self' });
    assert.equal((await me.send({ to: FRIEND, authorizationList: [authorization] })).type, 'eip7702');
    assert.equal(await reader.getCode({ address: me.address }), `0xef0100${contractAddress.slice(2).toLowerCase()}`);
    const undo = await wallet.signAuthorization({ contractAddress: zeroAddress, executor: 'self' });
    await me.send({ to: FRIEND, authorizationList: [undo] });
    assert.equal(await reader.getCode({ address: me.address }), undefined);
  });

  await t.check('simulateContract decodes a custom error and its arguments', async () => {
    const request = { ...coin, functionName: 'transfer', args: [FRIEND, 2n ** 200n], account: me.address };
    const error = await reader.simulateContract(request).then(
      () => assert.fail('it should revert'),
      (caught) => caught,
    );
    assert.ok(error instanceof BaseError);
    const reverted = error.walk((one) => one instanceof ContractFunctionRevertedError);
    assert.equal(reverted.data.errorName, 'ERC20InsufficientBalance');
    assert.deepEqual(reverted.data.args, [me.address, 1_000_000n, 2n ** 200n]);
  });

  await t.check('simulateContract gives the reason of a require', async () => {
    const faults = await me.deploy('Faults');
    const request = { ...faults, functionName: 'nest', args: [2n, 1], account: me.address };
    await assert.rejects(reader.simulateContract(request), /Faults: because/);
  });

  await t.check('simulateBlocks and simulateCalls (eth_simulateV1)', async () => {
    const call = (functionName, args) => ({ to: coin.address, abi: coin.abi, functionName, args });
    const calls = [call('transfer', [FRIEND, 5n]), call('balanceOf', [FRIEND]), call('transfer', [zeroAddress, 1n])];
    const { results } = await reader.simulateCalls({ account: me.address, calls });
    assert.deepEqual(
      results.map(({ status }) => status),
      ['success', 'success', 'failure'],
    );
    assert.equal(results[1].result, 5n);
    const [block] = await reader.simulateBlocks({ blocks: [{ calls: [{ account: me.address, ...calls[0] }] }] });
    assert.equal(block.calls[0].status, 'success');
    assert.equal(await me.read(coin, 'balanceOf', [FRIEND]), 0n);
  });

  await t.check('estimateFeesPerGas, getFeeHistory, getGasPrice', async () => {
    const { maxFeePerGas, maxPriorityFeePerGas } = await reader.estimateFeesPerGas();
    assert.ok(maxFeePerGas > maxPriorityFeePerGas);
    const history = await reader.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] });
    assert.equal(history.baseFeePerGas.length, 5);
    assert.equal(history.reward.length, 4);
    assert.ok((await reader.getGasPrice()) >= history.baseFeePerGas.at(-1) / 2n);
  });

  await t.check('getLogs, getContractEvents, createContractEventFilter', async () => {
    const filter = await reader.createContractEventFilter({ ...coin, eventName: 'Transfer' });
    const { blockNumber } = await me.write(coin, 'transfer', [other.address, 77n]);
    const [change] = await reader.getFilterChanges({ filter });
    assert.equal(change.args.value, 77n);
    assert.deepEqual(await reader.getFilterChanges({ filter }), []);
    assert.equal(await reader.uninstallFilter({ filter }), true);
    const events = await reader.getContractEvents({ ...coin, fromBlock: blockNumber, toBlock: blockNumber });
    assert.deepEqual(
      events.map(({ eventName }) => eventName),
      ['Transfer'],
    );
  });

  await t.check('sendRawTransactionSync answers with the receipt', async () => {
    const request = await wallet.prepareTransactionRequest({ to: FRIEND, value: 3n });
    const receipt = await wallet.sendRawTransactionSync({
      serializedTransaction: await wallet.signTransaction(request),
    });
    assert.equal(receipt.status, 'success');
    assert.equal((await reader.getTransactionReceipt({ hash: receipt.transactionHash })).blockHash, receipt.blockHash);
  });

  await t.check('permit: typed data signed by one account, sent by another', async () => {
    const domain = { name: 'Viem', version: '1', chainId: chain.chainId, verifyingContract: coin.address };
    const fields = [
      ['owner', 'address'],
      ['spender', 'address'],
      ['value', 'uint256'],
      ['nonce', 'uint256'],
      ['deadline', 'uint256'],
    ];
    const types = { Permit: fields.map(([name, type]) => ({ name, type })) };
    const message = { owner: me.address, spender: other.address, value: 9n, nonce: 0n, deadline: 2n ** 60n };
    const signature = await wallet.signTypedData({ domain, types, primaryType: 'Permit', message });
    const [r, s, v] = [signature.slice(0, 66), `0x${signature.slice(66, 130)}`, parseInt(signature.slice(130), 16)];
    await other.write(coin, 'permit', [me.address, other.address, 9n, 2n ** 60n, v, r, s]);
    await other.write(coin, 'transferFrom', [me.address, FRIEND, 9n]);
    assert.equal(await me.read(coin, 'balanceOf', [FRIEND]), 9n);
  });

  await t.check('ERC-721: mint, royalty, safe transfer, and a contract that cannot take it', async () => {
    const art = await me.deploy('Artwork', [me.address, 750n]);
    await me.write(art, 'mint', [me.address]);
    await me.write(art, 'safeTransferFrom', [me.address, other.address, 1n]);
    assert.equal(await me.read(art, 'ownerOf', [1n]), other.address);
    assert.deepEqual(await me.read(art, 'royaltyInfo', [1n, 10_000n]), [me.address, 750n]);
    await assert.rejects(me.write(art, 'mint', [coin.address]), /ERC721InvalidReceiver/);
    assert.equal(await me.read(art, 'totalSupply'), 1n);
  });
}
