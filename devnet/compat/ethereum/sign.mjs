// Signs an EIP-1559 transfer field by field, so that a check can send what no library would sign.
import { SigningKey, concat, encodeRlp, keccak256, stripZerosLeft, toBeHex } from 'ethers';

const bytes = (value) => (typeof value === 'string' ? value : value === 0n ? '0x' : toBeHex(value));

/** The raw bytes of `{chainId, nonce, tip, fee, gas, to, value, data}`, signed by a private key. */
export function signedTransfer(privateKey, { chainId, nonce, tip, fee, gas = 21_000n, to, value = 0n, data = '0x' }) {
  const fields = [...[chainId, nonce, tip, fee, gas, to, value, data].map(bytes), []];
  const digest = keccak256(concat(['0x02', encodeRlp(fields)]));
  const { yParity, r, s } = new SigningKey(privateKey).sign(digest);
  return concat(['0x02', encodeRlp([...fields, bytes(BigInt(yParity)), stripZerosLeft(r), stripZerosLeft(s)])]);
}
