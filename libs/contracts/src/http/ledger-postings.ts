import { isId } from '@payflow/kernel';
import { z } from 'zod';

import { accountCodeSchema, OWN_REFERENCE_PREFIX, postingSchema } from './ledger.js';
import { currencySchema, metadataSchema, timeSchema } from './shared-fields.js';

/*
 * The ledger's door for PayFlow's own services: many postings in one request and one commit, each for itself. A reference
 * posts once for ever, so sending the same posting again is harmless and tells how it ended the first time.
 */

/** Exact for wallets and clients' accounts; an acquirer's may leave the exact range, and then is the nearest double. */
const balanceMinorSchema = z.number();

/** References are the service's own: `wallet:txn_…`, `wallet:txn_…:reversal`. */
const referenceSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/)
  .refine((reference) => !reference.startsWith(OWN_REFERENCE_PREFIX), `must not begin with ${OWN_REFERENCE_PREFIX}`);

/** An account to be there before the posting is decided: opened when it is not, left alone when it is. */
export const servicePostingAccountSchema = z
  .strictObject({
    code: accountCodeSchema.refine((code) => !isId('acc', code), 'must not look like the id of an account'),
    currency: currencySchema,
    floor: z.int().max(0).nullable(),
  })
  // Whoever opens it first says its floor for ever: a slip there, and a person could spend what he does not have.
  .refine(({ code, floor }) => !code.startsWith('user:') || floor === 0, {
    path: ['floor'],
    error: 'must be 0 for what people have',
  });

export const servicePostingSchema = z.strictObject({
  reference: referenceSchema,
  type: z.string().regex(/^[A-Z][A-Z0-9_]{0,39}$/),
  postings: z.array(postingSchema).min(1).max(10),
  /** Opened as they are first needed. */
  accounts: z.array(servicePostingAccountSchema).max(10).default([]),
  paymentId: z.string().max(64).nullable().default(null),
  merchantId: z.string().max(64).nullable().default(null),
  metadata: metadataSchema.default({}),
});
export type ServicePosting = z.input<typeof servicePostingSchema>;

export const SERVICE_POSTINGS_MAX = 500;

/** POST /internal/ledger/postings */
export const servicePostingsSchema = z.strictObject({
  postings: z.array(servicePostingSchema).min(1).max(SERVICE_POSTINGS_MAX),
});
export type ServicePostingsRequest = z.infer<typeof servicePostingsSchema>;

export const servicePostingResultSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('posted'),
    reference: z.string(),
    transactionId: z.string(),
    /** It was posted by an earlier request; the balances are those of then. */
    replayed: z.boolean(),
    /** Of each account it touched, right behind it. */
    balances: z.array(z.object({ code: z.string(), balance: balanceMinorSchema })),
    postedAt: timeSchema,
  }),
  z.object({
    status: z.literal('refused'),
    reference: z.string(),
    /** insufficient_funds, account_not_found, currency_mismatch, reference_taken … */
    code: z.string(),
    /** The account at fault, where one is. */
    account: z.string().nullable(),
    detail: z.string(),
  }),
]);
export type ServicePostingResult = z.infer<typeof servicePostingResultSchema>;
export const servicePostingResultsSchema = z.object({ results: z.array(servicePostingResultSchema) });

/** POST /internal/ledger/balances: of many accounts at one moment. An account that does not exist has 0. */
export const serviceBalancesRequestSchema = z.strictObject({
  accounts: z
    .array(z.strictObject({ code: accountCodeSchema, currency: currencySchema }))
    .min(1)
    .max(SERVICE_POSTINGS_MAX),
  asOf: timeSchema.optional(),
});
export const serviceBalancesSchema = z.object({
  asOf: timeSchema,
  balances: z.array(z.object({ code: z.string(), currency: z.string(), balance: balanceMinorSchema })),
});
export type ServiceBalancesRequest = z.infer<typeof serviceBalancesRequestSchema>;
export type ServiceBalances = z.infer<typeof serviceBalancesSchema>;
