import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields } from '@payflow/service';
import { z } from 'zod';

export const fraudConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField.default('http://127.0.0.1:8082').meta({ description: 'The payment service.' }),
});
export type FraudConfig = z.infer<typeof fraudConfigSchema>;
