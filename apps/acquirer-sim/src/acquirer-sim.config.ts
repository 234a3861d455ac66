import { addressField, booleanField, databaseConfigFields, httpConfigFields, jsonField } from '@payflow/service';
import { z } from 'zod';

import { ACQUIRERS } from './domain/acquirers.js';

const DURATION_MS_MAX = 60_000;
const DELAY_MS_MAX = 3_600_000;
const RETRY_DELAY_SECONDS_MAX = 86_400;

const milliseconds = (fallback: number, max: number) => z.coerce.number().int().min(0).max(max).default(fallback);

const secretsSchema = z.partialRecord(
  z.enum(ACQUIRERS),
  z.string().regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'is not whsec_ and base64'),
);

/** Seconds, separated by commas. */
const delayList = z
  .string()
  .transform((list) => list.split(',').map(Number))
  .pipe(z.array(z.number().min(0).max(RETRY_DELAY_SECONDS_MAX)).min(1));

export const acquirerSimConfigSchema = z.object({
  ...httpConfigFields,
  ...databaseConfigFields,
  PUBLIC_URL: addressField.optional().meta({
    description: "Where a payer's browser finds the simulator's pages; its own address when left out.",
  }),
  ACQUIRER_LATENCY_MS: milliseconds(0, DURATION_MS_MAX).meta({
    description: 'How long the acquirer thinks before each operation, in milliseconds.',
  }),
  PENDING_MS: milliseconds(3_000, DELAY_MS_MAX).meta({
    description:
      'How long a result is pending, and how soon an approved refund fails that fails later, in milliseconds.',
  }),
  LATE_SUCCESS_MS: milliseconds(5_000, DELAY_MS_MAX).meta({
    description: 'How long after a decline a late success comes, in milliseconds.',
  }),
  SILENCE_MS: milliseconds(60_000, 600_000).meta({
    description:
      'How long a connection is held that gets no answer, unless its caller gives up before, in milliseconds.',
  }),
  CHALLENGE_LIFETIME_SECONDS: z.coerce.number().int().min(1).max(86_400).default(600).meta({
    description: 'How long a payer has for a challenge, or at his bank, in seconds.',
  }),
  WEBHOOK_URL: z
    .string()
    .regex(/^(https?:\/\/|\{GATEWAY\})/, 'is not an address')
    .default('{GATEWAY}/webhooks/psp/{acquirer}')
    .meta({ description: 'Where webhooks go; `{GATEWAY}` is GATEWAY_URL, `{acquirer}` the acquirer that sends.' }),
  WEBHOOK_SECRETS: jsonField(secretsSchema).default({}).meta({
    description: 'JSON object: acquirer to the secret of its webhooks, `whsec_…`. One without a secret sends none.',
  }),
  WEBHOOKS_FOR_ALL: booleanField(false).meta({
    description: 'A webhook for every operation, not only for results that come after the answer.',
  }),
  WEBHOOK_RETRY_DELAYS_SECONDS: delayList.default([1, 2, 5, 15, 60, 300, 1_800, 7_200, 21_600]).meta({
    description: 'After how many seconds a webhook that got no 2xx is sent again; after the last it is given up.',
  }),
  WEBHOOK_HOLD_MS: milliseconds(5_000, DELAY_MS_MAX).meta({
    description: 'How long `reordered_webhooks` holds a webhook back for a later one to overtake, in milliseconds.',
  }),
});
export type AcquirerSimConfig = z.infer<typeof acquirerSimConfigSchema>;

/** Control routes and the header `x-acquirer-mode` are for demonstrations and tests. */
export const isControllable = (config: Pick<AcquirerSimConfig, 'DEMO_MODE' | 'NODE_ENV'>): boolean =>
  config.DEMO_MODE || config.NODE_ENV === 'test';
