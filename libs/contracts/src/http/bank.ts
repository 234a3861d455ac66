import { z } from 'zod';

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
