import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields } from '@payflow/service';
import { currencySchema } from '@payflow/contracts';
import { z } from 'zod';

const DAYS_MAX = 366;
const MAJOR_MAX = 999_999_999_999;

export const walletConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  LEDGER_URL: addressField.default('http://127.0.0.1:8084').meta({ description: 'The ledger.' }),
  WALLET_DEFAULT_CURRENCY: currencySchema.default('USD').meta({
    description: 'The currency of a wallet that is made without naming one.',
  }),
  WALLET_TRANSFER_MAX_MAJOR: z.coerce.number().int().min(1).max(MAJOR_MAX).default(1_000_000).meta({
    description:
      'The most that leaves a wallet at once, in whole units of its currency; staff may set another for a wallet.',
  }),
  WALLET_DAY_MAX_MAJOR: z.coerce.number().int().min(1).max(MAJOR_MAX).default(10_000_000).meta({
    description: 'The most that leaves a wallet in a day (UTC), in whole units of its currency; staff may set another.',
  }),
  WALLET_CLAIM_DAYS: z.coerce.number().min(0.00001).max(DAYS_MAX).default(30).meta({
    description: 'How long money waits for somebody without an account before it goes back to the sender, in days.',
  }),
  WALLET_HOLD_SECONDS: z.coerce.number().int().min(1).max(31_536_000).default(604_800).meta({
    description: 'How long a hold lasts that names no time, in seconds.',
  }),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .meta({
      description:
        'Redis, for displayed balances. Nothing is decided from it; without it, or when it is gone, the ledger is asked.',
    }),
});
export type WalletConfig = z.infer<typeof walletConfigSchema>;
