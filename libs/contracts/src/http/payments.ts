import { z } from 'zod';

import { FRAUD_OUTCOMES, fraudReasonSchema } from './fraud-decision.js';
import { WHEN_FRAUD_IS_DOWN } from './fraud-policy.js';
import { cardSchema, tokenIdSchema } from './tokens.js';
import {
  amountSchema,
  currencySchema,
  idSchema,
  metadataSchema,
  minorSchema,
  pageOf,
  pageQueryFields,
  textSchema,
  withoutCardNumber,
  timeSchema,
} from './shared-fields.js';

/** The states of a payment (spec §2 Payments). */
export const PAYMENT_STATUSES = [
  'PENDING',
  'REQUIRES_ACTION',
  'IN_REVIEW',
  'PROCESSING',
  'AUTHORIZED',
  'PARTIALLY_CAPTURED',
  'CAPTURED',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
  'CANCELED',
  'EXPIRED',
  'FAILED',
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];
export const paymentStatusSchema = z.enum(PAYMENT_STATUSES).meta({ id: 'PaymentStatus' });

export const REFUND_STATUSES = ['PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

export const PAYMENT_METHOD_TYPES = ['card', 'wallet', 'bank_redirect'] as const;
export type PaymentMethodType = (typeof PAYMENT_METHOD_TYPES)[number];

/**
 * How the payer pays. The gateway swaps an inline `card` for a single-use token before any other service sees it: the
 * payment service accepts tokens only.
 */
export const paymentMethodSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('card'), token: tokenIdSchema }),
    z.strictObject({
      type: z.literal('wallet'),
      walletId: z
        .string()
        .min(1)
        .max(64)
        .regex(/^[\w-]+$/)
        .meta({
          description: 'Whose owner is asked to approve, unless it is the owner who pays with his own token.',
        }),
      consent: idSchema('txn').optional().meta({
        description: 'By the wallet service itself: the transaction by which the owner asked for the payment.',
      }),
    }),
    z.strictObject({
      type: z.literal('bank_redirect'),
      bank: z
        .string()
        .min(1)
        .max(64)
        .regex(/^[\w-]+$/)
        .optional(),
    }),
  ])
  .meta({ id: 'PaymentMethod' });
export type PaymentMethodRequest = z.infer<typeof paymentMethodSchema>;

/** What the gateway accepts where `paymentMethodSchema` stands: also a card, once, on its way to the vault. */
export const inlineCardMethodSchema = z
  .strictObject({ type: z.literal('card'), card: cardSchema })
  .meta({ id: 'InlineCardPaymentMethod' });

const payerEmailSchema = withoutCardNumber(z.email().max(254))
  .optional()
  .meta({
    description:
      'Of the payer: for the rules of fraud, which keeps it with its decision. No answer, event or history has it, and the payment ' +
      'forgets it once it is judged.',
    examples: ['ann@example.com'],
  });

const intentFields = {
  amount: amountSchema,
  currency: currencySchema,
  merchantId: idSchema('mer').optional().meta({ description: 'Staff only: the merchant to act for.' }),
  userId: z
    .union([idSchema('usr'), textSchema(64)])
    .optional()
    .meta({ description: 'The payer, where the merchant knows one.' }),
  email: payerEmailSchema,
  reference: textSchema(100).optional().meta({ description: "The merchant's own reference, such as an order number." }),
  description: textSchema(500).optional(),
  statementDescriptor: withoutCardNumber(
    z
      .string()
      .min(1)
      .max(22)
      .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII'),
  ).optional(),
  returnUrl: withoutCardNumber(z.url({ protocol: /^https?$/ }).max(2000)).optional(),
  metadata: metadataSchema.optional(),
};

/** POST /payments: an intent. No acquirer is called. */
export const createPaymentSchema = z
  .strictObject({
    ...intentFields,
    capture: z.boolean().optional().meta({
      description: 'Whether the payer who confirms it pays at once (a sale); by default the amount is only held.',
    }),
    payment_method: z.never().optional().meta({ description: 'Of the printed call (PrintedPaymentRequest) only.' }),
  })
  .meta({ id: 'CreatePayment' });
export type CreatePaymentRequest = z.infer<typeof createPaymentSchema>;

/** PATCH /payments/{id}: change an intent before it is authorized. */
export const updatePaymentSchema = z
  .strictObject({
    amount: amountSchema.optional(),
    reference: intentFields.reference,
    description: intentFields.description,
    statementDescriptor: intentFields.statementDescriptor,
    returnUrl: intentFields.returnUrl,
    metadata: intentFields.metadata,
  })
  .meta({ id: 'UpdatePayment' });
export type UpdatePaymentRequest = z.infer<typeof updatePaymentSchema>;

