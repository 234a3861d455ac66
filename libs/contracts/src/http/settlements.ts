import { z } from 'zod';

import { balanceTransactionSchema, merchantIdField } from './balance.js';
import { PAYOUT_SETTLEMENTS_MAX, PAYOUT_STATUSES } from './settlement-words.js';
import {
  currencySchema,
  idSchema,
  minorSchema,
  pageOf,
  pageQueryFields,
  textSchema,
  timeSchema,
} from './shared-fields.js';

export const SETTLEMENT_STATUSES = ['OPEN', 'COMPLETED'] as const;
export type SettlementStatus = (typeof SETTLEMENT_STATUSES)[number];

/** A batch: what one acquirer owes for one merchant in one currency, up to a cut-off. */
export const settlementSchema = z
  .object({
    settlementId: z.string(),
    runId: z.string(),
    merchantId: z.string(),
    acquirer: z.string(),
    currency: z.string(),
    bank: z.string().meta({ description: 'Where the acquirer pays it in.' }),
    status: z.enum(SETTLEMENT_STATUSES).meta({ description: 'OPEN while lines are still being taken in.' }),
    cutoffAt: timeSchema,
    lineCount: z.int(),
    gross: minorSchema.meta({ description: 'Captures.' }),
    refunds: minorSchema.meta({ description: 'Refunds less failed ones, as a positive amount.' }),
    disputes: minorSchema.meta({ description: 'Chargebacks less won ones, as a positive amount.' }),
    fees: minorSchema,
    reserved: minorSchema,
    net: minorSchema.meta({ description: 'gross − refunds − disputes − fees − reserved.' }),
    payoutId: z.string().nullable().meta({ description: 'Null: nothing was paid out for it (yet).' }),
    createdAt: timeSchema,
    completedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Settlement' });
export type SettlementView = z.infer<typeof settlementSchema>;
export const settlementPageSchema = pageOf(settlementSchema).meta({ id: 'SettlementPage' });

export const listSettlementsQuerySchema = z.strictObject({
  ...pageQueryFields,
  merchantId: merchantIdField,
  acquirer: textSchema(40).optional(),
  currency: currencySchema.optional(),
  status: z.enum(SETTLEMENT_STATUSES).optional(),
  runId: textSchema(64).optional(),
});
export type ListSettlementsQuery = z.infer<typeof listSettlementsQuerySchema>;

export const settlementLinesQuerySchema = z.strictObject(pageQueryFields);
export const settlementLinePageSchema = pageOf(balanceTransactionSchema).meta({ id: 'SettlementLinePage' });

/** POST /settlements/run */
export const runSettlementSchema = z
  .strictObject({
    merchantId: idSchema('mer').optional().meta({ description: 'Only this merchant. Without it: everybody.' }),
    cutoff: timeSchema
      .optional()
      .meta({ description: 'What is available by then. Without it, or in the future: now.' }),
  })
  .meta({ id: 'RunSettlement' });
export type RunSettlement = z.infer<typeof runSettlementSchema>;

export const SETTLEMENT_RUN_PHASES = ['SETTLING', 'PAYING', 'DONE'] as const;
export type SettlementRunPhase = (typeof SETTLEMENT_RUN_PHASES)[number];

/** One pass of the job over what is available. A run that was interrupted goes on where it stopped. */
export const settlementRunSchema = z
  .object({
    runId: z.string(),
    merchantId: z.string().nullable(),
    cutoffAt: timeSchema,
    phase: z.enum(SETTLEMENT_RUN_PHASES),
    requestedBy: z.string().nullable().meta({ description: 'Null: the schedule.' }),
    chunks: z.int(),
    lineCount: z.int(),
    settlementCount: z.int(),
    payoutCount: z.int(),
    setAsideCount: z.int().meta({
      description: 'Merchants, by currency, who could not be closed: the others are, and these are tried again.',
    }),
    waitsUntil: timeSchema.nullable().meta({ description: 'When it tries again those whom it set aside.' }),
    createdAt: timeSchema,
    finishedAt: timeSchema.nullable(),
  })
  .meta({ id: 'SettlementRun' });
export type SettlementRunView = z.infer<typeof settlementRunSchema>;
export const settlementRunPageSchema = pageOf(settlementRunSchema).meta({ id: 'SettlementRunPage' });
export const listSettlementRunsQuerySchema = z.strictObject(pageQueryFields);

/** Money on its way to a merchant's bank account. */
export const payoutSchema = z
  .object({
    payoutId: z.string(),
    merchantId: z.string(),
    amount: minorSchema,
    currency: z.string(),
    status: z.enum(PAYOUT_STATUSES),
    reason: z.string().nullable().meta({
      description: 'Why it waits, failed or came back: payout_account_missing, or the bank’s ISO 20022 reason code.',
    }),
    attention: z.string().nullable().meta({ description: 'What people have to look at.' }),
    bank: z.string(),
    bankAccount: z.string().nullable().meta({ description: 'Masked.' }),
    bankReference: z.string().nullable(),
    settlementIds: z
      .array(z.string())
      .max(PAYOUT_SETTLEMENTS_MAX)
      .meta({ description: 'The batches that it pays, of very many the first; empty: what came back before.' }),
    createdAt: timeSchema,
    sentAt: timeSchema.nullable(),
    paidAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable().meta({ description: 'When it failed or came back.' }),
  })
  .meta({ id: 'Payout' });
export type PayoutView = z.infer<typeof payoutSchema>;
export const payoutPageSchema = pageOf(payoutSchema).meta({ id: 'PayoutPage' });

export const listPayoutsQuerySchema = z.strictObject({
  ...pageQueryFields,
  merchantId: merchantIdField,
  currency: currencySchema.optional(),
  status: z.enum(PAYOUT_STATUSES).optional(),
});
export type ListPayoutsQuery = z.infer<typeof listPayoutsQuerySchema>;

/** GET /settlements/runs/{runId}/payout-file */
export const payoutFileQuerySchema = z.strictObject({
  part: z.coerce.number().int().min(1).max(9_999).default(1).meta({
    description: 'What was not ready for the file before is in the next; the same part is the same file.',
  }),
});

/** POST /payouts/{payoutId}/take-up */
export const takeUpPayoutSchema = z
  .strictObject({
    reason: textSchema(500).meta({ description: 'What was found out, and from whom.' }),
    outcome: z.enum(['PAID', 'NOT_PAID']).optional().meta({
      description: 'What the bank says in the end: the books follow it. Without it the payout goes on as it stands.',
    }),
  })
  .meta({ id: 'TakeUpPayout', example: { reason: 'The bank has confirmed it by telephone.', outcome: 'PAID' } });
export type TakeUpPayout = z.infer<typeof takeUpPayoutSchema>;

/** GET /payouts/{payoutId}/decisions: who took it up, in order. */
export const payoutDecisionsSchema = z
  .object({
    data: z.array(
      z.object({
        attention: z.string().meta({ description: 'What had been the matter.' }),
        outcome: z.enum(['PAID', 'NOT_PAID']).nullable(),
        reason: z.string(),
        decidedBy: z.string(),
        decidedAt: timeSchema,
      }),
    ),
  })
  .meta({ id: 'PayoutDecisions' });
export type PayoutDecisions = z.infer<typeof payoutDecisionsSchema>;

/** PUT /merchants/{merchantId}/payout-account */
export const setPayoutAccountSchema = z
  .strictObject({
    iban: z
      .string()
      .min(5)
      .max(42)
      .regex(/^[A-Za-z0-9 ]+$/)
      .meta({
        description: 'With or without spaces; its check digits are checked.',
        examples: ['GB57PAYF00000100000001'],
      }),
    name: textSchema(140).meta({ description: 'Whose account it is.' }),
  })
  .meta({ id: 'SetPayoutAccount', example: { iban: 'GB57PAYF00000100000001', name: 'Ada’s Books' } });
export type SetPayoutAccount = z.infer<typeof setPayoutAccountSchema>;

/** Where a merchant is paid out. Its number is never shown again. */
export const payoutAccountSchema = z
  .object({ merchantId: z.string(), iban: z.string().meta({ description: 'Masked.' }), updatedAt: timeSchema })
  .meta({ id: 'PayoutAccount' });
export type PayoutAccountView = z.infer<typeof payoutAccountSchema>;

const BASIS_POINTS_MAX = 10_000;
const RESERVE_DAYS_MAX = 730;

/** PUT /merchants/{merchantId}/reserve-rule */
export const setReserveRuleSchema = z
  .strictObject({
    basisPoints: z
      .int()
      .min(0)
      .max(BASIS_POINTS_MAX)
      .meta({ description: 'Of what a batch nets: 500 is 5 %; 0: none.' }),
    days: z.int().min(0).max(RESERVE_DAYS_MAX).meta({ description: 'After so many days it is let go.' }),
  })
  .meta({ id: 'SetReserveRule' });
export type SetReserveRule = z.infer<typeof setReserveRuleSchema>;

export const reserveRuleSchema = z
  .object({ merchantId: z.string(), basisPoints: z.int(), days: z.int() })
  .meta({ id: 'ReserveRule' });
export type ReserveRuleView = z.infer<typeof reserveRuleSchema>;
