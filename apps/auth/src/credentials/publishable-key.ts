import { randomBytes } from 'node:crypto';

const KEY_BYTES = 24;

/** Random so that keys cannot be listed by counting; that it stands in public pages is its purpose. */
export const newPublishableKey = (): string => `pk_test_${randomBytes(KEY_BYTES).toString('base64url')}`;
