import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields } from '@payflow/service';
import { z } from 'zod';

const DAY_SECONDS = 86_400;

export const fraudConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField.default('http://127.0.0.1:8082').meta({ description: 'The payment service.' }),
  FRAUD_REVIEW_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(30 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .meta({ description: 'How long people may take to decide about a payment under review before it is rejected.' }),
});
export type FraudConfig = z.infer<typeof fraudConfigSchema>;
