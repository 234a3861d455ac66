import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The text cannot be opened: another key, another place, or changed bytes. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
}

/**
 * Encrypts what must not be readable in the database (AES-256-GCM, NIST SP 800-38D; a random nonce for each of the few
 * secrets ever sealed). `place` is authenticated with it, so a sealed value moved to another row does not open.
 * Layout: version, nonce, ciphertext, tag.
 */
export const seal = (plaintext: string, key: Buffer, place: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  return Buffer.concat([
    Buffer.from([VERSION]),
    nonce,
    cipher.update(plaintext, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
};

/** @throws SealBrokenError */
export const unseal = (sealed: Buffer, key: Buffer, place: string): string => {
  if (sealed.length <= 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION)
    throw new SealBrokenError(`what is sealed as ${place} has an unknown layout`);
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch (cause) {
    throw new SealBrokenError(`${place} was sealed under another key, or its bytes were changed`, { cause });
  }
};
