import { databaseConfigFields, httpConfigFields } from '@payflow/service';
import { z } from 'zod';

const LATENCY_MS_MAX = 60_000;

export const acquirerSimConfigSchema = z.object({
  ...httpConfigFields,
  ...databaseConfigFields,
  ACQUIRER_LATENCY_MS: z.coerce.number().int().min(0).max(LATENCY_MS_MAX).default(0).meta({
    description: 'How long the acquirer thinks before each operation, in milliseconds.',
  }),
});
export type AcquirerSimConfig = z.infer<typeof acquirerSimConfigSchema>;
