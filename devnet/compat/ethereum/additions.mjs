// What consensus adds to a block of `chlom dev`, rebuilt from nothing but its height: the one validator's vote extension for the
// height below, signed as CometBFT signs it. A dev chain's key is public, and Ed25519 signatures have no choice in them.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { concat, encodeRlp, getBytes, keccak256, toUtf8Bytes } from 'ethers';
import { quantity } from './header.mjs';

const CHAIN_ID = 'chlom-core-100';
const SEED = keccak256(toUtf8Bytes('chlom dev validator'));
/** What stands before a seed in an Ed25519 key's PKCS #8 form. */
const PKCS8 = '0x302e020100300506032b657004220420';

const key = createPrivateKey({ key: Buffer.from(getBytes(concat([PKCS8, SEED]))), format: 'der', type: 'pkcs8' });
const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

/** Protobuf CanonicalVoteExtension of an empty extension in round 0, which leaves both fields out, behind its length. */
function signBytes(height) {
  const sfixed64 = Buffer.alloc(8);
  sfixed64.writeBigUInt64LE(BigInt(height));
  const fields = Buffer.concat([
    Buffer.from([0x11]),
    sfixed64,
    Buffer.from([0x22, CHAIN_ID.length]),
    Buffer.from(CHAIN_ID),
  ]);
  return Buffer.concat([Buffer.from([fields.length]), fields]);
}

/** `extraData` of the block at a height above 0, when no blob is attested. */
export function extraData(height) {
  const voted = BigInt(height) - 1n;
  const extensions = voted === 0n ? [] : [[publicKey, '0x', sign(null, signBytes(voted), key)]];
  return keccak256(concat(['0x02', encodeRlp([[quantity('0x0'), extensions]])]));
}
