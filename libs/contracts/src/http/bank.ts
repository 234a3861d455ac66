import { z } from 'zod';

import { BANK_ACCOUNT_BEHAVIOURS } from '../test-banks.js';
import { amountSchema, currencySchema, textSchema, timeSchema } from './shared-fields.js';

/*
 * What PayFlow asks of a bank, and how the bank of `acquirer-sim` answers. Every payout carries our `reference` (`txn_…` of a
 * withdrawal, `po_…` of a payout): the same reference is answered with how its payout stands, for ever.
 */

export const bankReferenceSchema = z.string().regex(/^(txn|po)_[0-9a-z]{26}$/);

export const BANK_PAYOUT_STATUSES = ['ACCEPTED', 'PAID', 'REFUSED', 'CANCELED', 'RETURNED'] as const;

/** Whom it is paid to: an IBAN (ISO 13616), or an account with the number of its bank. */
export const bankCreditorSchema = z.union([
  z.strictObject({ name: textSchema(140), iban: z.string().regex(/^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/) }),
  z.strictObject({
    name: textSchema(140),
    accountNumber: z.string().regex(/^[0-9]{4,17}$/),
    routingNumber: z.string().regex(/^[0-9]{9}$/),
  }),
]);
export type BankCreditor = z.infer<typeof bankCreditorSchema>;

/** POST /banks/{bank}/payouts */
export const bankPayoutRequestSchema = z.strictObject({
  reference: bankReferenceSchema,
  amount: amountSchema,
  currency: currencySchema,
  creditor: bankCreditorSchema,
  remittance: textSchema(140).optional(),
});
export type BankPayoutRequest = z.infer<typeof bankPayoutRequestSchema>;

/**
 * GET /banks/{bank}/payouts/{reference} (404: the bank has not seen it, which does not say that it will not), and the answer
 * of POST. POST /banks/{bank}/payouts/{reference}/cancel takes it back or, unseen, forbids it for ever: CANCELED, unless the
 * money has left (PAID).
 */
export const bankPayoutSchema = z.object({
  reference: z.string(),
  bankReference: z.string().nullable(),
  status: z.enum(BANK_PAYOUT_STATUSES),
  reason: z.string().nullable().meta({ description: 'ISO 20022 external reason code, such as AC01, AC04, AM04.' }),
  amount: z.int(),
  currency: z.string(),
  updatedAt: timeSchema,
});
export type BankPayout = z.infer<typeof bankPayoutSchema>;

/** GET /banks/{bank}/payouts?after=<position>: what changed, in order, so that a return after PAID is seen. */
export const bankPayoutChangesSchema = z.object({
  data: z.array(bankPayoutSchema.extend({ position: z.int() })),
  nextPosition: z.int(),
});

/** How the bank of `acquirer-sim` treats the requests that come next. `normal` is by the creditor's account alone. */
export const BANK_MODES = [
  'normal',
  'slow',
  'timeout_after_effect',
  'timeout_without_effect',
  'error_before_effect',
  'error_after_effect',
  'unavailable',
  'accepted_then_paid',
  'accepted_then_refused',
  'refused',
  'paid_then_returned',
] as const;
export type BankMode = (typeof BANK_MODES)[number];

export const BANK_OPERATIONS = ['payout', 'inquiry', 'cancel', 'feed'] as const;
export type BankOperation = (typeof BANK_OPERATIONS)[number];

/** POST /banks/{bank}/mode. The narrowest filter wins; without `times` it holds until it is set again. */
export const setBankModeSchema = z.strictObject({
  mode: z.enum(BANK_MODES),
  times: z.int().min(1).max(100_000).optional().meta({ description: 'For how many requests; then normal.' }),
  operation: z.enum(BANK_OPERATIONS).optional().meta({
    description: 'Without it: payouts and cancellations; `slow` and `unavailable` are of all.',
  }),
  reference: bankReferenceSchema.optional(),
  latencyMs: z.int().min(0).max(120_000).optional().meta({ description: 'Of `slow`, and how late a later result is.' }),
});
export type SetBankMode = z.infer<typeof setBankModeSchema>;

export const bankModesSchema = z
  .object({ data: z.array(setBankModeSchema.extend({ createdAt: timeSchema })) })
  .meta({ id: 'BankModes' });

/** POST /banks/{bank}/payouts/{reference}/return: a paid payout comes back. Demo mode only. */
export const returnBankPayoutSchema = z.strictObject({
  reason: z
    .string()
    .regex(/^[A-Z]{2}[0-9]{2}$/)
    .default('AC04')
    .meta({ description: 'ISO 20022 external reason code.' }),
});

/** A line of the bank's book: money that went to an account, or came back from it. Append-only. */
export const bankBookLineSchema = z
  .object({
    position: z.int(),
    reference: z.string(),
    kind: z.enum(['CREDIT', 'RETURN']),
    account: z.string().meta({ description: 'IBAN, or routing number and account number.' }),
    name: z.string(),
    amount: z.int(),
    currency: z.string(),
    createdAt: timeSchema,
  })
  .meta({ id: 'BankBookLine' });
export type BankBookLine = z.infer<typeof bankBookLineSchema>;

/** GET /banks/{bank}/book */
export const listBankBookQuerySchema = z.strictObject({
  reference: bankReferenceSchema.optional(),
  account: z.string().min(1).max(40).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  before: z.coerce.number().int().min(0).optional(),
});
export const bankBookSchema = z.object({ data: z.array(bankBookLineSchema) }).meta({ id: 'BankBook' });

/** GET /banks/{bank}/payouts?after= */
export const listBankPayoutChangesQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

/** GET /test-bank-accounts */
export const testBankAccountsSchema = z
  .object({
    data: z.array(
      z.object({
        iban: z.string().nullable(),
        accountNumber: z.string().nullable(),
        routingNumber: z.string().nullable(),
        behaviour: z.enum(BANK_ACCOUNT_BEHAVIOURS),
        outcome: z.enum(['PAID', 'REFUSED', 'RETURNED', 'CANCELED']).meta({ description: 'How a payout ends.' }),
        reason: z.string().nullable(),
        description: z.string(),
      }),
    ),
  })
  .meta({ id: 'TestBankAccounts' });
