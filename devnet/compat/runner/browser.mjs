// Chromium without a window, by its own protocol over a pipe: pages of a given size, what they show, and pictures of them.
import { writeFile } from 'node:fs/promises';
import { launch } from './processes.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** A name that is this machine, as somebody else's could be made to be; every other name is nobody's. */
export const REBOUND = 'rebound.test';

const FLAGS = [
  '--headless',
  '--remote-debugging-pipe',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--hide-scrollbars',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--force-color-profile=srgb',
  `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
];

/** Starts a browser that keeps what it must in `folder`. */
export async function openBrowser(folder) {
  // The sandbox needs a user who is not root; only pages of this machine are opened.
  const own = [`--user-data-dir=${folder}`, ...(process.getuid() === 0 ? ['--no-sandbox'] : [])];
  const failures = [];
  for (const name of NAMES) {
    const browser = new Browser(launch(name, [...FLAGS, ...own], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] }));
    try {
      await browser.call('Browser.getVersion');
      return browser;
    } catch (error) {
      failures.push(`${name}: ${error.message}`);
    }
  }
  throw new Error(`no Chromium runs here (devnet/tools/chromium installs it):\n${failures.join('\n')}`);
}

class Browser {
  #pending = new Map();
  #listeners = new Map();
  #id = 0;
  #said = '';

  constructor(child) {
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text) => (this.#said = (this.#said + text).slice(-2_000)));
    const [, , , input, output] = child.stdio;
    input?.on('error', () => {});
    let rest = '';
    output?.setEncoding('utf8').on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      for (const message of messages) this.#receive(JSON.parse(message));
    });
    child.ended.then(({ code, signal, error }) => {
      const why = new Error(`it ended: ${error?.message ?? signal ?? `exit ${code}`}\n${this.#said}`);
      for (const { reject } of this.#pending.values()) reject(why);
      this.gone = why;
    });
  }

  #receive({ id, result, error, sessionId, method, params }) {
    if (id === undefined) return this.#listeners.get(sessionId)?.(method, params);
    const { resolve, reject } = this.#pending.get(id) ?? {};
    this.#pending.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  }

  call(method, params = {}, sessionId) {
    if (this.gone) return Promise.reject(this.gone);
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** A page of a size; `phone` also lays out as phones do. */
  async page({ width, height, dark = false, phone = false }) {
    // A window of its own: a page behind another is hidden, and asks for nothing.
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank', newWindow: true });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page((method, params) => this.call(method, params, sessionId));
    this.#listeners.set(sessionId, (method, params) => page.hear(method, params));
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await page.call(`${domain}.enable`);
    await page.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: phone });
    await page.call('Emulation.setFocusEmulationEnabled', { enabled: true });
    const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
    await page.call('Emulation.setEmulatedMedia', { features });
    return page;
  }

  async close() {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.child.ended;
    clearTimeout(timer);
  }
}

class Page {
  /** What went wrong in it: exceptions, refused loads, broken rules. */
  troubles = [];
  /** Every address that it asked for. */
  asked = [];

  constructor(call) {
    this.call = call;
  }

  hear(method, params) {
    if (method === 'Page.loadEventFired') this.loaded?.();
    if (method === 'Runtime.exceptionThrown') this.troubles.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Log.entryAdded' && params.entry.level === 'error') this.troubles.push(`${params.entry.text} ${params.entry.url ?? ''}`);
    if (method === 'Runtime.consoleAPICalled' && params.type === 'error') this.troubles.push(params.args.map(({ value }) => value).join(' '));
    if (method === 'Network.requestWillBeSent') this.asked.push(params.request.url);
    if (method === 'Page.javascriptDialogOpening') {
      this.troubles.push(`a dialog: ${params.message}`);
      this.call('Page.handleJavaScriptDialog', { accept: false }).catch(() => {});
    }
  }

  /** Resolves when all of it is loaded. */
  async goto(url) {
    const loaded = new Promise((resolve) => (this.loaded = resolve));
    const { errorText } = await this.call('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** What a function answers there; its arguments and its answer are JSON. */
  async look(run, ...args) {
    const expression = `(${run})(...${JSON.stringify(args)})`;
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** A picture of all of it, however long. */
  async picture(file) {
    const { cssContentSize } = await this.call('Page.getLayoutMetrics');
    const clip = { x: 0, y: 0, width: cssContentSize.width, height: cssContentSize.height, scale: 1 };
    const { data } = await this.call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
    await writeFile(file, Buffer.from(data, 'base64'));
  }
}
