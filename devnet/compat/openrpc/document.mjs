// The OpenRPC document of Ethereum's JSON-RPC, with a validator for each method's parameters and result.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';

const document = JSON.parse(
  readFileSync(new URL('../../../spec/vectors/execution-apis/openrpc.json', import.meta.url)),
);

// An empty list suits two of the three kinds of filter results: the document's `oneOf` means any of them.
const { FilterResults } = document.components.schemas;
FilterResults.anyOf = FilterResults.oneOf;
delete FilterResults.oneOf;

const ajv = new Ajv({ strict: false, allErrors: true });
const compiled = new Map();

/** Methods of the document that are none of ours: block access lists are of a fork that CHLOM does not run. */
export const EXCLUDED = ['eth_getBlockAccessList', 'debug_getRawBlockAccessList'];

/** The document's methods, by name. */
export const methods = new Map(document.methods.map((method) => [method.name, method]));

function validator(schema) {
  if (!compiled.has(schema)) compiled.set(schema, ajv.compile({ ...schema, components: document.components }));
  return compiled.get(schema);
}

/** What is wrong with a value by a schema of the document: a list of sentences, empty when it suits. */
function faults(schema, value) {
  const check = validator(schema);
  if (check(value)) return [];
  const lines = check.errors.map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
  return [...new Set(lines)];
}

/** What is wrong with a method's result. */
export const resultFaults = (name, result) => faults(methods.get(name).result.schema, result);

/** What is wrong with the parameters that a check passes: the document describes those too. */
export function parameterFaults(name, params) {
  const { params: described } = methods.get(name);
  const missing = described
    .slice(params.length)
    .filter(({ required }) => required)
    .map((one) => `${one.name} is missing`);
  return [
    ...missing,
    ...params.flatMap((value, i) =>
      described[i] ? faults(described[i].schema, value) : [`parameter ${i} is not described`],
    ),
  ];
}
