// What the page of `chlom dev`, `demo` and `lane serve` shows, read out of Chromium, and pictures of it.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseUnits } from 'viem';

/** Where pictures are kept: outside of the clone, for CI to take. */
export const PICTURES = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'chlom', 'page');

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740, phone: true };

/** Runs in the page: all that it says, by parts, rows and labels. */
function said() {
  const text = (node) => node?.textContent ?? null;
  const cells = (row) => [...row.cells].map((cell) => [cell.dataset.label, cell.textContent]);
  const row = (node) => ({ key: node.dataset.key, ...Object.fromEntries(cells(node)) });
  const part = (node) => ({ aside: text(node.querySelector('.aside')), text: node.textContent, rows: [...node.querySelectorAll('tbody tr')].map(row) });
  return {
    height: Number(document.documentElement.dataset.height || -1),
    notice: document.getElementById('notice').hidden ? '' : text(document.getElementById('notice')),
    live: document.getElementById('live').dataset.state,
    tiles: Object.fromEntries([...document.querySelectorAll('.tile')].map((node) => [text(node.querySelector('dt')), text(node.querySelector('dd'))])),
    parts: Object.fromEntries([...document.querySelectorAll('section')].map((node) => [node.id, part(node)])),
    legend: Object.fromEntries([...document.querySelectorAll('.token .legend > div')].map((node) => [node.className, text(node.querySelector('dd'))])),
    wider: [...document.querySelectorAll('body *')]
      .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 1 && !node.closest('.unseen, thead'))
      .map((node) => `${node.tagName}.${node.className}`),
    scrolls: document.documentElement.scrollWidth > window.innerWidth,
    foreign: [...document.querySelectorAll('script:not([src]), img:not([src="/page/icon.svg"]), iframe, object, embed, style, [style*="url"], [onerror], [onclick]')].length,
  };
}

/** Runs in the page: opens every list. */
function openAll() {
  for (const button of document.querySelectorAll('.more:enabled')) if (/^Show (all|the)/.test(button.textContent)) button.click();
}

/** Runs in the page: waits for it to change; what counts down does so every second. */
function changed() {
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      resolve(true);
    });
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

/** Runs in the page: closes them again. */
function closeAll() {
  for (const button of document.querySelectorAll('.more')) if (button.textContent === 'Show fewer') button.click();
}

export class Shown {
  constructor(browserPage, url) {
    Object.assign(this, { page: browserPage, url });
  }

  /** Opens the page at `url`. */
  static async open(browser, url, size) {
    const shown = new Shown(await browser.page(size), url);
    await shown.page.goto(url);
    return shown;
  }

  /** What it says now. */
  async now() {
    await this.page.look(openAll);
    return this.page.look(said);
  }

  /** What it says once `suits` holds of it: an assertion that passes. The time of the check is the limit. */
  async once(t, suits) {
    return t.eventually(async () => {
      const now = await this.now();
      try {
        await suits(now);
        return now;
      } catch (error) {
        await this.page.look(changed);
        throw error;
      }
    });
  }

  /** Everything that must hold whatever is shown. */
  async isSound() {
    const { wider, scrolls, foreign } = await this.now();
    assert.deepEqual([wider, scrolls, foreign], [[], false, 0], 'nothing reaches over the side, nothing is foreign');
    assert.deepEqual(this.page.troubles, []);
    const origin = new URL(this.url).origin;
    const elsewhere = this.page.asked.filter((url) => new URL(url).origin !== origin && url !== 'about:blank');
    assert.deepEqual(elsewhere, [], 'nothing is loaded from elsewhere');
  }

  /** Keeps a picture and says where. */
  async picture(name) {
    await mkdir(PICTURES, { recursive: true });
    await this.page.look(closeAll);
    const file = join(PICTURES, `${name}.png`);
    await this.page.picture(file);
    console.log(`      picture: ${file}`);
  }
}

/** An amount as the page writes it, with its unit behind, in minor units. */
export function minor(text, decimals) {
  const [figures] = text.trim().split(/[^0-9.,]/);
  return parseUnits(figures.replaceAll(',', ''), decimals);
}
