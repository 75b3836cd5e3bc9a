// What a chain holds: head, money, lanes, batches, payees, frauds, licences.
import { Table, badge, el, fill, hex, licence, part, words } from './dom.js';
import { amount, count, day, duration, moment, percent, period, plural } from './format.js';

const CHM = 18;
/** `FraudKind` of the Lane module. */
const FRAUDS = {
  1: 'Malformed page',
  2: 'Bad order',
  3: 'Counted twice',
  4: 'Wrong sum',
  5: 'Wrong terms',
  6: 'Bad root',
  7: 'Invalid licence',
  8: 'Out of period',
  9: 'Forged source',
};
const STATES = { open: 'open', finalized: 'final', done: 'settled', void: 'void' };

const code = (text) => el('code', {}, text);
const money = (minor, decimals, unit) => el('span', { class: 'money' }, amount(minor, decimals), ' ', el('small', {}, unit));
const secondary = (...children) => el('small', { class: 'secondary' }, ...children);
/** A moment, in full where a pointer rests. */
const when = (seconds) => el('time', { datetime: new Date(seconds * 1_000).toISOString(), data: { since: seconds } }, moment(seconds));

export class Chain {
  constructor() {
    this.tiles = el('dl', { class: 'tiles', id: 'head' });
    this.reading = el('div', { class: 'reading', hidden: true }, el('p'), el('progress', { max: 1, 'aria-label': 'History read' }));
    this.bars = el('div', { class: 'bars' });
    this.conservation = el('div', { class: 'tokens' });
    this.cards = el('ul', { class: 'cards' });
    this.makeTables();
    this.money = part('money', 'Money', this.conservation);
    this.lanes = part('lanes', 'Lanes', this.cards);
    this.batchPart = part('batches', 'Batches', this.batches.node);
    this.payeePart = part('payees', 'Payees', this.payees.node);
    this.fraudPart = part('frauds', 'Frauds caught', this.frauds.node);
    this.licencePart = part('licences', 'Licences', this.search(), this.licences.node);
    this.parts = [this.money, this.batchPart, this.fraudPart, this.payeePart, this.lanes, this.licencePart];
    this.content = el('div', {}, ...this.parts.map(({ node }) => node));
    this.node = el('div', { class: 'chain' }, el('h2', { class: 'title' }, 'The chain'), this.tiles, this.bars, this.reading, this.content);
  }

  links() {
    return this.parts;
  }

  makeTables() {
    const unit = (row) => this.tokens.get(row.token) ?? { symbol: '', decimals: 0 };
    const inToken = (of) => (row) => money(of(row), unit(row).decimals, unit(row).symbol);
    this.batches = new Table(
      'Batches, the newest first',
      [
        { label: 'Batch', of: (b) => [words(b.lane, { class: 'name' }), secondary(`${period(b.period)}, number ${b.number}`), hex(b.root, 'batch root')] },
        { label: 'State', of: (b) => badge(b.state, STATES[b.state] ?? b.state) },
        { label: 'Window', of: (b) => this.window(b) },
        { label: 'Receipts', class: 'number', of: (b) => (b.records === undefined ? '' : [count(b.records), secondary(plural(b.rows, 'row'))]) },
        { label: 'Can owe', class: 'number', of: (b) => (b.owed === undefined ? '' : money(b.owed, b.decimals, b.currency)) },
        { label: 'Behind it', class: 'number', of: (b) => (b.bond === undefined ? '' : money(`${b.bond}0`, CHM, 'CHM')) },
      ],
      { key: (b) => b.root, empty: ['No batch yet. ', code('chlom lane run'), ' submits them; on a development chain ', code('chlom drill fraud --kind right'), ' submits one.'] },
    );
    this.frauds = new Table(
      'Batches that were proven wrong, the newest first',
      [
        { label: 'Fraud', of: (f) => [el('span', { class: 'name' }, FRAUDS[f.kind] ?? `Kind ${f.kind}`), secondary(words(f.lane), ` ${period(f.period)}, number ${f.number}`), hex(f.root, 'batch root')] },
        { label: 'Submitter lost', class: 'number', of: (f) => [money(f.slashed, CHM, 'CHM'), hex(f.submitter, 'submitter')] },
        { label: 'Watcher won', class: 'number', of: (f) => [f.reward ? money(f.reward, CHM, 'CHM') : secondary(f.watcher ? 'award pending' : 'nobody'), f.watcher && hex(f.watcher, 'watcher')] },
        { label: 'Voided', of: (f) => [when(f.time), secondary(`block ${count(f.height)}`)] },
      ],
      { key: (f) => f.root, empty: ['Nobody was caught. ', code('chlom drill fraud --kind wrong-sum'), ' plants a fraud on a development chain, ', code('chlom watch'), ' finds it.'] },
    );
    this.payees = new Table(
      'Payees, those who can withdraw first',
      [
        { label: 'Payee', of: (p) => hex(p.payee, 'payee') },
        { label: 'Of', of: (p) => [...p.licences.flatMap((one, i) => [i ? ', ' : '', licence(one)]), p.moreLicences ? ` and ${p.moreLicences} more` : null] },
        { label: 'Can withdraw', class: 'number strong', of: (p) => [inToken((row) => row.can)(p), p.held === '0' ? null : secondary('held: ', inToken((row) => row.held)(p))] },
        { label: 'Taken', class: 'number', of: inToken((p) => p.taken) },
      ],
      { key: (p) => `${p.payee}-${p.token}`, which: 'first', empty: 'Nobody is owed anything yet: rows of a final batch must settle first.' },
    );
    this.licences = new Table(
      'Licences, the newest first',
      [
        { label: 'Licence', of: (l) => [licence(l), l.name ? hex(l.id, 'id') : null] },
        { label: 'State', of: (l) => badge(l.state) },
        { label: 'Royalty', class: 'number', of: (l) => percent(l.royaltyBps) },
        { label: 'Passes up', of: (l) => (l.parent ? [`${count(l.parent.numer)}/${count(l.parent.denom)} to `, licence(l.parent)] : secondary('a root')) },
        { label: 'In force', of: (l) => `${day(l.start)} to ${day(l.end - 1)}` },
        { label: 'Due so far', class: 'number', of: (l) => (l.earned.length ? l.earned.map((e) => [inToken((row) => row.due)(e), secondary('of ', inToken((row) => row.revenue)(e))]).flat() : secondary('nothing yet')) },
      ],
      { key: (l) => l.id, first: 12, empty: ['No licence yet: ', code('chlom license import FILE'), ' registers some.'] },
    );
  }

