import { currencySchema } from '@payflow/contracts';
import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields, delaysField, jsonField, keyField } from '@payflow/service';
import { z } from 'zod';

const DAY_SECONDS = 86_400;
const DAY_MINUTES = 1_440;
const HOURS_MAX = 8_784;

export const settlementConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField.default('http://127.0.0.1:8082').meta({ description: 'The payment service.' }),
  LEDGER_URL: addressField.default('http://127.0.0.1:8084').meta({ description: 'The ledger.' }),
  BANK_URL: addressField
    .default('http://127.0.0.1:8085/banks/sim')
    .meta({ description: 'The bank that payouts are paid by.' }),
  BANK_NAME: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('sim')
    .meta({ description: "The bank's name in the ledger's accounts: `bank:{name}:cash`." }),
  BANK_PAYOUTS: z.enum(['api', 'file']).default('api').meta({
    description:
      'How new payouts reach the bank: `api`, or `file`: as pain.001 files that people fetch and hand in. Each goes the way that it began.',
  }),
  BANK_TIMEOUT_MS: z.coerce.number().int().min(100).max(10_000).default(5_000).meta({
    description: 'How long the bank may take to answer before its answer is unknown, in milliseconds.',
  }),
  BANK_FEED_POLL_MS: z.coerce.number().int().min(50).max(600_000).default(1_000).meta({
    description: 'How often the bank is asked what has changed, in milliseconds: so that returned payouts are seen.',
  }),
  BANK_ACCOUNT_KEY: keyField.meta({
    description: 'Encrypts the payout accounts of merchants in the database: 32 bytes in base64. Keep it elsewhere.',
  }),
  ACQUIRERS: jsonField(z.record(z.string().regex(/^[a-z0-9-]{1,40}$/), addressField))
    .default({ sim: 'http://127.0.0.1:8085/acquirers/sim' })
    .meta({ description: 'JSON object: name of each acquirer to the address where it tells of its book.' }),
  RECONCILIATION_EVERY_MINUTES: z.coerce.number().int().min(1).max(DAY_MINUTES).default(DAY_MINUTES).meta({
    description: "How often the acquirers' reports and the bank's statement are fetched and compared, in minutes.",
  }),
  RECONCILIATION_GRACE_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(30 * DAY_SECONDS)
    .default(3_600)
    .meta({ description: 'What is younger is not missed yet, on either side, in seconds.' }),
  SETTLEMENT_DELAY_HOURS: z.coerce.number().min(0).max(HOURS_MAX).default(0).meta({
    description: 'How long after it happened a capture, refund or dispute is available to be settled, in hours.',
  }),
  SETTLEMENT_EVERY_MINUTES: z.coerce.number().int().min(1).max(DAY_MINUTES).default(DAY_MINUTES).meta({
    description: 'How often everything that is available is settled, in minutes, counted from midnight UTC.',
  }),
  SETTLEMENT_CHUNK_LINES: z.coerce.number().int().min(1).max(20_000).default(2_000).meta({
    description: 'How many balance transactions the job takes in one commit.',
  }),
  PAYOUT_MINIMUMS: jsonField(z.record(currencySchema, z.int().min(1)))
    .default({})
    .meta({
      description:
        'The least that is paid out, in minor units by currency, as JSON: `{"USD":1000}`. Less is carried over. Without one: 1.',
    }),
  PAYOUT_INQUIRY_DELAYS_SECONDS: delaysField.default([5, 30, 120, 600, 3_600, 21_600, DAY_SECONDS]).meta({
    description:
      'When a payout that is not at its end is looked at again: seconds before each look. After the last one people are told, and it repeats.',
  }),
  DEMO_DATA: jsonField(z.object({ merchant: z.object({ merchantId: z.string().regex(/^mer_[0-9a-z]{26}$/) }) }))
    .optional()
    .meta({ description: 'The demo parties, JSON. In demo mode the demo merchant is paid out to a test account.' }),
});
export type SettlementConfig = z.infer<typeof settlementConfigSchema>;
