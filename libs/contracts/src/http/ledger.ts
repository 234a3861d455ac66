import { z } from 'zod';

import {
  amountSchema,
  currencySchema,
  metadataSchema,
  minorSchema,
  pageOf,
  pageQueryFields,
  textSchema,
  withoutCardNumber,
  timeSchema,
} from './shared-fields.js';

/** `psp:{acquirer}:receivable`, `merchant:{id}:payable` …: segments of letters, digits, dash, underscore, joined by colons. */
export const accountCodeSchema = withoutCardNumber(
  z
    .string()
    .max(200)
    .regex(
      /^[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,64}){0,7}$/,
      'must be segments of letters, digits, - and _ joined by colons',
    ),
).meta({ examples: ['customer:42:wallet'] });

export const createAccountSchema = z
  .strictObject({
    code: accountCodeSchema,
    currency: currencySchema,
    floor: z.int().max(0, 'must not be above the balance of a new account, which is 0').optional().meta({
      description: 'The balance never goes below it; absent: no limit. 0 for a wallet, less for a credit line.',
    }),
  })
  .meta({ id: 'CreateLedgerAccount' });
export type CreateAccountRequest = z.infer<typeof createAccountSchema>;

/** `balance` = credits − debits in minor units: what PayFlow owes is positive, what it is owed is negative. */
export const accountSchema = z
  .object({
    accountId: z.string(),
    code: z.string(),
    currency: z.string(),
    floor: minorSchema.nullable(),
    balance: minorSchema,
    entryCount: z.int(),
    createdAt: timeSchema,
  })
  .meta({ id: 'LedgerAccount' });
export type AccountResponse = z.infer<typeof accountSchema>;

export const listAccountsQuerySchema = z.strictObject({
  ...pageQueryFields,
  prefix: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9_:-]*$/)
    .optional(),
  currency: currencySchema.optional(),
});
export type ListAccountsQuery = z.infer<typeof listAccountsQuerySchema>;
export const accountPageSchema = pageOf(accountSchema).meta({ id: 'LedgerAccountPage' });

export const balanceSchema = z
  .object({ accountId: z.string(), code: z.string(), currency: z.string(), balance: minorSchema, asOf: timeSchema })
  .meta({ id: 'LedgerBalance' });
export type BalanceResponse = z.infer<typeof balanceSchema>;

/** Money moves from `from` (debited) to `to` (credited). Accounts by code or id. */
export const postingSchema = z
  .strictObject({ from: accountCodeSchema, to: accountCodeSchema, amount: amountSchema, currency: currencySchema })
  .meta({ id: 'LedgerPosting' });

export const TRANSACTIONS_PER_REQUEST_MAX = 1000;
/** One request is one commit at most: this many postings write twice as many rows, in about a quarter of a second. */
export const POSTINGS_PER_REQUEST_MAX = 5000;
/** References of the ledger's own transactions (payments, reversals) begin so. */
export const OWN_REFERENCE_PREFIX = 'payflow:';
/** So do those of the ledger and of the services that post: nobody else can take a reference before they do. */
const RESERVED_REFERENCE = /^(?:payflow|wallet|payout|reserve|settlement):/;

export const transactionRequestSchema = z
  .strictObject({
    reference: withoutCardNumber(
      z
        .string()
        .min(1)
        .max(200)
        .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces'),
    )
      .refine(
        (reference) => !RESERVED_REFERENCE.test(reference),
        'must not begin with payflow:, wallet:, payout:, reserve: or settlement:',
      )
      .meta({ description: 'Posts once for ever.' }),
    type: withoutCardNumber(
      z.string().regex(/^[A-Z][A-Z0-9_]{0,39}$/, 'must be upper-case letters, digits and _'),
    ).default('TRANSFER'),
    postings: z.array(postingSchema).min(1).max(100),
    effectiveAt: timeSchema.optional(),
    metadata: metadataSchema.optional(),
  })
  .meta({ id: 'LedgerTransactionRequest' });

/** POST /ledger/transactions: a result per item, or all or none with `atomic`. */
export const postTransactionsSchema = z
  .strictObject({
    transactions: z
      .array(transactionRequestSchema)
      .min(1)
      .max(TRANSACTIONS_PER_REQUEST_MAX)
      .refine(
        (transactions) =>
          transactions.reduce((sum, { postings }) => sum + postings.length, 0) <= POSTINGS_PER_REQUEST_MAX,
        `must hold at most ${POSTINGS_PER_REQUEST_MAX} postings in all`,
      ),
    atomic: z.boolean().default(false),
  })
  .meta({ id: 'PostLedgerTransactions' });
export type PostTransactionsRequest = z.infer<typeof postTransactionsSchema>;

