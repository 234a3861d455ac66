import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 24;

/** 192 random bits, behind the payment they belong to. Shown once; the payment keeps the hash. */
export const newClientSecret = (paymentId: string): string =>
  `${paymentId}_secret_${randomBytes(SECRET_BYTES).toString('base64url')}`;

/** A fast hash is enough for what nobody can guess. */
export const hashOfClientSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** In constant time. A payment that was authorized in one call has no secret, and none matches. */
export const isClientSecret = (secret: string, expectedHash: string | null): boolean =>
  expectedHash !== null &&
  timingSafeEqual(Buffer.from(hashOfClientSecret(secret), 'hex'), Buffer.from(expectedHash, 'hex'));
