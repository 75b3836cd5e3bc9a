// Elements. Text is only ever set as text: what a chain or a file says is never taken for markup.
import { count } from './format.js';

/** An element with properties, and children that are elements or texts; what is null or false is left out. */
export function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'class') node.className = value;
    else if (key === 'data') Object.assign(node.dataset, value);
    else if (key === 'on') for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Somebody else's words: they keep their own direction. */
export const words = (text, properties = {}) => el('bdi', properties, text);

/** A hash or an address: all of it is there to copy, its middle is hidden. */
export function hex(text, label) {
  return el('span', { class: 'hex', title: label ? `${label}: ${text}` : text }, el('span', {}, text.slice(0, -4)), text.slice(-4));
}

/** A licence by its name, or by its id where the chain has nothing else. */
export const licence = ({ id, name }) => (name ? words(name, { class: 'name', title: id }) : hex(id));

/** A state, in its colour. */
export const badge = (state, text = state) => el('span', { class: 'badge', data: { state } }, text);

/** Replaces the children of `parent` by `nodes` where they differ in what they say. */
export function fill(parent, signature, make) {
  const text = JSON.stringify(signature);
  if (parent.signature === text) return;
  parent.signature = text;
  parent.replaceChildren(...[make()].flat());
}

/**
 * A table whose rows stay the same elements while what they show changes: a reader's place, selection and focus are kept.
 * `columns`: { label, of(row) → texts or elements, class }. On a narrow screen each row is a card, with labels.
 */
export class Table {
  #rows = new Map();
  #all = false;

  constructor(caption, columns, { key, first = 10, empty, which = 'newest' }) {
    Object.assign(this, { columns, key, first, which });
    const head = columns.map(({ label, class: kind }) => el('th', { scope: 'col', role: 'columnheader', class: kind }, label));
    this.body = el('tbody', { role: 'rowgroup' });
    this.table = el(
      'table',
      { role: 'table' },
      el('caption', { class: 'unseen' }, caption),
      el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, head)),
      this.body,
    );
    this.more = el('button', { type: 'button', class: 'more', on: { click: () => this.#toggle() } });
    this.none = el('p', { class: 'empty' }, ...[empty].flat());
    this.node = el('div', { class: 'table' }, this.table, this.none, this.more);
  }

  /** Shows these rows; `total` is how many there are, shown or not. */
  show(rows, total = rows.length) {
    this.last = [rows, total];
    const shown = this.#all ? rows : rows.slice(0, this.first);
    const gone = new Map(this.#rows);
    let before = null;
    for (const row of shown) {
      const key = this.key(row);
      const line = this.#rows.get(key) ?? el('tr', { role: 'row', data: { key } });
      gone.delete(key);
      this.#rows.set(key, line);
      fill(line, row, () => this.columns.map((column) => this.#cell(column, row)));
      const place = before ? before.nextSibling : this.body.firstChild;
      if (place !== line) this.body.insertBefore(line, place);
      before = line;
    }
    for (const [key, line] of gone) {
      line.remove();
      this.#rows.delete(key);
    }
    this.table.hidden = rows.length === 0;
    this.none.hidden = rows.length > 0;
    this.#explain(rows.length, shown.length, total);
  }

  #cell({ label, of, class: kind }, row) {
    return el('td', { role: 'cell', class: kind, data: { label } }, el('div', {}, ...[of(row)].flat()));
  }

  #explain(here, shown, total) {
    this.more.hidden = here <= this.first && total <= here;
    this.more.disabled = here <= this.first;
    const rest = total > here ? `the ${this.which} ${count(here)} of ${count(total)}` : `all ${count(here)}`;
    this.more.textContent = here <= this.first ? `These are ${rest}` : this.#all ? 'Show fewer' : `Show ${rest}`;
  }

  #toggle() {
    this.#all = !this.#all;
    this.show(...this.last);
  }
}

/** A part of the page with a heading; `aside` stands beside that. */
export function part(id, title, ...children) {
  const aside = el('p', { class: 'aside' });
  const node = el(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    el('div', { class: 'heading' }, el('h2', { id: `${id}-title` }, title), aside),
    ...children,
  );
  return { node, aside, id, title };
}