export const dryRunQuerySchema = z.strictObject({ dryRun: z.enum(['true', 'false']).default('false') });

export const transactionResultSchema = z
  .discriminatedUnion('status', [
    z.object({
      status: z.literal('posted'),
      reference: z.string(),
      transactionId: z
        .string()
        .nullable()
        .meta({ description: 'null in a dry run for what would be posted; nothing has an id yet.' }),
      replayed: z.boolean().meta({ description: 'The reference was posted before, with the same content.' }),
    }),
    z.object({ status: z.literal('refused'), reference: z.string(), code: z.string(), detail: z.string() }),
  ])
  .meta({ id: 'LedgerTransactionResult' });
export const transactionResultsSchema = z
  .object({ dryRun: z.boolean(), results: z.array(transactionResultSchema) })
  .meta({ id: 'LedgerTransactionResults' });
export type TransactionResult = z.infer<typeof transactionResultSchema>;
export type TransactionResultsResponse = z.infer<typeof transactionResultsSchema>;

/** One leg. Debits lower the account's balance, credits raise it. */
export const entrySchema = z
  .object({
    entryId: z.string(),
    transactionId: z.string(),
    accountId: z.string(),
    account: z.string(),
    type: z.string(),
    direction: z.enum(['debit', 'credit']),
    amount: minorSchema,
    currency: z.string(),
    balanceAfter: minorSchema,
    paymentId: z.string().nullable(),
    merchantId: z.string().nullable(),
    createdAt: timeSchema,
  })
  .meta({ id: 'LedgerEntry' });
export type EntryResponse = z.infer<typeof entrySchema>;

export const listEntriesQuerySchema = z.strictObject({
  ...pageQueryFields,
  account: accountCodeSchema.optional(),
  paymentId: textSchema(64).optional(),
  merchantId: textSchema(64).optional(),
  type: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,39}$/)
    .optional(),
  from: timeSchema.optional(),
  to: timeSchema.optional(),
});
export type ListEntriesQuery = z.infer<typeof listEntriesQuerySchema>;
export const entryPageSchema = pageOf(entrySchema).meta({ id: 'LedgerEntryPage' });

/** A whole transaction: what it belongs to, and every leg. */
export const transactionSchema = z
  .object({
    transactionId: z.string(),
    reference: z.string(),
    type: z.string(),
    effectiveAt: timeSchema,
    createdAt: timeSchema,
    paymentId: z.string().nullable(),
    merchantId: z.string().nullable(),
    eventId: z.string().nullable(),
    acquirerReference: z.string().nullable(),
    postedBy: z.string().nullable().meta({ description: 'Who posted it; null when an event did.' }),
    correlationId: z.string().nullable().meta({ description: 'The request that began it all.' }),
    revertedBy: z.string().nullable(),
    reverts: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    entries: z.array(entrySchema),
  })
  .meta({ id: 'LedgerTransaction' });
export type TransactionResponse = z.infer<typeof transactionSchema>;

export const trialBalanceSchema = z
  .object({
    asOf: timeSchema,
    currencies: z.array(
      z.object({
        currency: z.string(),
        debits: minorSchema.meta({ description: 'Of all time; rounded to the nearest double beyond 2^53 − 1.' }),
        credits: minorSchema.meta({ description: 'Of all time; rounded to the nearest double beyond 2^53 − 1.' }),
        balanced: z.boolean().meta({ description: 'Whether debits equal credits; compared exactly.' }),
        accounts: z.int(),
      }),
    ),
  })
  .meta({ id: 'TrialBalance' });
export type TrialBalanceResponse = z.infer<typeof trialBalanceSchema>;

export const PAYMENT_ENTRIES_WAIT_MS_MAX = 10_000;

export const paymentEntriesQuerySchema = z.strictObject({
  sequence: z.coerce.number().int().min(0),
  waitMs: z.coerce.number().int().min(0).max(PAYMENT_ENTRIES_WAIT_MS_MAX).default(0),
  asOf: timeSchema.optional(),
});
export type PaymentEntriesQuery = z.infer<typeof paymentEntriesQuerySchema>;

/**
 * GET /internal/payments/{id}/entries?sequence=&waitMs=&asOf= (service to service): the payment's lines of its events up
 * to `sequence` and no further, once the ledger has applied those; `appliedSequence` tells how far it came in time.
 */
export const paymentEntriesSchema = z
  .object({
    appliedSequence: z.int(),
    ledgerBalance: minorSchema,
    entries: z.array(
      z.object({
        entryId: z.string(),
        transactionId: z.string(),
        type: z.string(),
        amount: minorSchema,
        createdAt: timeSchema,
      }),
    ),
  })
  .meta({ id: 'PaymentEntries' });
export type PaymentEntriesResponse = z.infer<typeof paymentEntriesSchema>;