  search() {
    const input = el('input', { type: 'search', id: 'find', placeholder: 'Name or id', autocomplete: 'off', spellcheck: 'false' });
    input.addEventListener('input', () => this.chain && this.showLicences(this.chain.licences));
    this.find = input;
    return el('p', { class: 'search' }, el('label', { for: 'find' }, 'Find a licence '), input);
  }

  window(batch) {
    if (batch.state !== 'open') return secondary('closed');
    const bar = el('span', { class: 'bar', 'aria-hidden': 'true' }, el('span'));
    const { accepted, closesAt, closesHeight } = batch;
    return [el('span', { class: 'countdown', data: { accepted, closesAt, closesHeight } }, ''), bar];
  }

  show(state) {
    const { chain } = state;
    this.node.hidden = !chain;
    if (!chain) return;
    const whole = chain.read === chain.height && chain.hash !== undefined;
    this.reading.hidden = whole;
    this.content.hidden = this.bars.hidden = !whole;
    if (!whole) {
      this.reading.firstChild.textContent = `Reading the chain’s history: block ${count(chain.read)} of ${count(chain.height)}`;
      this.reading.lastChild.value = chain.height ? chain.read / chain.height : 0;
      fill(this.tiles, ['reading', chain.height], () => [tile('Block', count(chain.height), `chain ${chain.id}`)]);
      return;
    }
    this.chain = chain;
    this.tokens = new Map(chain.money.map((token) => [token.token, token]));
    this.showHead(chain);
    this.showMoney(chain.money);
    this.showLanes(chain.lanes);
    const { batches, frauds, payees } = chain;
    const counts = batches.counts;
    this.batchPart.aside.textContent = `${count(counts.open)} open, ${count(counts.finalized)} final, ${count(counts.done)} settled, ${count(counts.void)} void`;
    this.batches.show(batches.shown, batches.total);
    this.fraudPart.aside.textContent = frauds.total ? `${amount(frauds.slashed, CHM)} CHM slashed, ${amount(frauds.rewarded, CHM)} CHM to watchers` : '';
    this.frauds.show(frauds.shown, frauds.total);
    const beyond = [payees.unlisted && `${plural(payees.unlisted, 'smaller part')} not listed`, payees.byProof && `${plural(payees.byProof, 'account')} divided by proofs`];
    this.payeePart.aside.textContent = [plural(payees.total, 'payee'), ...beyond].filter(Boolean).join(', ');
    this.payees.show(payees.shown, payees.total);
    this.showLicences(chain.licences);
  }

  showHead(chain) {
    const { batches, licences, frauds } = chain;
    const owed = chain.money.filter(({ due }) => due !== '0');
    const first = owed[0] ?? chain.money[0];
    fill(this.tiles, [chain.height, batches.counts, licences.total, frauds, owed], () => [
      tile('Block', count(chain.height), el('span', { class: 'age' }), 'block'),
      tile('Batches open', count(batches.counts.open), `of ${count(batches.total)}`, 'open'),
      tile('Licences', count(licences.total), licences.total ? plural(chain.lanes.shown.filter((lane) => lane.records).length, 'lane') + ' in use' : 'none yet', 'licences'),
      tile('Left for payees', first ? large(amount(first.left, first.decimals)) : '0', first ? words(first.symbol) : '', 'left'),
      tile('Frauds caught', count(frauds.total), `${amount(frauds.slashed, CHM)} CHM slashed`, 'frauds'),
    ]);
    fill(this.bars, [chain.height, chain.blocks], () => {
      const most = Math.max(1, ...chain.blocks);
      const bars = chain.blocks.map((some) => {
        const bar = el('span', some ? { class: 'some' } : {});
        bar.style.height = `${some ? 18 + (82 * some) / most : 6}%`;
        return bar;
      });
      const sum = chain.blocks.reduce((all, some) => all + some, 0);
      const text = `${plural(sum, 'transaction')} in the last ${chain.blocks.length} blocks`;
      return [el('div', { role: 'img', 'aria-label': text }, bars), el('p', {}, text)];
    });
  }

