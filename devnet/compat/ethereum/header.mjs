// Block headers and receipts as the bytes that hashes are made of, rebuilt from what JSON-RPC shows.
import { concat, decodeRlp, encodeRlp, keccak256, stripZerosLeft } from 'ethers';

/** The header's fields in the order of their encoding; quantities are encoded without leading zeros. */
const FIELDS = [
  ['parentHash'],
  ['sha3Uncles'],
  ['miner'],
  ['stateRoot'],
  ['transactionsRoot'],
  ['receiptsRoot'],
  ['logsBloom'],
  ['difficulty', 'quantity'],
  ['number', 'quantity'],
  ['gasLimit', 'quantity'],
  ['gasUsed', 'quantity'],
  ['timestamp', 'quantity'],
  ['extraData'],
  ['mixHash'],
  ['nonce'],
  ['baseFeePerGas', 'quantity'],
  ['withdrawalsRoot'],
  ['blobGasUsed', 'quantity'],
  ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot'],
  ['requestsHash'],
];

/** A JSON quantity as RLP wants it: no leading zeros, zero is empty. */
export function quantity(hex) {
  const digits = hex.slice(2);
  return stripZerosLeft(`0x${digits.length % 2 ? '0' : ''}${digits}`);
}

/** The RLP of a header from its JSON. */
export function headerBytes(block) {
  return encodeRlp(FIELDS.map(([name, kind]) => (kind ? quantity(block[name]) : block[name])));
}

/** The hash that a block's JSON must carry. */
export const headerHash = (block) => keccak256(headerBytes(block));

/** A header's JSON fields from its RLP: quantities as BigInt. */
export function headerFields(rlp) {
  const values = decodeRlp(rlp);
  return Object.fromEntries(
    FIELDS.map(([name, kind], i) => [name, kind ? BigInt(values[i] === '0x' ? 0 : values[i]) : values[i]]),
  );
}

/** The bytes of a receipt that its block's `receiptsRoot` commits to. */
export function receiptBytes({ type, status, cumulativeGasUsed, logsBloom, logs }) {
  const body = encodeRlp([
    quantity(status),
    quantity(cumulativeGasUsed),
    logsBloom,
    logs.map(({ address, topics, data }) => [address, topics, data]),
  ]);
  return type === '0x0' ? body : concat([`0x0${type.slice(2)}`, body]);
}

/** The bloom filter of logs, as a header or a receipt has it. */
export function bloomOf(logs) {
  let bits = 0n;
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const hash = keccak256(item).slice(2);
    for (const at of [0, 4, 8]) bits |= 1n << (BigInt(`0x${hash.slice(at, at + 4)}`) & 2_047n);
  }
  return `0x${bits.toString(16).padStart(512, '0')}`;
}
