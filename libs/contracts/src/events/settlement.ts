import { z } from 'zod';

import { currencySchema, minorSchema, timeSchema } from '../http/shared-fields.js';
import { BALANCE_TRANSACTION_TYPES, PAYOUT_STATUSES, SETTLEMENT_EXCEPTION_KINDS } from '../http/settlement-words.js';
import type { EventDefinition } from './envelope.js';

const batch = {
  settlementId: z.string(),
  merchantId: z.string(),
  acquirer: z.string(),
  currency: currencySchema,
};

/** So many lines travel in one event at most. */
export const SETTLEMENT_LINES_MAX = 200;

/** Events of settlement. The aggregate is the batch, or the exception. */
export const SETTLEMENT_EVENTS = {
  lines: {
    topic: 'settlement.lines',
    type: 'settlement.lines.v1',
    summary: 'Some of the payments that a batch settles; all of them before `settlement.completed`.',
    payload: z.object({
      ...batch,
      bank: z.string().meta({ description: 'Where the acquirer pays it in: `bank:{bank}:cash`.' }),
      lines: z
        .array(
          z.object({
            paymentId: z.string(),
            balanceTransactionId: z.string(),
            type: z.enum(BALANCE_TRANSACTION_TYPES),
            gross: minorSchema,
            fee: minorSchema,
            net: minorSchema,
          }),
        )
        .min(1)
        .max(SETTLEMENT_LINES_MAX)
        .meta({ description: 'All lines of one payment in one batch travel in one event.' }),
    }),
  },
  completed: {
    topic: 'settlement.completed',
    type: 'settlement.completed.v1',
    summary: 'A batch is done: what it settles, what is paid out, and by which payout.',
    payload: z.object({
      ...batch,
      cutoffAt: timeSchema,
      lineCount: z.int(),
      gross: minorSchema.meta({ description: 'Captures.' }),
      refunds: minorSchema.meta({ description: 'Refunds less failed ones, as a positive amount.' }),
      disputes: minorSchema.meta({ description: 'Chargebacks less won ones, as a positive amount.' }),
      fees: minorSchema,
      reserved: minorSchema.meta({ description: 'Kept back by a reserve rule, less what was let go.' }),
      net: minorSchema.meta({ description: 'gross − refunds − disputes − fees − reserved.' }),
      payoutId: z.string().nullable().meta({ description: 'Null: nothing to pay out (yet).' }),
    }),
  },
  exception: {
    topic: 'settlement.exception',
    type: 'settlement.exception.v1',
    summary: "An acquirer's report or a bank's statement and our books differ, or a difference was resolved.",
    payload: z.object({
      exceptionId: z.string(),
      runId: z.string(),
      kind: z.enum(SETTLEMENT_EXCEPTION_KINDS),
      status: z.enum(['OPEN', 'RESOLVED']),
      source: z.string().meta({ description: 'The acquirer or the bank.' }),
      merchantId: z.string().nullable(),
      paymentId: z.string().nullable(),
      reference: z.string().nullable(),
      expected: minorSchema.nullable().meta({ description: 'What our books say.' }),
      actual: minorSchema.nullable().meta({ description: 'What the other side says.' }),
      currency: currencySchema,
    }),
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

const payout = z.object({
  payoutId: z.string(),
  merchantId: z.string(),
  currency: currencySchema,
  amount: z.int().min(1).meta({ description: 'Minor units.' }),
  status: z.enum(PAYOUT_STATUSES),
  settlementIds: z.array(z.string()),
  bank: z.string(),
  bankReference: z.string().nullable(),
  reason: z.string().nullable().meta({ description: 'ISO 20022 external reason code, of FAILED and RETURNED.' }),
});

const payoutEvent = <Topic extends string>(topic: Topic, summary: string) => ({
  topic,
  type: `${topic}.v1` as const,
  summary,
  payload: payout,
});

/** Events of a payout. The aggregate is the payout. */
export const PAYOUT_EVENTS = {
  created: payoutEvent('payout.created', 'A payout to a merchant was ordered.'),
  paid: payoutEvent('payout.paid', 'The bank has paid it.'),
  failed: payoutEvent('payout.failed', 'The bank refused it: the money is back in the merchant balance.'),
  returned: payoutEvent(
    'payout.returned',
    'It came back after it was paid: the money is back in the merchant balance.',
  ),
} as const satisfies Readonly<Record<string, EventDefinition>>;
