import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields, keyField } from '@payflow/service';
import { z } from 'zod';

import { CHECKPOINT_ORIGIN } from './domain/checkpoint-origin.js';

export const ledgerConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField
    .default('http://127.0.0.1:8082')
    .meta({ description: 'The payment service: asked for events that Kafka does not bring.' }),
  CHECKPOINT_KEY: keyField.meta({
    description:
      "Signs the checkpoints of the journal's Merkle tree: the 32 bytes of an Ed25519 private key in base64. Keep it elsewhere.",
  }),
  CHECKPOINT_ORIGIN: z
    .string()
    .regex(/^[^\s+]{1,100}$/, 'has no spaces and no plus')
    .default(CHECKPOINT_ORIGIN)
    .meta({ description: 'The name of this journal in its checkpoints and of their key; it stays what it is.' }),
});
export type LedgerConfig = z.infer<typeof ledgerConfigSchema>;
