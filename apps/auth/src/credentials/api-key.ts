import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
const HINT_LENGTH = 4;

/** 256 random bits behind a prefix that secret scanners can look for. */
export const newApiKeySecret = (): string => `sk_test_${randomBytes(SECRET_BYTES).toString('base64url')}`;

/** SHA-256, as of client secrets: nobody guesses 2^256, so a slow hash would only cost time (client-secret.ts). */
export const hashApiKey = (secret: string): Buffer => createHash('sha256').update(secret, 'utf8').digest();

/** What a list shows, so that a person can tell one key from another. */
export const hintOf = (secret: string): string => secret.slice(-HINT_LENGTH);
