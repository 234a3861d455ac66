import { createHmac, hkdfSync } from 'node:crypto';

const KEY_BYTES = 32;

/** A key of its own for each purpose (RFC 5869), so that one setting serves them all and none can be used for another. */
export const derivedKey = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `payflow:${purpose}`, KEY_BYTES));

/** For what has too few values for a plain hash, like six digits: whoever has the database alone cannot try them. */
export const keyedHash = (key: Buffer, ...parts: readonly string[]): Buffer =>
  createHmac('sha256', key).update(JSON.stringify(parts)).digest();
