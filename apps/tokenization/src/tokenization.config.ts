import { STRIPE_API, TOKEN_LIFETIME_SECONDS_MAX } from '@payflow/contracts';
import { messagingConfigFields } from '@payflow/messaging';
import {
  addressField,
  databaseConfigFields,
  httpConfigFields,
  jsonField,
  kafkaConfigFields,
  keyField,
} from '@payflow/service';
import { z } from 'zod';

/** As payment has it too; of a PSP's settings only where it is: the credentials are payment's and come with each request. */
const acquirerAddress = z.union([
  addressField,
  z
    .object({ kind: z.literal('stripe'), apiBase: addressField.default(STRIPE_API) })
    .transform(({ apiBase }) => apiBase),
]);

export const tokenizationConfigSchema = z.object({
  ...httpConfigFields,
  ...databaseConfigFields,
  ...kafkaConfigFields,
  ...messagingConfigFields,
  VAULT_KEK: keyField.meta({
    description: 'Key-encryption key: 32 bytes, base64. It wraps the data keys; without it no card can be read.',
  }),
  VAULT_FINGERPRINT_KEY: keyField.meta({
    description:
      'Key of the card fingerprints and of request hashes: 32 bytes, base64. Never changed: fingerprints would.',
  }),
  ACQUIRERS: jsonField(z.record(z.string().regex(/^[a-z0-9-]{1,40}$/), acquirerAddress)).meta({
    description:
      'The acquirers that cards are forwarded to, and no others: JSON, name to base URL, or to {"kind": "stripe"}.',
  }),
  SINGLE_USE_TOKEN_LIFETIME_SECONDS: z.coerce.number().int().min(1).max(TOKEN_LIFETIME_SECONDS_MAX).default(900).meta({
    description:
      'Lifetime of a single-use token that asks for none, in seconds. A CVC stays in memory for 15 minutes at most.',
  }),
  SPENT_CARD_RETENTION_SECONDS: z.coerce.number().int().min(60).max(TOKEN_LIFETIME_SECONDS_MAX).default(86_400).meta({
    description:
      'How long after its use or the end of its life a card stays encrypted in the vault before it is erased, in seconds.',
  }),
  DEMO_DATA: jsonField(z.object({ merchant: z.object({ merchantId: z.string().regex(/^mer_[0-9a-z]{26}$/) }) }))
    .optional()
    .meta({ description: 'The demo parties, JSON. In demo mode the token tok_abcdef belongs to the demo merchant.' }),
});
export type TokenizationConfig = z.infer<typeof tokenizationConfigSchema>;
