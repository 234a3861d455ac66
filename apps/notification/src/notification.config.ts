import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields } from '@payflow/service';
import { z } from 'zod';

export const notificationConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField.default('http://127.0.0.1:8082').meta({ description: 'The payment service.' }),
  WALLET_URL: addressField.default('http://127.0.0.1:8086').meta({ description: 'The wallet service.' }),
  SETTLEMENT_URL: addressField.default('http://127.0.0.1:8089').meta({ description: 'The settlement service.' }),
  FRAUD_URL: addressField.default('http://127.0.0.1:8087').meta({ description: 'The fraud service.' }),
});
export type NotificationConfig = z.infer<typeof notificationConfigSchema>;
