// viem clients for a chain, and the one deployment that most checks begin with.
import { createPublicClient, createWalletClient, defineChain, http, webSocket } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { artifact } from './artifacts.mjs';

const POLL_MS = 50;

/** The chain as viem wants it described. */
export function viemChain(chain) {
  return defineChain({
    id: chain.chainId,
    name: 'CHLOM dev',
    nativeCurrency: { name: 'CHM', symbol: 'CHM', decimals: 18 },
    rpcUrls: { default: { http: [chain.http], webSocket: [chain.ws] } },
  });
}

/** A client that reads, over HTTP or a WebSocket. */
export function publicClient(chain, { socket = false } = {}) {
  const transport = socket ? webSocket(chain.ws) : http(chain.http);
  return createPublicClient({ chain: viemChain(chain), transport, pollingInterval: POLL_MS, cacheTime: 0 });
}

/** A client that signs with one of the chain's accounts. */
export function walletClient(chain, { privateKey }) {
  const account = privateKeyToAccount(privateKey);
  return createWalletClient({ chain: viemChain(chain), account, transport: http(chain.http) });
}

/** Both clients of one account, with `deploy` and `write`, which wait for success. */
export function actor(chain, account) {
  const reader = publicClient(chain);
  const wallet = walletClient(chain, account);

  async function settled(hash) {
    const receipt = await reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== 'success') throw new Error(`transaction ${hash} failed`);
    return receipt;
  }

  async function deploy(name, args = []) {
    const { abi, bytecode } = artifact(name);
    const receipt = await settled(await wallet.deployContract({ abi, bytecode, args }));
    return { name, abi, address: receipt.contractAddress, receipt };
  }

  const write = async ({ address, abi }, functionName, args = [], options = {}) =>
    settled(await wallet.writeContract({ address, abi, functionName, args, ...options }));

  const read = ({ address, abi }, functionName, args = [], options = {}) =>
    reader.readContract({ address, abi, functionName, args, ...options });

  const send = async (request) => settled(await wallet.sendTransaction(request));

  return { address: wallet.account.address, reader, wallet, deploy, write, read, send, settled };
}
