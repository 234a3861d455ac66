import { timingSafeEqual } from 'node:crypto';

import { Webhook } from 'standardwebhooks';

import type { WebhookRequest } from './acquirer-port.js';

/**
 * An acquirer whose queue stood still delivers a day late, with the time at which the message was made. Old news is
 * harmless here, because it is asked about; the bound only keeps a stolen message from being of use for ever.
 */
const AGE_SECONDS_MAX = 3 * 86_400;
/** Clocks differ. */
const AHEAD_SECONDS_MAX = 300;
const MS_PER_SECOND = 1_000;

export type Signature =
  { readonly authentic: true; readonly webhookId: string } | { readonly authentic: false; readonly reason: string };

const refused = (reason: string): Signature => ({ authentic: false, reason });

/**
 * Whether the message is signed as Standard Webhooks says (HMAC-SHA256 of `{id}.{timestamp}.{body}`). The library's own
 * `verify` takes nothing older than five minutes, so its signature is compared here. A header may carry several
 * signatures while a secret is rolled; one that is good is enough.
 */
export const signatureOf = ({ headers, body }: WebhookRequest, secret: string, at: Date): Signature => {
  const webhookId = headers['webhook-id'] ?? '';
  const timestamp = headers['webhook-timestamp'] ?? '';
  if (webhookId === '' || !/^\d{1,12}$/.test(timestamp)) return refused('a header is missing');
  const ageSeconds = at.getTime() / MS_PER_SECOND - Number(timestamp);
  if (ageSeconds > AGE_SECONDS_MAX || ageSeconds < -AHEAD_SECONDS_MAX) return refused('the time is out of bounds');
  const expected = Buffer.from(new Webhook(secret).sign(webhookId, new Date(Number(timestamp) * MS_PER_SECOND), body));
  const given = (headers['webhook-signature'] ?? '').split(' ').map((signature) => Buffer.from(signature));
  return given.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected))
    ? { authentic: true, webhookId }
    : refused('no signature fits');
};
