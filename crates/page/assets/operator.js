// What an operator keeps: receipts by where they are, batches on their way, what was set aside or refused.
import { Table, badge, el, fill, hex, part, words } from './dom.js';
import { count, moment, period, plural } from './format.js';

const secondary = (...children) => el('small', { class: 'secondary' }, ...children);
const number = (label, of) => ({ label, class: 'number', of: (row) => count(of(row)) });
const at = (seconds) => el('time', { datetime: new Date(seconds * 1_000).toISOString() }, moment(seconds));

export class Operator {
  constructor() {
    this.lanes = new Map();
    this.receipts = el('div');
    this.rejects = new Table(
      'What was refused of the files that were read last',
      [
        { label: 'File', of: ([file]) => words(file, { class: 'name' }) },
        { label: 'Line', class: 'number word', of: ([, line]) => words(line ?? '') },
        { label: 'Field', class: 'word', of: ([, , field]) => words(field ?? '') },
        { label: 'Reason', of: ([, , , reason]) => words(reason ?? '') },
      ],
      { key: (row) => row.join('\u0000'), empty: 'Nothing was refused.' },
    );
    this.part = part('operator', 'Receipts', this.receipts);
    this.refused = part('rejects', 'Refused', this.rejects.node);
    this.node = el('div', { class: 'operator' }, this.part.node, this.refused.node);
  }

  links() {
    return [this.part, this.refused];
  }

  show({ operator }) {
    this.node.hidden = !operator;
    if (!operator) return;
    const { lanes, moreLanes, rejects } = operator;
    fill(this.receipts, lanes.map(({ id }) => id), () => {
      this.lanes = new Map(lanes.map((lane) => [lane.id, new Lane(lane)]));
      const none = el('p', { class: 'empty' }, 'No lane yet: ', el('code', {}, 'chlom lane init --lane NAME'), ' adds one.');
      return lanes.length ? [...this.lanes.values()].map(({ node }) => node) : none;
    });
    for (const lane of lanes) this.lanes.get(lane.id).show(lane);
    this.part.aside.textContent = moreLanes ? `${plural(moreLanes, 'more lane')}` : '';
    this.refused.aside.textContent = rejects?.trouble ?? (rejects ? `${rejects.file}${rejects.more ? ' has more' : ''}` : '');
    this.rejects.show(rejects?.rows ?? []);
  }

  tick() {}
}

class Lane {
  constructor({ name, currency }) {
    this.tiles = el('dl', { class: 'tiles' });
    this.periods = new Table(
      'Receipts by period',
      [
        { label: 'Period', of: (row) => period(row.period) },
        number('Receipts', (row) => row.receipts),
        number('Waiting', (row) => row.waiting),
        number('Set aside', (row) => row.aside),
        number('On the way', (row) => row.onTheWay),
        number('Submitted', (row) => row.submitted),
        number('Final', (row) => row.final),
        number('Settled', (row) => row.settled),
      ],
      { key: (row) => row.period, first: 6, empty: ['No receipts yet: ', el('code', {}, 'chlom lane ingest FILE'), ' takes some.'] },
    );
    this.batches = new Table(
      'Batches, the newest first',
      [
        { label: 'Batch', of: (row) => [el('span', { class: 'name' }, `${period(row.period)}, number ${row.number}`), hex(row.root, 'batch root')] },
        { label: 'State', of: (row) => badge(row.state) },
        number('Receipts', (row) => row.receipts),
        { label: 'Since', of: (row) => at(row.changed) },
        { label: 'Note', of: (row) => words(row.note) },
      ],
      { key: (row) => row.id, first: 6, empty: 'No batch yet.' },
    );
    this.asides = new Table(
      'Receipts that are set aside',
      [
        { label: 'Period', of: (row) => period(row.period) },
        number('Receipts', (row) => row.receipts),
        { label: 'Because', of: (row) => words(row.reason) },
        { label: 'Since', of: (row) => at(row.at) },
      ],
      { key: (row) => `${row.at}-${row.period}-${row.reason}`, first: 6, empty: 'Nothing is set aside.' },
    );
    this.imports = new Table(
      'Files that were read last',
      [
        { label: 'File', of: (row) => [words(row.file, { class: 'name' }), row.ended ? null : secondary('not read to its end')] },
        number('New', (row) => row.accepted),
        number('Known', (row) => row.known),
        number('Refused', (row) => row.refused),
        { label: 'Read', of: (row) => at(row.began) },
      ],
      { key: (row) => row.id, first: 4, empty: 'No file was read.' },
    );
    const titled = (title, table) => [el('h4', {}, title), table.node];
    this.node = el(
      'article',
      { class: 'lane' },
      el('h3', {}, words(name), ' ', secondary(words(currency))),
      this.tiles,
      titled('By period', this.periods),
      titled('On their way to the chain', this.batches),
      titled('Set aside', this.asides),
      titled('Files', this.imports),
    );
  }

  show(lane) {
    const tile = (label, value) => el('div', { class: 'tile' }, el('dt', {}, label), el('dd', {}, el('strong', {}, count(value))));
    fill(this.tiles, [lane.receipts, lane.waiting, lane.aside, lane.retired], () => [
      tile('Receipts', lane.receipts),
      tile('Waiting', lane.waiting),
      tile('Set aside', lane.aside),
      lane.retired ? tile('Contents removed', lane.retired) : [],
    ].flat());
    this.periods.show(lane.periods, lane.periods.length + lane.morePeriods);
    this.batches.show(lane.batches);
    this.asides.show(lane.asides, lane.asides.length + lane.moreAsides);
    this.imports.show(lane.imports);
  }
}
