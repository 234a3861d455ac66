import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;

/** 256 random bits behind a prefix that secret scanners can look for. */
export const newClientSecret = (): string => `pfs_${randomBytes(SECRET_BYTES).toString('base64url')}`;

/**
 * SHA-256 and not argon2id: a slow hash protects secrets that can be guessed, and 2^256 cannot; it would only cost 20 ms and
 * 19 MiB on every token request (OWASP Password Storage: for high-entropy secrets a fast hash is enough).
 */
export const hashClientSecret = (secret: string): Buffer => createHash('sha256').update(secret, 'utf8').digest();

/** What an unknown client is compared with, so that it takes the path of a known one. No secret has this hash on record. */
export const UNKNOWN_CLIENT_HASH: Buffer = hashClientSecret(newClientSecret());

/** In constant time: hashes have equal lengths, and where they first differ must not be measurable. */
export const clientSecretMatches = (secret: string, expectedHash: Buffer): boolean =>
  timingSafeEqual(hashClientSecret(secret), expectedHash);
