// Receipts over HTTP as fast as a server takes them, on a few connections that each wait for their answer.
import { Agent, request } from 'node:http';

/** Bodies made before the clock starts: the generator shares the machine with the server. */
function bodies(receipts, perRequest) {
  const made = [];
  for (let first = 0; first < receipts; first += perRequest) {
    const some = [];
    for (let number = first; number < Math.min(first + perRequest, receipts); number += 1) {
      const cents = 100 + ((number * 7919) % 20_000);
      some.push({
        event: 'ad_conversion',
        ts: new Date(Date.UTC(2025, 8, 1) + (number % 600_000) * 1000).toISOString().replace('.000', ''),
        campaign: `C-${number % 40}`,
        license_id: `AST-${9000 + (number % 500)}`,
        value: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
        currency: 'USD',
        txid: `AD-${number}`,
      });
    }
    made.push(Buffer.from(JSON.stringify(some)));
  }
  return made;
}

function post(agent, url, key, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': body.length };
    const asked = request(url, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.on('data', (data) => (text += data));
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Sends all of them once; gives receipts a second. Whatever is not accepted, and accepted as new, is an error. */
export async function flood({ http, key, receipts, perRequest, connections }) {
  const all = bodies(receipts, perRequest);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let [next, taken] = [0, 0];
  const started = performance.now();
  const one = async () => {
    while (next < all.length) {
      const body = all[next];
      next += 1;
      const { status, text } = await post(agent, `${http}/v1/receipts`, key, body);
      if (status !== 200 && status !== 201 && status !== 202) throw new Error(`HTTP ${status}: ${text.slice(0, 300)}`);
      taken += JSON.parse(text).accepted;
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  if (taken !== receipts) throw new Error(`${taken} of ${receipts} receipts were accepted`);
  return { seconds, perSecond: receipts / seconds };
}
