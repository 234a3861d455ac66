import { STRIPE_API, WALLET_ACQUIRER } from '@payflow/contracts';
import { type Currency, currencyOf } from '@payflow/kernel';
import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields, booleanField, jsonField } from '@payflow/service';
import { z } from 'zod';

const DAY_SECONDS = 86_400;

const currencyList = z
  .string()
  .transform((list) => list.split(',').map((code) => code.trim()))
  .pipe(z.array(z.string().refine((code) => currencyOf(code) !== undefined, 'is not an ISO 4217 currency')).min(1))
  .transform((codes): ReadonlySet<Currency> => new Set(codes as Currency[]));

const acquirerName = z.string().regex(/^[a-z0-9-]{1,40}$/);

const stripeSettings = z.strictObject({
  kind: z.literal('stripe'),
  secretKey: z.string().regex(/^(sk|rk)_(test|live)_\w+$/, 'is not a secret key of Stripe'),
  webhookSecret: z.string().regex(/^whsec_\w+$/, 'is not a webhook secret of Stripe'),
  apiBase: addressField.default(STRIPE_API),
});

/** A JSON object of acquirer names: an address where PayFlow's own protocol is spoken, or a PSP's settings. */
const acquirerSettings = jsonField(
  z
    .record(acquirerName, z.union([addressField, stripeSettings]))
    .refine((settings) => Object.keys(settings).length > 0, 'names no acquirer')
    .refine((settings) => !(WALLET_ACQUIRER in settings), 'names wallet: that is the wallet service, by WALLET_URL'),
);

const MS_PER_SECOND = 1_000;

/** Seconds, ascending or not, separated by commas. */
const delayList = z
  .string()
  .transform((list) => list.split(',').map(Number))
  .pipe(
    z
      .array(
        z
          .int()
          .min(1)
          .max(30 * DAY_SECONDS),
      )
      .min(1),
  );

