import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields } from '@payflow/service';
import { z } from 'zod';

export const settlementConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField.default('http://127.0.0.1:8082').meta({ description: 'The payment service.' }),
  LEDGER_URL: addressField.default('http://127.0.0.1:8084').meta({ description: 'The ledger.' }),
});
export type SettlementConfig = z.infer<typeof settlementConfigSchema>;
