import { type AttemptId, type CaptureId, currencyOf, type FeeTerms, type RefundId, type VoidId } from '@payflow/kernel';

import { authorize } from '../src/domain/authorize.js';
import { cancel } from '../src/domain/cancel.js';
import { capture } from '../src/domain/capture.js';
import type { AcquirerOutcome } from '../src/domain/commands.js';
import { create } from '../src/domain/create.js';
import type { PaymentEvent } from '../src/domain/events.js';
import { fold } from '../src/domain/evolve.js';
import type { Judgement } from '../src/domain/judgement.js';
import { type Payment, type PaymentMethod } from '../src/domain/payment.js';
import { recordOutcome } from '../src/domain/record-outcome.js';
import { refund } from '../src/domain/refund.js';
import { decideReview } from '../src/domain/review.js';

/** Histories made by the decisions themselves, so that no test starts from a state that cannot be. */
export const NOON = new Date('2026-02-07T12:00:00.000Z');
export const NEXT_WEEK = new Date('2026-02-14T12:00:00.000Z');
export const TERMS: FeeTerms = { basisPoints: 290, fixedMinor: 30n };

const suffix = (n: number): string => `01kxyz6w3hf8btq2v9m4n7${String(n).padStart(4, '0')}`;
export const attemptId = (n = 1): AttemptId => `att_${suffix(n)}`;
export const captureId = (n = 1): CaptureId => `cap_${suffix(n)}`;
export const refundId = (n = 1): RefundId => `ref_${suffix(n)}`;
export const voidId = (n = 1): VoidId => `vod_${suffix(n)}`;

export const VISA: PaymentMethod = {
  type: 'card',
  token: 'tok_abcdef',
  brand: 'visa',
  last4: '4242',
  fingerprint: 'fp_1',
};

const usd = currencyOf('USD');
if (!usd) throw new Error('USD is a currency');

interface Decided {
  readonly ok: boolean;
}
const eventsOf = (decision: Decided): readonly PaymentEvent[] => {
  if (!decision.ok) throw new Error(`given: ${JSON.stringify(decision)}`);
  return (decision as Decided & { readonly events: readonly PaymentEvent[] }).events;
};

export type Step = (payment: Payment) => readonly PaymentEvent[];

/** The events that these steps lead to, one after the other. */
export const history = (...steps: readonly Step[]): readonly PaymentEvent[] =>
  steps.reduce<readonly PaymentEvent[]>((events, step) => [...events, ...step(fold(events))], []);

/** The payment after these steps. */
export const given = (...steps: readonly Step[]): Payment => fold(history(...steps));

export const created =
  (amountMinor = 1000n): Step =>
  () =>
    eventsOf(
      create({
        at: NOON,
        paymentId: `pay_${suffix(1)}`,
        merchantId: `mer_${suffix(1)}`,
        userId: null,
        amountMinor,
        currency: usd,
        reference: null,
        description: null,
        statementDescriptor: null,
        returnUrl: null,
        metadata: { orderId: 'ord_123' },
        clientSecretHash: null,
        capture: false,
      }),
    );

/** What fraud says of a payment. */
export const judgement = (outcome: Judgement['outcome']): Judgement => {
  const check = { decisionId: 'fd_1', score: 50, reasons: [], rulesVersion: 1, policy: null };
  return outcome === 'REVIEW' ? { ...check, outcome, reviewId: 'frv_1', decideBy: NEXT_WEEK } : { ...check, outcome };
};

export const authorizing =
  (sale = false, route: readonly string[] = ['sim'], judged?: Judgement): Step =>
  (payment) =>
    eventsOf(
      authorize(payment, {
        at: NOON,
        attemptId: attemptId(),
        route,
        paymentMethod: VISA,
        saleCaptureId: sale ? captureId() : null,
        judgement: judged,
      }),
    );

export const deciding =
  (outcome: 'ALLOW' | 'BLOCK'): Step =>
  (payment) =>
    eventsOf(
      decideReview(payment, {
        at: NOON,
        reviewId: 'frv_1',
        outcome,
        decidedBy: 'usr_1',
        attemptId: attemptId(),
        route: ['sim'],
        saleCaptureId: payment.review?.sale ? captureId() : null,
      }),
    );

export const outcome =
  (operationId: string, answer: AcquirerOutcome): Step =>
  (payment) =>
    eventsOf(
      recordOutcome(payment, {
        at: NOON,
        operationId,
        outcome: answer,
        perhapsSentBefore: false,
        feeTerms: TERMS,
        expiresAt: NEXT_WEEK,
        nextAttemptId: attemptId(2),
        reversalId: voidId(8),
      }),
    );

export const APPROVED: AcquirerOutcome = { kind: 'approved', acquirerReference: 'auth_1' };
export const DECLINED: AcquirerOutcome = {
  kind: 'declined',
  code: 'card_declined',
  declineCode: 'insufficient_funds',
  adviceCode: null,
  message: 'The card has insufficient funds.',
  technical: false,
};
export const TECHNICAL: AcquirerOutcome = {
  kind: 'declined',
  code: 'card_declined',
  declineCode: 'processing_error',
  adviceCode: 'try_again_later',
  message: 'The acquirer could not process it.',
  technical: true,
};
export const PARTLY: AcquirerOutcome = { kind: 'partially_approved', acquirerReference: 'auth_1', amountMinor: 400n };
export const CHALLENGE_URL = 'https://acquirer.example/challenges/1';
export const CHALLENGED: AcquirerOutcome = { kind: 'action_required', url: CHALLENGE_URL, expiresAt: NEXT_WEEK };
export const SILENT: AcquirerOutcome = { kind: 'unanswered', reason: 'no_answer' };
export const NOT_SENT: AcquirerOutcome = { kind: 'not_sent', reason: 'acquirer_unreachable' };

export const capturing =
  (n: number, amountMinor: bigint | null, final: boolean): Step =>
  (payment) =>
    eventsOf(capture(payment, { at: NOON, captureId: captureId(n), amountMinor, final, metadata: {} }));

export const canceling =
  (n = 1): Step =>
  (payment) =>
    eventsOf(cancel(payment, { at: NOON, voidId: voidId(n), reason: null, metadata: {} }));

export const refunding =
  (n: number, amountMinor: bigint | null): Step =>
  (payment) =>
    eventsOf(refund(payment, { at: NOON, refundId: refundId(n), amountMinor, reason: null, metadata: {} }));

export const authorized = (amountMinor = 1000n): readonly Step[] => [
  created(amountMinor),
  authorizing(),
  outcome(attemptId(), APPROVED),
];

export const captured = (amountMinor = 1000n): readonly Step[] => [
  ...authorized(amountMinor),
  capturing(1, null, true),
  outcome(captureId(1), APPROVED),
];
