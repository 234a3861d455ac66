import type { PaymentDetailResponse, PaymentResponse, RefundResponse, RefundResultResponse } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { type Answer, entityTag } from '@payflow/service';

import { type Failure, type Payment, type RefundOperation, statusOf } from '../domain/payment.js';
import type { RecoveryPlan } from '../store/payment-attempts.js';
import type { SettlementRow } from '../store/payment-settlements.js';
import { type PaymentRow, paymentRowOf } from '../store/payments.js';
import { REFUND_STATUS_OF, type RefundRow } from '../store/refunds.js';

const timeOf = (time: Date | null): string | null => time && time.toISOString();

export const failureOf = (failure: Failure): NonNullable<PaymentResponse['lastError']> => ({
  code: failure.code,
  ...(failure.declineCode === null ? {} : { declineCode: failure.declineCode }),
  ...(failure.adviceCode === null ? {} : { adviceCode: failure.adviceCode }),
  message: failure.message,
});

const paymentMethodOf = ({ payment_method: method }: PaymentRow): PaymentResponse['paymentMethod'] =>
  method && {
    type: method.type,
    ...(method.token === null ? {} : { token: method.token }),
    ...(method.brand === null ? {} : { brand: method.brand }),
    ...(method.last4 === null ? {} : { last4: method.last4 }),
    ...(method.bank === undefined ? {} : { bank: method.bank }),
    ...(method.wallet === undefined ? {} : { walletId: method.wallet.walletId }),
  };

/** As `refundableMinor` of the domain. */
const refundableOf = (row: PaymentRow): bigint => {
  const left = row.captured_minor - row.refunded_minor - row.pending_refund_minor - row.charged_back_minor;
  return left > 0n ? left : 0n;
};

/** A payment as every route shows it; when it is read alone, also what recovery plans. */
export const paymentView = (row: PaymentRow, plan?: RecoveryPlan): PaymentResponse => ({
  paymentId: row.id,
  status: row.status,
  amount: minorToJson(row.amount),
  currency: row.currency,
  authorizedAmount: minorToJson(row.authorized_minor),
  capturableAmount: minorToJson(row.capturable_minor),
  capturedAmount: minorToJson(row.captured_minor),
  refundedAmount: minorToJson(row.refunded_minor),
  refundableAmount: minorToJson(refundableOf(row)),
  disputedAmount: minorToJson(row.disputed_minor),
  chargedBackAmount: minorToJson(row.charged_back_minor),
  feeAmount: minorToJson(row.fee_minor),
  disputeFeeAmount: minorToJson(row.dispute_fee_minor),
  netAmount: minorToJson(
    row.captured_minor - row.refunded_minor - row.charged_back_minor - row.fee_minor - row.dispute_fee_minor,
  ),
  merchantId: row.merchant_id,
  userId: row.user_id,
  reference: row.reference,
  description: row.description,
  statementDescriptor: row.statement_descriptor,
  returnUrl: row.return_url,
  paymentMethod: paymentMethodOf(row),
  acquirer: row.acquirer,
  acquirerReference: row.acquirer_reference,
  lastError: row.last_error && failureOf(row.last_error),
  nextAction: row.action && { type: 'redirect', redirectUrl: row.action.url, expiresAt: row.action.expiresAt },
  processing:
    row.status === 'PROCESSING'
      ? {
          reason: row.unanswered_reason ?? '',
          attempts: plan?.inquiries ?? 0,
          nextInquiryAt: timeOf(plan?.next_recovery_at ?? null),
        }
      : null,
  metadata: row.metadata,
  version: Number(row.version),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  authorizedAt: timeOf(row.authorized_at),
  capturedAt: timeOf(row.captured_at),
  canceledAt: timeOf(row.canceled_at),
  expiresAt: timeOf(row.expires_at),
  expiredAt: timeOf(row.expired_at),
});

/** Why, is for staff: whoever knows the rules knows how to get around them. */
export const fraudView = ({ fraud }: PaymentRow, forStaff: boolean): PaymentDetailResponse['fraud'] =>
  fraud && {
    decisionId: fraud.decisionId,
    outcome: fraud.outcome,
    reviewId: fraud.reviewId,
    decideBy: fraud.decideBy,
    policy: fraud.policy,
    ...(forStaff ? { score: fraud.score, reasons: [...fraud.reasons], rulesVersion: fraud.rulesVersion } : {}),
  };

export const settlementView = (row: SettlementRow): PaymentDetailResponse['settlements'][number] => ({
  settlementId: row.settlement_id,
  acquirer: row.acquirer,
  gross: minorToJson(row.gross_minor),
  fee: minorToJson(row.fee_minor),
  net: minorToJson(row.net_minor),
  settledAt: row.settled_at.toISOString(),
});

export const viewOf = (payment: Payment): PaymentResponse => paymentView(paymentRowOf(payment));

/** The payment as the answer of a command: 202 while an acquirer, the payer, or people have not answered. */
export const paymentAnswer = (payment: Payment, status: 200 | 201): Answer => ({
  status: ['PROCESSING', 'REQUIRES_ACTION', 'IN_REVIEW'].includes(statusOf(payment)) ? 202 : status,
  body: viewOf(payment),
  headers: { etag: entityTag(payment.version) },
});

const RESULT_OF = { PENDING: 'PENDING', SUCCEEDED: 'REFUNDED', FAILED: 'FAILED' } as const;

/** The answer of a refund (checklist C14, C15): `status` as the documents print it, the refund's own state beside it. */
export const refundAnswer = (payment: Payment, refund: RefundOperation): Answer => {
  const refundStatus = REFUND_STATUS_OF[refund.state];
  const body: RefundResultResponse = {
    refundId: refund.id,
    paymentId: payment.paymentId,
    status: RESULT_OF[refundStatus],
    refundStatus,
    paymentStatus: statusOf(payment),
    refundedAmount: minorToJson(refund.amountMinor),
    currency: payment.currency,
    reason: refund.reason,
    metadata: refund.metadata,
    createdAt: refund.startedAt.toISOString(),
  };
  return { status: refundStatus === 'PENDING' ? 202 : 200, body };
};

export const refundView = (row: RefundRow): RefundResponse => ({
  refundId: row.id,
  paymentId: row.payment_id,
  merchantId: row.merchant_id,
  status: row.status,
  amount: minorToJson(row.amount),
  currency: row.currency,
  reason: row.reason,
  failure: row.failure && failureOf(row.failure),
  metadata: row.metadata,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});