/** POST /payments/authorize: create and authorize in one call; `capture: true` is a sale. */
export const authorizePaymentSchema = z
  .strictObject({ ...intentFields, paymentMethod: paymentMethodSchema, capture: z.boolean().default(false) })
  .meta({ id: 'AuthorizePayment' });
export type AuthorizePaymentRequest = z.infer<typeof authorizePaymentSchema>;

/** POST /payments/{id}/authorize and /process: authorize an intent. */
export const authorizeIntentSchema = z
  .strictObject({
    paymentMethod: paymentMethodSchema,
    capture: z.boolean().optional().meta({ description: 'True is a sale. Left out: as the intent says.' }),
    email: payerEmailSchema,
  })
  .meta({ id: 'AuthorizeIntent' });
export type AuthorizeIntentRequest = z.infer<typeof authorizeIntentSchema>;

/**
 * POST /payments/{id}/confirm. With a publishable key `clientSecret` is required and `capture` is the intent's; a
 * merchant's own client may leave the secret out.
 */
export const confirmIntentSchema = z
  .strictObject({
    paymentMethod: paymentMethodSchema,
    clientSecret: z.string().min(1).max(200).optional(),
    returnUrl: intentFields.returnUrl,
    email: payerEmailSchema,
  })
  .meta({ id: 'ConfirmIntent' });
export type ConfirmIntentRequest = z.infer<typeof confirmIntentSchema>;

export const processIntentSchema = z
  .strictObject({ paymentMethod: paymentMethodSchema, email: payerEmailSchema })
  .meta({ id: 'ProcessIntent' });
export type ProcessIntentRequest = z.infer<typeof processIntentSchema>;

/** POST /payments/{id}/capture. Without `amount`: all that is left. `final` releases the rest of the hold. */
export const capturePaymentSchema = z
  .strictObject({
    amount: amountSchema.optional(),
    final: z.boolean().default(true),
    metadata: metadataSchema.optional(),
  })
  .meta({ id: 'CapturePayment' });
export type CapturePaymentRequest = z.infer<typeof capturePaymentSchema>;

export const cancelPaymentSchema = z
  .strictObject({ reason: textSchema(200).optional(), metadata: metadataSchema.optional() })
  .meta({ id: 'CancelPayment' });
export type CancelPaymentRequest = z.infer<typeof cancelPaymentSchema>;

/** POST /payments/{id}/sync: ask the acquirer now. */
export const syncPaymentSchema = z.strictObject({}).meta({ id: 'SyncPayment' });

const refundFields = {
  amount: amountSchema.optional(),
  reason: textSchema(200).optional(),
  metadata: metadataSchema.optional(),
};

/** POST /payments/{id}/refund. Without `amount`: all that is left to refund. */
export const refundPaymentSchema = z.strictObject(refundFields).meta({ id: 'RefundPayment' });
export type RefundPaymentRequest = z.infer<typeof refundPaymentSchema>;

/** POST /refunds: the same with the payment named in the body, in one of two spellings. */
export const createRefundSchema = z
  .union([
    z.strictObject({ paymentId: idSchema('pay'), ...refundFields }),
    z.strictObject({ payment_id: idSchema('pay'), ...refundFields }),
  ])
  .meta({ id: 'CreateRefund' });
export type CreateRefundRequest = z.infer<typeof createRefundSchema>;

/** Why an acquirer or PayFlow said no to the payment. `code` is ours and stable; `declineCode` is the acquirer's reason. */
export const paymentErrorSchema = z
  .object({
    code: z.string(),
    declineCode: z.string().optional(),
    adviceCode: z.string().optional(),
    message: z.string(),
  })
  .meta({ id: 'PaymentError' });

/** One line per posting: a positive amount; both legs are at /ledger/transactions/{id}. */
export const paymentLedgerEntrySchema = z
  .object({
    entryId: z.string(),
    transactionId: z.string(),
    type: z.string(),
    amount: minorSchema,
    createdAt: timeSchema,
  })
  .meta({ id: 'PaymentLedgerEntry' });

