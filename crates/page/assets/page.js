// Asks for the state once a second and has the parts show it; moves what counts down in between.
import { Chain } from './chain.js';
import { duration } from './format.js';
import { Operator } from './operator.js';

const EVERY_MS = 1_000;
const SOON_MS = 250;
/** Failures in a row after which the connection is called lost. */
const LOST = 2;

const KINDS = {
  dev: ['development chain', 'chlom dev'],
  demo: ['the demo’s chain', 'chlom demo'],
  operator: ['lane operator', 'chlom lane serve'],
};

const byId = (id) => document.getElementById(id);
const parts = [];
let tag = null;
let failures = 0;
let timer = null;
/** The state, and when it came, by this browser's clock. */
let state = null;
let came = 0;

/** The chain's time now: it goes on between blocks, though no further than a chain that is alive would. */
function chainTime() {
  const since = Math.min((Date.now() - came) / 1_000, 5);
  return state.chain.time + since;
}

function begin() {
  const [kind, command] = KINDS[state.kind] ?? ['', ''];
  byId('kind').textContent = kind;
  document.title = `CHLOM: ${kind}`;
  byId('foot').textContent = `${command} shows this page; it reads and changes nothing. Lists have the newest of everything, counts are of all.`;
  if (state.kind === 'operator') parts.push(new Operator());
  if (state.kind !== 'operator' || 'chainTrouble' in state) parts.push(new Chain());
  for (const part of parts) byId('parts').append(part.node);
  const links = parts.flatMap((part) => part.links());
  byId('nav').replaceChildren(
    ...links.map(({ id, title }) => Object.assign(document.createElement('a'), { href: `#${id}`, textContent: title })),
  );
}

function show() {
  if (!parts.length) begin();
  for (const part of parts) part.show(state);
  document.documentElement.dataset.height = state.chain?.read === state.chain?.height ? (state.chain?.height ?? '') : '';
  tick();
}

/** What moves without news. */
function tick() {
  if (!state) return;
  const { chain } = state;
  const now = chain?.time ? chainTime() : 0;
  for (const part of parts) part.tick(now, chain);
  const age = (Date.now() - came) / 1_000;
  const alive = failures < LOST && !state.trouble;
  byId('live').dataset.state = alive ? 'live' : 'lost';
  byId('live-text').textContent = alive ? 'live' : `last heard ${duration(age)} ago`;
}

function notice(text) {
  const node = byId('notice');
  if (node.textContent !== text) node.textContent = text;
  node.hidden = !text;
}

async function ask() {
  const headers = tag ? { 'if-none-match': tag } : {};
  const answer = await fetch('/page/state', { headers, cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  if (answer.status === 202) return SOON_MS;
  if (answer.status !== 200 && answer.status !== 304) throw new Error(await answer.text());
  failures = 0;
  if (answer.status === 200) {
    state = await answer.json();
    tag = answer.headers.get('etag');
    came = Date.now();
    show();
  }
  const { trouble, chainTrouble } = state;
  notice(trouble ? `Not up to date: ${trouble}` : chainTrouble ? `The chain is not up to date: ${chainTrouble}` : '');
  return EVERY_MS;
}

async function follow() {
  clearTimeout(timer);
  let pause = EVERY_MS;
  try {
    pause = await ask();
  } catch (error) {
    failures += 1;
    if (failures >= LOST) {
      notice('The program that shows this page does not answer; what is here is what it said last.');
      console.warn(error);
      tick();
    }
  }
  // A page that nobody sees asks for nothing.
  if (!document.hidden) timer = setTimeout(follow, pause);
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) follow();
});
setInterval(tick, 1_000);
follow();
