// What a person reads: one line a check as files end, then the failures in full, then the count.

/** Prints the results of one file of checks. */
export function printTopic(results) {
  for (const { topic, name, ms, error } of results) {
    const verdict = error ? 'FAIL' : 'ok  ';
    console.log(`${verdict}  ${`${topic}:`.padEnd(16)} ${name.padEnd(84)} ${String(Math.round(ms)).padStart(6)} ms`);
  }
}

/** Prints every failure with what was expected and what came, then the last line; returns whether all passed. */
export function printSummary(results, seconds) {
  const failed = results.filter(({ error }) => error);
  for (const { topic, name, error } of failed) {
    console.log(`\n--- ${topic}: ${name}\n${explained(error)}`);
  }
  console.log(`\n${seconds.toFixed(1)} s`);
  console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0;
}

function explained(error) {
  const place =
    error.stack
      ?.split('\n')
      .find((line) => line.includes('/checks/'))
      ?.trim() ?? '';
  const code = error.name === 'RpcError' ? `${error.method} answered ${error.code}: ` : '';
  const data = error.name === 'RpcError' && error.data !== undefined ? `\ndata: ${JSON.stringify(error.data)}` : '';
  const text = `${code}${error.message ?? error}${data}`;
  const shown = text.length > 3_000 ? `${text.slice(0, 3_000)} …` : text;
  return `${shown}\n    ${place.replace(/\(?file:.*\/checks\//, '(checks/')}`;
}