const paymentCore = {
  paymentId: z.string(),
  status: paymentStatusSchema,
  amount: minorSchema,
  currency: z.string(),
  authorizedAmount: minorSchema,
  capturableAmount: minorSchema,
  capturedAmount: minorSchema,
  refundedAmount: minorSchema,
  refundableAmount: minorSchema,
  disputedAmount: minorSchema.meta({ description: 'In dispute now.' }),
  chargedBackAmount: minorSchema.meta({
    description: 'What the acquirer has taken back: what is in dispute, and what was lost.',
  }),
  feeAmount: minorSchema,
  disputeFeeAmount: minorSchema.meta({ description: 'What disputes cost the merchant.' }),
  netAmount: minorSchema.meta({ description: 'Captured less refunded less charged back less fees.' }),
  merchantId: z.string(),
  userId: z.string().nullable(),
  reference: z.string().nullable(),
  description: z.string().nullable(),
  statementDescriptor: z.string().nullable(),
  returnUrl: z.string().nullable(),
  paymentMethod: z
    .object({
      type: z.enum(PAYMENT_METHOD_TYPES),
      token: z.string().optional(),
      brand: z.string().optional(),
      last4: z.string().optional(),
      bank: z.string().optional(),
      walletId: z.string().optional(),
    })
    .nullable(),
  acquirer: z.string().nullable(),
  acquirerReference: z.string().nullable(),
  lastError: paymentErrorSchema.nullable(),
  nextAction: z
    .object({ type: z.literal('redirect'), redirectUrl: z.string(), expiresAt: timeSchema })
    .nullable()
    .meta({ description: 'Of REQUIRES_ACTION: where the payer goes, and until when.' }),
  processing: z.object({ reason: z.string(), attempts: z.int(), nextInquiryAt: timeSchema.nullable() }).nullable(),
  metadata: z.record(z.string(), z.string()),
  version: z.int(),
  createdAt: timeSchema,
  updatedAt: timeSchema,
  authorizedAt: timeSchema.nullable(),
  capturedAt: timeSchema.nullable(),
  canceledAt: timeSchema.nullable(),
  expiresAt: timeSchema.nullable(),
  expiredAt: timeSchema.nullable(),
};

/** A payment as every route that changes it and every list shows it. */
export const paymentSchema = z.object(paymentCore).meta({ id: 'Payment' });
export type PaymentResponse = z.infer<typeof paymentSchema>;

/** POST /payments: the payment and the secret with which the payer's browser may confirm it. */
export const createdPaymentSchema = z
  .object({ ...paymentCore, clientSecret: z.string() })
  .meta({ id: 'CreatedPayment' });

/** What the browser of a payer may know of his payment. */
export const payerViewSchema = z
  .object({
    paymentId: paymentCore.paymentId,
    status: paymentCore.status,
    amount: paymentCore.amount,
    currency: paymentCore.currency,
    description: paymentCore.description,
    nextAction: paymentCore.nextAction,
    lastError: paymentCore.lastError,
  })
  .meta({ id: 'PayerView' });
export type PayerView = z.infer<typeof payerViewSchema>;

/** What was said of a payment before any acquirer was asked. */
export const paymentFraudSchema = z
  .object({
    decisionId: z.string().nullable().meta({ description: 'Null: fraud did not answer in time, and a policy held.' }),
    outcome: z.enum(FRAUD_OUTCOMES),
    reviewId: z.string().nullable().meta({ description: 'Of a payment that people look at, or looked at.' }),
    decideBy: timeSchema.nullable(),
    policy: z
      .enum(WHEN_FRAUD_IS_DOWN)
      .nullable()
      .meta({ description: "The merchant's policy, where nobody judged the payment." }),
    score: z.int().optional().meta({ description: 'For staff only.' }),
    reasons: z.array(fraudReasonSchema).optional().meta({ description: 'For staff only.' }),
    rulesVersion: z.int().nullable().optional().meta({ description: 'For staff only.' }),
  })
  .meta({ id: 'PaymentFraud' });
export type PaymentFraudResponse = z.infer<typeof paymentFraudSchema>;

export const paymentSettlementSchema = z
  .object({
    settlementId: z.string(),
    acquirer: z.string(),
    gross: minorSchema,
    fee: minorSchema,
    net: minorSchema,
    settledAt: timeSchema,
  })
  .meta({ id: 'PaymentSettlement' });

/** GET /payments/{id}: the payment with its ledger summary. */
export const paymentDetailSchema = z
  .object({
    ...paymentCore,
    ledgerBalance: minorSchema
      .nullable()
      .meta({ description: 'Captured less refunded less charged back; null while the ledger cannot be reached.' }),
    ledgerEntries: z.array(paymentLedgerEntrySchema),
    fraud: paymentFraudSchema.nullable().meta({ description: 'Null: nobody was asked.' }),
    settlements: z.array(paymentSettlementSchema).meta({ description: 'What each settlement took in of it.' }),
  })
  .meta({ id: 'PaymentDetail' });
export type PaymentDetailResponse = z.infer<typeof paymentDetailSchema>;

