import { createHash, createHmac, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;
const tokenOf = (bytes: Buffer): string => `pfr_${bytes.toString('base64url')}`;

/** 256 random bits behind a prefix that secret scanners can look for. */
export const newRefreshToken = (): string => tokenOf(randomBytes(TOKEN_BYTES));

/**
 * The token that takes this one's place. It follows from the token and a key of the service, so that a repetition after a
 * lost answer gets the same one, though the database has only its hash.
 */
export const successorOf = (token: string, key: Buffer): string =>
  tokenOf(createHmac('sha256', key).update(token).digest());

/** A fast hash is enough for what cannot be guessed. */
export const hashRefreshToken = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest();
