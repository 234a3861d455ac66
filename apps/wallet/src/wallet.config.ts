import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields, delaysField, keyField } from '@payflow/service';
import { currencySchema } from '@payflow/contracts';
import { z } from 'zod';

const DAYS_MAX = 366;
const MAJOR_MAX = 999_999_999_999;
const DAY_SECONDS = 86_400;

export const walletConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField
    .default('http://127.0.0.1:8082')
    .meta({ description: 'The payment service: money is added to wallets by payments.' }),
  BANK_URL: addressField
    .default('http://127.0.0.1:8085/banks/sim')
    .meta({ description: 'The bank that withdrawals are paid by.' }),
  BANK_NAME: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('sim')
    .meta({ description: "The bank's name in the ledger's accounts: `bank:{name}:cash`." }),
  BANK_TIMEOUT_MS: z.coerce.number().int().min(100).max(10_000).default(5_000).meta({
    description: 'How long the bank may take to answer before its answer is unknown, in milliseconds.',
  }),
  BANK_FEED_POLL_MS: z.coerce.number().int().min(50).max(600_000).default(1_000).meta({
    description: 'How often the bank is asked what has changed, in milliseconds: so that returned payouts are seen.',
  }),
  BANK_ACCOUNT_KEY: keyField.meta({
    description:
      'Encrypts the bank accounts of withdrawals under way in the database: 32 bytes in base64. Keep it elsewhere.',
  }),
  WALLET_INQUIRY_DELAYS_SECONDS: delaysField.default([5, 30, 120, 600, 3_600, 21_600, DAY_SECONDS]).meta({
    description:
      'When a bank or a payment is asked again about money whose end is unknown: seconds before each inquiry. After the last one people are told, and it repeats.',
  }),
  WALLET_ADD_RESEND_SECONDS: z.coerce.number().int().min(0).max(36_000).default(900).meta({
    description:
      'How long after it was asked for a payment that was perhaps never made is still made, in seconds; later it is only looked for.',
  }),
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
  WALLET_APPROVAL_SECONDS: z.coerce.number().int().min(1).max(2_592_000).default(3_600).meta({
    description: 'How long the owner of a wallet may take to approve what a merchant asks of it, in seconds.',
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