/** Answer of POST /payments/{id}/refund and POST /refunds (R-049, checklist C14). */
export const refundResultSchema = z
  .object({
    refundId: z.string(),
    paymentId: z.string(),
    status: z.enum(['REFUNDED', 'PENDING', 'FAILED']),
    refundStatus: z.enum(REFUND_STATUSES),
    paymentStatus: paymentStatusSchema,
    refundedAmount: minorSchema.meta({ description: "This refund's amount." }),
    currency: z.string(),
    reason: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    createdAt: timeSchema,
  })
  .meta({ id: 'RefundResult' });
export type RefundResultResponse = z.infer<typeof refundResultSchema>;

/** GET /refunds/{id}: a refund with its own life. */
export const refundSchema = z
  .object({
    refundId: z.string(),
    paymentId: z.string(),
    merchantId: z.string(),
    status: z.enum(REFUND_STATUSES),
    amount: minorSchema,
    currency: z.string(),
    reason: z.string().nullable(),
    failure: paymentErrorSchema.nullable(),
    metadata: z.record(z.string(), z.string()),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Refund' });
export type RefundResponse = z.infer<typeof refundSchema>;

/** GET /payments: newest first. `metadata[key]=value` filters by metadata and is read beside this schema. */
export const listPaymentsQuerySchema = z.looseObject({
  ...pageQueryFields,
  status: paymentStatusSchema.optional(),
  reference: textSchema(100).optional(),
  userId: textSchema(64).optional(),
  merchantId: idSchema('mer').optional(),
  from: timeSchema.optional(),
  to: timeSchema.optional(),
});
export type ListPaymentsQuery = z.infer<typeof listPaymentsQuerySchema>;
export const paymentPageSchema = pageOf(paymentSchema).meta({ id: 'PaymentPage' });

export const listRefundsQuerySchema = z.strictObject({
  ...pageQueryFields,
  paymentId: idSchema('pay').optional(),
  status: z.enum(REFUND_STATUSES).optional(),
});
export const refundPageSchema = pageOf(refundSchema).meta({ id: 'RefundPage' });

/** `?asOf=`: the object as it stood at that time. */
export const asOfQuerySchema = z.strictObject({ asOf: timeSchema.optional() });

/** GET /payments/{id}/events: the history, versions 1 … n without a gap. */
export const paymentEventSchema = z
  .object({ version: z.int(), type: z.string(), occurredAt: timeSchema, data: z.record(z.string(), z.unknown()) })
  .meta({ id: 'PaymentHistoryEvent' });
export const paymentEventsSchema = z.object({ data: z.array(paymentEventSchema) }).meta({ id: 'PaymentHistory' });

/** GET /payments/{id}/attempts: each try at an acquirer. */
export const paymentAttemptSchema = z
  .object({
    attemptId: z.string(),
    acquirer: z.string(),
    operation: z.enum(['authorize', 'capture', 'void', 'refund']),
    amount: minorSchema,
    outcome: z
      .enum([
        'pending',
        'action_required',
        'approved',
        'declined',
        'unknown',
        'failed',
        'late_success',
        'partial_approval',
      ])
      .meta({
        description: '`late_success`, `partial_approval`: approved when or as it was not wanted, and reversed.',
      }),
    failure: paymentErrorSchema.nullable(),
    acquirerReference: z.string().nullable(),
    inquiries: z
      .int()
      .meta({ description: 'How often the acquirer was asked on schedule, because it had not answered.' }),
    nextInquiryAt: timeSchema.nullable().meta({ description: 'Null once the order has ended.' }),
    startedAt: timeSchema,
    finishedAt: timeSchema.nullable(),
  })
  .meta({ id: 'PaymentAttempt' });
export const paymentAttemptsSchema = z.object({ data: z.array(paymentAttemptSchema) }).meta({ id: 'PaymentAttempts' });

const BASIS_POINTS_MAX = 10_000;

/** PUT /merchants/{id}/fee-terms: what the merchant pays for captures from now on, per currency. */
export const setFeeTermsSchema = z
  .strictObject({
    currency: currencySchema,
    basisPoints: z.int().min(0).max(BASIS_POINTS_MAX).meta({ description: '290 is 2.9 % of the captured amount.' }),
    fixed: minorSchema.min(0).max(1_000_000).meta({ description: 'Once per payment, in minor units of the currency.' }),
  })
  .meta({ id: 'SetFeeTerms' });
export type SetFeeTermsRequest = z.infer<typeof setFeeTermsSchema>;

/** GET /merchants/{id}/fee-terms: what was agreed, and what holds for every other currency. */
export const feeTermsSchema = z
  .object({
    merchantId: z.string(),
    data: z.array(z.object({ currency: z.string(), basisPoints: z.int(), fixed: minorSchema })),
    otherwise: z.object({ basisPoints: z.int(), fixed: minorSchema }),
  })
  .meta({ id: 'FeeTerms' });
export type FeeTermsResponse = z.infer<typeof feeTermsSchema>;