  showMoney(tokens) {
    const used = tokens.filter(({ due }) => due !== '0');
    this.money.aside.textContent = used.length ? 'what was due by settled receipts, to the last unit' : '';
    fill(this.conservation, used, () => {
      if (!used.length) return el('p', { class: 'empty' }, 'No receipt has settled yet.');
      return used.map(({ token, symbol, decimals, revenue, due, fees, withdrawn, left }) => {
        const share = (part) => Number((BigInt(part) * 10_000n) / BigInt(due)) / 100;
        const pieces = [
          ['withdrawn', 'Withdrawn by payees', withdrawn],
          ['left', 'Left for payees', left],
          ['fees', 'Fees', fees],
        ];
        const bars = pieces.map(([kind, , part]) => {
          const bar = el('span', { class: kind });
          bar.style.width = `${share(part)}%`;
          return bar;
        });
        return el(
          'article',
          { class: 'token', data: { token } },
          el('h3', {}, words(symbol), ' ', secondary('royalties of ', amount(due, decimals), ' on revenue of ', amount(revenue, decimals))),
          el('div', { class: 'stack', 'aria-hidden': 'true' }, bars),
          el('dl', { class: 'legend' }, pieces.map(([kind, label, part]) => el('div', { class: kind, title: kind === 'left' ? 'What flooring leaves of each division included' : null }, el('dt', {}, label), el('dd', {}, amount(part, decimals))))),
        );
      });
    });
  }

  showLanes({ shown, total }) {
    this.lanes.aside.textContent = total > shown.length ? `${shown.length} of ${count(total)}` : '';
    fill(this.cards, shown, () =>
      shown.map((lane) =>
        el(
          'li',
          { class: 'card', data: { lane: lane.id } },
          el('h3', {}, words(lane.name || lane.id)),
          el('p', { class: 'secondary' }, words(lane.currency), `, window ${duration(lane.window)}`, lane.windowBlocks ? ` and ${plural(lane.windowBlocks, 'block')}` : ''),
          el('p', { class: 'states' }, Object.entries(STATES).map(([state, text]) => lane.batches[state] ? badge(state, `${count(lane.batches[state])} ${text}`) : null)),
          el('p', {}, lane.records ? plural(lane.records, 'receipt') + ' batched' : 'No batch yet'),
          el('p', { class: 'secondary' }, lane.submitter ? ['Submitter ', hex(lane.submitter)] : 'Nobody submits yet'),
          lane.watchers.length ? el('p', { class: 'secondary' }, `Watched by ${lane.watchers.length}, last seen `, when(Math.max(...lane.watchers.map(({ time }) => time)))) : null,
        ),
      ),
    );
  }

  showLicences({ shown, total }) {
    const sought = this.find.value.trim().toLowerCase();
    const found = sought ? shown.filter(({ id, name }) => id.includes(sought) || name?.toLowerCase().includes(sought)) : shown;
    this.licencePart.aside.textContent = sought ? `${count(found.length)} of the newest ${count(shown.length)}` : count(total);
    this.licences.show(found, sought ? found.length : total);
  }

  tick(now, chain) {
    if (!chain?.time) return;
    for (const node of this.node.querySelectorAll('.countdown')) countdown(node, now, chain.height);
    for (const node of this.node.querySelectorAll('time[data-since]')) {
      node.textContent = `${duration(now - Number(node.dataset.since))} ago`;
      node.title = `${moment(Number(node.dataset.since))} UTC`;
    }
    const age = this.tiles.querySelector('.age');
    if (age) age.textContent = `${moment(Math.floor(now))} on chain ${chain.id}`;
  }
}

/** A long amount, with its places smaller. */
function large(text) {
  const [whole, part] = text.split('.');
  return [whole, part ? el('small', {}, `.${part}`) : null];
}

function tile(label, value, note, name) {
  return el('div', { class: 'tile', data: name ? { tile: name } : {} }, el('dt', {}, label), el('dd', {}, el('strong', {}, [value].flat()), el('small', {}, note)));
}

/** What is left of a batch's window: seconds, and heights where they must pass too. */
function countdown(node, now, height) {
  const { accepted, closesAt, closesHeight } = node.dataset;
  const left = Number(closesAt) - now;
  const heights = Number(closesHeight) - height;
  const text = [left > 0 && duration(left), heights > 0 && plural(heights, 'block')].filter(Boolean).join(' and ');
  const said = text ? `${text} left` : 'over: it can be final';
  if (node.textContent !== said) node.textContent = said;
  const gone = (now - Number(accepted)) / Math.max(1, Number(closesAt) - Number(accepted));
  const bar = node.nextSibling?.firstChild;
  if (bar) bar.style.width = `${Math.min(100, Math.max(0, gone * 100))}%`;
}
