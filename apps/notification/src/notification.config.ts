import { messagingConfigFields } from '@payflow/messaging';
import { addressField, baseConfigFields, keyField } from '@payflow/service';
import { z } from 'zod';

const DAY_SECONDS = 86_400;
const RETRY_SECONDS_MAX = 30 * DAY_SECONDS;

/** Seconds, separated by commas. */
const delayList = z
  .string()
  .transform((list) => list.split(',').map(Number))
  .pipe(z.array(z.number().min(0.001).max(RETRY_SECONDS_MAX)).min(1));

export const notificationConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  PAYMENT_URL: addressField.default('http://127.0.0.1:8082').meta({ description: 'The payment service.' }),
  WALLET_URL: addressField.default('http://127.0.0.1:8086').meta({ description: 'The wallet service.' }),
  SETTLEMENT_URL: addressField.default('http://127.0.0.1:8089').meta({ description: 'The settlement service.' }),
  FRAUD_URL: addressField.default('http://127.0.0.1:8087').meta({ description: 'The fraud service.' }),
  WEBHOOK_SECRET_KEY: keyField.meta({
    description:
      'Encrypts the secrets that webhooks are signed with in the database: 32 bytes in base64. Keep it elsewhere.',
  }),
  WEBHOOK_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(15_000).meta({
    description: 'How long a receiver may take to answer a webhook, from the look-up of its name on, in milliseconds.',
  }),
  WEBHOOK_RETRY_DELAYS_SECONDS: delayList
    .default([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, DAY_SECONDS, DAY_SECONDS, DAY_SECONDS])
    .meta({
      description:
        'When a webhook that was not accepted is tried again: seconds before each further try, a fifth more or less by chance. After the last one it is given up.',
    }),
  WEBHOOK_DISABLE_AFTER_SECONDS: z.coerce.number().int().min(60).max(RETRY_SECONDS_MAX).default(432_000).meta({
    description: 'After so long with nothing but failures a webhook endpoint is disabled, in seconds: five days.',
  }),
  WEBHOOK_CONCURRENCY: z.coerce.number().int().min(1).max(10_000).default(512).meta({
    description: 'Webhooks under way at once, per process.',
  }),
  WEBHOOK_ENDPOINT_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(32).meta({
    description: 'Webhooks under way at once to one endpoint, per process.',
  }),
  WEBHOOK_SECRET_OVERLAP_SECONDS: z.coerce.number().int().min(0).max(604_800).default(DAY_SECONDS).meta({
    description: 'How long a webhook secret that was rotated goes on signing beside the new one, in seconds.',
  }),
  EVENT_RETENTION_DAYS: z.coerce.number().int().min(1).max(366).default(30).meta({
    description: 'How long events, and what became of their webhooks, are kept, in days. What is owed is kept longer.',
  }),
  CODE_SEALING_KEY: keyField.meta({
    description: 'Opens the codes that auth has issued: 32 bytes in base64, the same there.',
  }),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .meta({ description: 'The mail server, smtp(s)://user:password@host:port. Unset: mails are kept and go nowhere.' }),
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n<>@]*<?[^\s<>@]+@[^\s<>@]+>?$/, 'is not an address like `PayFlow <no-reply@payflow.example>`')
    .default('PayFlow <no-reply@payflow.example>')
    .meta({ description: 'From whom mails come, with or without a name.' }),
  SMS_SINK_FILE: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'A file that SMS are appended to, as lines of JSON. Unset: they are kept and go nowhere.' }),
});
export type NotificationConfig = z.infer<typeof notificationConfigSchema>;