export const paymentConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  TOKENIZATION_URL: addressField
    .default('http://127.0.0.1:8083')
    .meta({ description: 'The vault: checks tokens and forwards authorizations.' }),
  LEDGER_URL: addressField
    .default('http://127.0.0.1:8084')
    .meta({ description: 'The ledger: balance and entries of a payment.' }),
  WALLET_URL: addressField.optional().meta({
    description: 'The wallet service, for payments by wallet; without it they are not enabled.',
  }),
  FRAUD_URL: addressField.optional().meta({
    description: 'The fraud service, which judges payments before an acquirer is asked; without it nobody is judged.',
  }),
  NOTIFICATION_URL: addressField.optional().meta({
    description: "The notification service: what it delivered about a payment stands in the payment's timeline.",
  }),
  SETTLEMENT_URL: addressField.optional().meta({
    description: "The settlement service: how a payment was settled and paid out stands in the payment's timeline.",
  }),
  FRAUD_BUDGET_MS: z.coerce.number().int().min(1).max(5_000).default(50).meta({
    description: "How long a payment waits for fraud, in milliseconds; after that the merchant's policy holds.",
  }),
  FRAUD_DOWN_ALLOW_MAX: z.coerce.number().int().min(0).max(1_000_000_000).default(50_000).meta({
    description:
      'Up to which amount a payment goes on that nobody judged in time, in minor units; more waits until fraud is back. Of merchants without a policy of their own.',
  }),
  ACQUIRERS: acquirerSettings.default({ sim: 'http://127.0.0.1:8085/acquirers/sim' }).meta({
    description:
      'JSON object: name of each acquirer to its address, or to {"kind": "stripe", "secretKey", "webhookSecret"}; tried in this order unless rules say otherwise.',
  }),
  ACQUIRER_WEBHOOK_SECRETS: jsonField(z.record(acquirerName, z.string().regex(/^whsec_[A-Za-z0-9+/=]{16,}$/)))
    .default({})
    .meta({
      description:
        "JSON object: name of each acquirer to the secret of its webhooks. Without one an acquirer's webhooks are refused.",
    }),
  ACQUIRER_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(10_000)
    .meta({ description: 'How long an acquirer may take to answer before its answer is unknown, in milliseconds.' }),
  ACQUIRER_CONCURRENCY_MAX: z.coerce.number().int().min(1).max(1_000).default(64).meta({
    description: 'Orders at one acquirer at the same time, at most; a slow one keeps only its own places busy.',
  }),
  ACQUIRER_QUEUE_MAX: z.coerce.number().int().min(0).max(1_000).default(64).meta({
    description: 'Orders that wait for such a place, at most and for a second; the next go to another acquirer.',
  }),
  RECOVERY_DELAYS_SECONDS: delayList.default([5, 30, 120, 600, 3_600, 21_600, DAY_SECONDS]).meta({
    description:
      'When the acquirer is asked about an order that it did not answer: seconds before each inquiry. After the last one people are told, and it repeats.',
  }),
  ACTION_INQUIRY_SECONDS: z.coerce.number().int().min(1).max(DAY_SECONDS).default(300).meta({
    description:
      'How often the acquirer is asked about a payment that waits for the payer, in seconds: its webhook may be lost.',
  }),
  AUTHORIZATION_RESEND_SECONDS: z.coerce.number().int().min(0).max(DAY_SECONDS).default(900).meta({
    description:
      'How long after it was asked for an authorization that never arrived is still sent, in seconds; later it is given up.',
  }),
  AUTHORIZATION_LIFETIME_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(30 * DAY_SECONDS)
    .default(7 * DAY_SECONDS)
    .meta({ description: 'How long an authorization can be captured, in seconds.' }),
  ENABLED_CURRENCIES: currencyList
    .default(new Set(['USD', 'EUR', 'GBP', 'CHF', 'JPY', 'CAD', 'AUD', 'INR', 'BHD'] as Currency[]))
    .meta({ description: 'ISO 4217 codes that payments may have, separated by commas.' }),
  EXTERNAL_REFERENCES: jsonField(
    z.strictObject({
      users: z.record(z.string().min(1).max(64), z.string().regex(/^usr_[0-9a-z]{26}$/)).default({}),
      merchants: z.record(z.string().min(1).max(64), z.string().regex(/^mer_[0-9a-z]{26}$/)).default({}),
    }),
  )
    .default({ users: {}, merchants: {} })
    .meta({
      description:
        'JSON object {"users": {…}, "merchants": {…}}: the names that other systems have for parties, each to its id.',
    }),
  FEE_BASIS_POINTS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(290)
    .meta({ description: 'Fee on a capture, in 1/100 of a percent, where no terms were agreed with the merchant.' }),
  FEE_FIXED_MINOR: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(30)
    .meta({ description: 'Fee once per payment, in minor units of its currency, where no terms were agreed.' }),
  DISPUTE_FEES_MINOR: jsonField(z.record(z.string().regex(/^[A-Z]{3}$/), z.int().min(0).max(1_000_000)))
    .default({ USD: 1500, EUR: 1500, GBP: 1500, CHF: 1500, CAD: 1500, AUD: 1500 })
    .meta({
      description:
        'JSON object: currency to what a dispute costs the merchant, in its minor units; a currency that is not there costs nothing.',
    }),
  DISPUTE_FEE_RETURNED_WHEN_WON: booleanField(false).meta({
    description: 'Whether the merchant gets the fee of a dispute back that he wins.',
  }),
  DISPUTE_SWEEP_SECONDS: z.coerce.number().int().min(1).max(DAY_SECONDS).default(60).meta({
    description: "How often an acquirer's feed of disputes is read, in seconds: a webhook may be lost.",
  }),
  LEDGER_WAIT_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(2_000)
    .meta({ description: "How long a read waits for the ledger to apply the payment's last event, in milliseconds." }),
});
export type PaymentConfig = z.infer<typeof paymentConfigSchema>;

/** Of this installation, in the order of the settings; the wallet service is the last. */
export const acquirerNames = (config: Pick<PaymentConfig, 'ACQUIRERS' | 'WALLET_URL'>): readonly string[] => [
  ...Object.keys(config.ACQUIRERS),
  ...(config.WALLET_URL === undefined ? [] : [WALLET_ACQUIRER]),
];

/** On top of the acquirer's time: the transactions, and the way there and back. */
const LEASE_MARGIN_MS = 5 * MS_PER_SECOND;

/** How long a request that waits for an acquirer holds its claim; after that, another may go on from its intent. */
export const claimLeaseMs = (config: Pick<PaymentConfig, 'ACQUIRER_TIMEOUT_MS'>): number =>
  config.ACQUIRER_TIMEOUT_MS + LEASE_MARGIN_MS;

/** How long whoever takes an order up has it for himself: time for an inquiry, a send, and the transactions. */
export const takenLeaseMs = (config: Pick<PaymentConfig, 'ACQUIRER_TIMEOUT_MS'>): number =>
  2 * config.ACQUIRER_TIMEOUT_MS + LEASE_MARGIN_MS;
