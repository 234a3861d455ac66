import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** AES-256. */
export const KEY_BYTES = 32;
/** NIST SP 800-38D §8.2.2: a random 96-bit nonce allows 2³² encryptions under one key; rotate long before. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** The bytes do not belong to this key and context: changed, moved to another row, or of another key. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
}

/** Of a key's bytes, made once: with bytes each use of a key costs 15 to 20 µs more. */
const keyObjects = new WeakMap<Buffer, KeyObject>();

const keyObjectOf = (key: Buffer): KeyObject => {
  const known = keyObjects.get(key);
  if (known) return known;
  const made = createSecretKey(key);
  keyObjects.set(key, made);
  return made;
};

/** AES-256-GCM under a fresh random nonce: nonce ‖ ciphertext ‖ tag. `context` is authenticated and not stored. */
export const seal = (key: Buffer, plaintext: Buffer, context: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyObjectOf(key), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, 'utf8'));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

/** @throws SealBrokenError */
export const unseal = (key: Buffer, sealed: Buffer, context: string): Buffer => {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new SealBrokenError('the sealed bytes are too short');
  const decipher = createDecipheriv(ALGORITHM, keyObjectOf(key), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    return plaintext;
  } catch (error) {
    plaintext.fill(0);
    throw new SealBrokenError('the sealed bytes do not belong to this key and context', { cause: error });
  }
};

export const newKey = (): Buffer => randomBytes(KEY_BYTES);

/** Keyed, so that the card number cannot be found by trying all of them (PCI DSS 3.5.1.1). */
export const hmacHex = (key: Buffer, text: string): string =>
  createHmac('sha256', keyObjectOf(key)).update(text).digest('hex');
