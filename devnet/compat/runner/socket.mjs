// JSON-RPC over a WebSocket with nothing in between: calls, subscriptions, and waiting for what they report.
import { WebSocket } from 'ws';
import { RpcError } from './rpc.mjs';

/** Opens a socket; `call`, `subscribe` and `close` are what can be done with it. */
export async function openSocket(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const pending = new Map();
  const subscriptions = new Map();
  let nextId = 1;

  socket.on('message', (text) => {
    const message = JSON.parse(text);
    if (message.method === 'eth_subscription') inbox(message.params.subscription).push(message.params.result);
    else pending.get(message.id)?.(message);
  });

  function inbox(id) {
    if (!subscriptions.has(id)) subscriptions.set(id, new Inbox());
    return subscriptions.get(id);
  }

  async function call(method, ...params) {
    const id = nextId++;
    const answer = new Promise((resolve) => pending.set(id, resolve));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const { error, result } = await answer;
    pending.delete(id);
    if (error) throw new RpcError(method, error);
    return result;
  }

  async function subscribe(...params) {
    const id = await call('eth_subscribe', ...params);
    return Object.assign(inbox(id), { id, stop: () => call('eth_unsubscribe', id) });
  }

  return { call, subscribe, socket, close: () => socket.terminate() };
}

/** What a subscription has reported; `next` waits for the first report that suits, past or to come. */
class Inbox {
  reports = [];
  #waiting = [];

  push(report) {
    this.reports.push(report);
    const suited = this.#waiting.filter(({ suits }) => suits(report));
    this.#waiting = this.#waiting.filter((one) => !suited.includes(one));
    for (const { resolve } of suited) resolve(report);
  }

  next(suits = () => true) {
    const had = this.reports.find(suits);
    if (had !== undefined) return Promise.resolve(had);
    return new Promise((resolve) => this.#waiting.push({ suits, resolve }));
  }
}
