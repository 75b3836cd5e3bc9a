// The OpenRPC document of CHLOM's own methods, with a validator for parameters and results.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';

const document = JSON.parse(readFileSync(new URL('../../../spec/rpc/openrpc.json', import.meta.url)));
const ajv = new Ajv({ strict: false, allErrors: true });
const compiled = new Map();

function faults(schema, value) {
  if (!compiled.has(schema)) compiled.set(schema, ajv.compile({ ...schema, components: document.components }));
  const check = compiled.get(schema);
  return check(value) ? [] : check.errors.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
}

/** The document's methods, by name. */
export const methods = new Map(document.methods.map((method) => [method.name, method]));

/** What is wrong with a value by a schema of the document. */
export const schemaFaults = (name, value) => faults(document.components.schemas[name], value);

/** A client that asks these methods, and refuses parameters and answers that the document does not describe. */
export function documented(rpc) {
  return async (name, ...params) => {
    const method = methods.get(name);
    const wrong = params.flatMap((value, i) => faults(method.params[i].schema, value));
    if (wrong.length) throw new Error(`${name} is asked with what its document does not have: ${wrong.join('; ')}`);
    const result = await rpc[name](...params);
    const strange = faults(method.result.schema, result);
    if (strange.length) throw new Error(`${name} answered what its document does not have: ${strange.join('; ')}`);
    return result;
  };
}
