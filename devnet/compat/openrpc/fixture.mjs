// Something of everything on the chain, for methods to be asked about.
import { encodeDeployData, encodeFunctionData, keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { actor } from '../ethereum/clients.mjs';

const FRIEND = '0x00000000000000000000000000000000000f00d1';

/** Sends one transaction of each kind and returns what the table of calls needs. */
export async function fixture(chain, [account, queuer]) {
  const { rpc } = chain;
  const me = actor(chain, account);
  const coin = await me.deploy('Coin', ['Open', 'OPEN', 1_000_000n]);
  const faults = await me.deploy('Faults');
  const hello = await me.deploy('Hello', ['open']);
  const data = (contract, functionName, args) => encodeFunctionData({ ...contract, functionName, args });
  const transfer = data(coin, 'transfer', [FRIEND, 5n]);

  const accessList = [{ address: coin.address, storageKeys: [toHex(0, { size: 32 })] }];
  const authorization = await me.wallet.signAuthorization({ contractAddress: hello.address, executor: 'self' });
  const requests = [
    { to: FRIEND, value: 1n, type: 'legacy' },
    { to: coin.address, data: transfer, type: 'eip2930', accessList },
    { to: coin.address, data: transfer, type: 'eip1559', accessList },
    { to: FRIEND, value: 1n, authorizationList: [authorization] },
  ];
  const receipts = [coin.receipt];
  for (const request of requests) receipts.push(await me.send(request));
  const failing = data(faults, 'nest', [1n, 1]);
  const failedHash = await me.wallet.sendTransaction({ to: faults.address, data: failing, gas: 200_000n });
  receipts.push(await me.reader.waitForTransactionReceipt({ hash: failedHash }));

  const signer = privateKeyToAccount(queuer.privateKey);
  const nonce = Number(await rpc.eth_getTransactionCount(signer.address, 'latest'));
  const prepared = {
    type: 'eip1559',
    chainId: chain.chainId,
    to: FRIEND,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 1n,
  };
  const queued = await rpc.eth_sendRawTransaction(await signer.signTransaction({ ...prepared, nonce: nonce + 7 }));

  return {
    me: me.address,
    friend: FRIEND,
    coin: coin.address,
    faults: faults.address,
    failing,
    balanceOf: data(coin, 'balanceOf', [me.address]),
    transfer,
    creation: encodeDeployData({
      abi: hello.abi,
      bytecode: (await rpc.eth_getTransactionByHash(hello.receipt.transactionHash)).input,
      args: [],
    }),
    hashes: receipts.map(({ transactionHash }) => transactionHash),
    blocks: receipts.map(({ blockNumber }) => toHex(blockNumber)),
    failed: failedHash,
    queued,
    queuer: signer.address,
    blockHash: receipts[2].blockHash,
    block: toHex(receipts[2].blockNumber),
    unknown: keccak256('0x1234'),
    ready: (offset) => signer.signTransaction({ ...prepared, nonce: nonce + offset }),
  };
}
