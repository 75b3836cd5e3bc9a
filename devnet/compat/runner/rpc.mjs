// JSON-RPC over HTTP with nothing in between, so that a check sees exactly what the node answers.
import assert from 'node:assert/strict';

/** An error object of the node's: its code, message and data as they came. */
export class RpcError extends Error {
  constructor(method, { code, message, data }) {
    super(message);
    Object.assign(this, { name: 'RpcError', method, code, data });
  }
}

/** Waits for a call to fail with this code and a message that suits; any other end is an AssertionError. */
export async function fails(request, code, message) {
  await assert.rejects(request, (error) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** A client whose every property is a method: `rpc.eth_getBalance(address, 'latest')`. */
export function rpcClient(url) {
  const transport = { url, post: (body, headers) => post(url, body, headers), batch: (calls) => batch(url, calls) };
  return new Proxy(transport, {
    get: (own, name) => (name in own || name === 'then' ? own[name] : (...params) => call(url, name, params)),
  });
}

async function call(url, method, params) {
  const { json } = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  if (json === undefined) throw new Error(`${method}: the answer is not JSON`);
  if (json.error) throw new RpcError(method, json.error);
  return json.result;
}

/** Sends `[method, params]` pairs as one batch and returns the answers in the order of the calls. */
async function batch(url, calls) {
  const requests = calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
  const { json } = await post(url, JSON.stringify(requests));
  return requests.map(({ id }) => json.find((answer) => answer.id === id));
}

/** Posts a body as it is: the HTTP status, the text, and the JSON if it is any. */
async function post(url, body, headers = { 'content-type': 'application/json' }) {
  const response = await fetch(url, { method: 'POST', body, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
