// Runs the files in `checks/`, several at a time, and keeps what each check found.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChain } from './chain.mjs';

// A machine that is busy may be ten times slower than one that is not.
const CHECK_MS = 300_000;

/** Thrown after a failed `need`: the rest of the file could not say anything. */
class Abandoned extends Error {}

/**
 * What a file of checks is given. `check` records a failure and goes on; `need` records it and ends the file.
 * Accounts belong to the file alone, so that files may run side by side.
 */
class Topic {
  results = [];
  #chains = [];
  #folders = [];

  constructor(title, { binary, chain, accounts }) {
    Object.assign(this, { title, binary, chain, accounts });
  }

  /** Records whether `run` held, and returns what it returned; `undefined` after a failure. */
  async check(name, run) {
    const began = performance.now();
    const entry = { topic: this.title, name, ms: 0, error: null };
    this.results.push(entry);
    try {
      return await within(CHECK_MS, run);
    } catch (error) {
      entry.error = entry.waitingFor ?? error;
      return undefined;
    } finally {
      entry.ms = performance.now() - began;
    }
  }

  /** A check whose failure leaves nothing for the rest of the file to look at. */
  async need(name, run) {
    const value = await this.check(name, run);
    if (this.results.at(-1).error) throw new Abandoned(name);
    return value;
  }

  /** A chain of this file's own, stopped when the file ends. */
  async ownChain(...args) {
    const chain = await startChain(this.binary, args);
    this.#chains.push(chain);
    return chain;
  }

  /** Tries until `run` holds; the time of the check is the limit. */
  async eventually(run) {
    for (;;) {
      try {
        return await run();
      } catch (error) {
        this.results.at(-1).waitingFor = error;
      }
    }
  }

  /** An empty folder, removed when the file ends. */
  async folder() {
    const folder = await mkdtemp(join(tmpdir(), 'chlom-compat-'));
    this.#folders.push(folder);
    return folder;
  }

  async close() {
    await Promise.all(this.#chains.map((chain) => chain.stop()));
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** Runs every file; `report` is called with each file's results as it ends. */
export async function runAll(files, { binary, chain, parallel, report }) {
  const free = [...chain.accounts];
  const queue = files.map((file) => ({ ...file, leased: free.splice(0, file.accounts) }));
  const results = [];
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let file = queue.shift(); file; file = queue.shift()) {
        const found = await runFile(file, binary, chain);
        results.push(...found);
        report(found);
      }
    }),
  );
  return results;
}

async function runFile(file, binary, chain) {
  const topic = new Topic(file.title, { binary, chain, accounts: file.leased });
  try {
    await file.run(topic);
  } catch (error) {
    if (!(error instanceof Abandoned)) topic.results.push({ topic: file.title, name: 'runs to its end', ms: 0, error });
  } finally {
    await topic.close();
  }
  return topic.results;
}

async function within(ms, run) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}
