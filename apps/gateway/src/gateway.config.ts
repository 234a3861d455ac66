import { addressField, httpConfigFields } from '@payflow/service';
import { z } from 'zod';

import type { Upstream } from './routing/route-table.js';

const rateField = (fallback: number) => z.coerce.number().positive().max(1_000_000).default(fallback);
const burstField = (fallback: number) => z.coerce.number().int().min(1).max(1_000_000).default(fallback);
const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

export const gatewayConfigSchema = z.object({
  ...httpConfigFields,
  PAYMENT_URL: addressField.default('http://127.0.0.1:8082').meta({ description: 'The payment service.' }),
  TOKENIZATION_URL: addressField
    .default('http://127.0.0.1:8083')
    .meta({ description: 'The vault: tokens, and cards that come inline.' }),
  LEDGER_URL: addressField.default('http://127.0.0.1:8084').meta({ description: 'The ledger.' }),
  WALLET_URL: addressField.default('http://127.0.0.1:8086').meta({ description: 'The wallets.' }),
  FRAUD_URL: addressField.default('http://127.0.0.1:8087').meta({ description: 'Fraud rules and reviews.' }),
  NOTIFICATION_URL: addressField
    .default('http://127.0.0.1:8088')
    .meta({ description: 'Webhook endpoints, the feed of events, mails and messages.' }),
  SETTLEMENT_URL: addressField
    .default('http://127.0.0.1:8089')
    .meta({ description: 'Merchant balances, settlements, payouts and reconciliation.' }),
  ACQUIRER_SIM_URL: addressField
    .default('http://127.0.0.1:8085')
    .meta({ description: 'The acquirer simulator; only its test cards are reachable through the gateway.' }),
  RATE_LIMIT_PER_SECOND: rateField(200).meta({ description: 'Requests per second and client, over a longer time.' }),
  RATE_LIMIT_BURST: burstField(400).meta({ description: 'Requests that a client may send at once.' }),
  CREDENTIAL_RATE_LIMIT_PER_SECOND: rateField(20).meta({
    description: 'Requests per second and address to where passwords and client secrets are checked.',
  }),
  CREDENTIAL_RATE_LIMIT_BURST: burstField(100).meta({ description: 'The same, at once.' }),
  UPSTREAM_CONCURRENCY_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .meta({
      description:
        'Reads, and writes, that may be under way at each service; more are refused with 503 at once. At least the requests ' +
        'a second that should pass times the seconds that the slowest acquirer takes.',
    }),
  UPSTREAM_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(600_000)
    .default(35_000)
    .meta({ description: 'How long a service may be silent. Longer than its own longest deadline, in milliseconds.' }),
  BODY_TIMEOUT_MS: z.coerce.number().int().min(1).max(300_000).default(10_000).meta({
    description:
      'How long a request body may take to arrive, and how long a client may read nothing of an answer, in milliseconds.',
  }),
  CORS_ORIGINS: z
    .string()
    .default('*')
    .transform(listOf)
    .meta({
      description:
        'Origins that may call the API from a browser, separated by commas; `*` is all of them, which is harmless while ' +
        'no cookie is a credential.',
    }),
  TRUSTED_PROXIES: z.string().default('').transform(listOf).meta({
    description: 'Addresses whose X-Forwarded-For is believed, separated by commas: load balancers in front.',
  }),
  CLIENT_COUNTRY_HEADER: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .transform((name) => name.toLowerCase())
    .optional()
    .meta({
      description:
        'Header in which TRUSTED_PROXIES tell the country of a client, such as `CF-IPCountry`: `ipCountry` in the rules of ' +
        'fraud. The proxy must write it itself and never pass on what a client sent.',
    }),
});
export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;

/** Where each service is. */
export const upstreamUrls = (config: GatewayConfig): Readonly<Record<Upstream, string>> => ({
  auth: config.AUTH_URL,
  payment: config.PAYMENT_URL,
  tokenization: config.TOKENIZATION_URL,
  ledger: config.LEDGER_URL,
  wallet: config.WALLET_URL,
  fraud: config.FRAUD_URL,
  notification: config.NOTIFICATION_URL,
  settlement: config.SETTLEMENT_URL,
  'acquirer-sim': config.ACQUIRER_SIM_URL,
});
