import { Stripe } from 'stripe';

import type { AcquirerOutcome } from '../../domain/commands.js';
import type { CaptureOperation, Operation, Payment, VoidOperation } from '../../domain/payment.js';
import { fromStripeAmount } from './stripe-amount.js';
import { NotAnsweredError } from './stripe-http.js';

/** Our reference of the attempt (on a payment intent) or of the refund. */
export const REFERENCE = 'payflow_reference';
export const PAYMENT = 'payflow_payment';

/** Stripe names no time at which a challenge ends; after this it is reversed. Stripe's own pages live shorter. */
const CHALLENGE_LIFETIME_MS = 60 * 60_000;

const UNINTELLIGIBLE: AcquirerOutcome = { kind: 'unanswered', reason: 'unintelligible_answer' };
const PENDING: AcquirerOutcome = { kind: 'unanswered', reason: 'acquirer_pending' };

const ADVICE: ReadonlySet<string> = new Set(['do_not_try_again', 'try_again_later', 'confirm_card_data']);
/** Stripe could not process it and holds nothing: no issuer has said no. */
const TECHNICAL: ReadonlySet<string> = new Set(['processing_error', 'issuer_not_available', 'reenter_transaction']);

interface CardRefusal {
  readonly code?: string | undefined;
  readonly decline_code?: string | undefined;
  readonly advice_code?: string | undefined;
  readonly message?: string | undefined;
}

const declined = (code: string, refusal: CardRefusal): Extract<AcquirerOutcome, { kind: 'declined' }> => {
  // `decline_code` is the issuer's reason; without one (the SDK writes '') an expired card and the like are in `code`.
  const kind = refusal.code === 'card_declined' ? undefined : refusal.code;
  const declineCode = (refusal.decline_code || kind) ?? null;
  const advice = refusal.advice_code;
  return {
    kind: 'declined',
    code,
    declineCode,
    adviceCode: advice !== undefined && ADVICE.has(advice) ? advice : null,
    message: refusal.message ?? 'Declined.',
    technical: declineCode !== null && TECHNICAL.has(declineCode),
  };
};

const refused = (message: string, declineCode: string | null = null): AcquirerOutcome => ({
  kind: 'declined',
  code: 'acquirer_refused',
  declineCode,
  adviceCode: 'do_not_try_again',
  message,
  technical: false,
});

/** What an intent that belongs to an attempt says about it. */
export const outcomeOfIntent = (
  intent: Stripe.PaymentIntent,
  payment: Payment,
  operation: Operation,
): AcquirerOutcome => {
  if (intent.currency.toUpperCase() !== payment.currency) return UNINTELLIGIBLE;
  switch (intent.status) {
    case 'requires_capture':
      return outcomeOfHold(intent, payment, operation, intent.amount_capturable + intent.amount_received);
    case 'succeeded':
      // It was captured since; what was held is what was asked for.
      return outcomeOfHold(intent, payment, operation, intent.amount);
    case 'processing':
      return PENDING;
    case 'requires_action': {
      const url = intent.next_action?.redirect_to_url?.url;
      if (typeof url !== 'string') return UNINTELLIGIBLE;
      return {
        kind: 'action_required',
        url,
        expiresAt: new Date(operation.startedAt.getTime() + CHALLENGE_LIFETIME_MS),
      };
    }
    case 'requires_payment_method':
      return intent.last_payment_error ? declined('card_declined', intent.last_payment_error) : REVERSED;
    case 'canceled':
      // What was approved and is held no longer was approved all the same: by a void of ours, or Stripe let it expire.
      return operation.state === 'approved' ? { kind: 'approved', acquirerReference: intent.id } : REVERSED;
    default:
      return UNINTELLIGIBLE;
  }
};

/** An intent without a payment that failed is what a reversal leaves in the attempt's place: see StripeAcquirer.reverse. */
const REVERSED = refused('The authorization was canceled at Stripe.', 'reversed');

const outcomeOfHold = (
  intent: Stripe.PaymentIntent,
  { currency }: Payment,
  { amountMinor }: Operation,
  held: number,
): AcquirerOutcome => {
  const heldMinor = fromStripeAmount(held, currency);
  const acquirerReference = intent.id;
  if (heldMinor === amountMinor) return { kind: 'approved', acquirerReference };
  return heldMinor !== undefined && heldMinor > 0n && heldMinor < amountMinor
    ? { kind: 'partially_approved', acquirerReference, amountMinor: heldMinor }
    : UNINTELLIGIBLE;
};

/** A capture leaves its id on the intent, in the same request: that is how it is found again. */
export const isCaptured = (intent: Stripe.PaymentIntent, { id }: CaptureOperation): boolean => id in intent.metadata;

export const outcomeOfCapture = (intent: Stripe.PaymentIntent, operation: CaptureOperation): AcquirerOutcome => {
  if (intent.status === 'processing') return PENDING;
  return isCaptured(intent, operation) && (intent.status === 'succeeded' || intent.status === 'requires_capture')
    ? { kind: 'approved', acquirerReference: intent.id }
    : UNINTELLIGIBLE;
};

/** Undefined while the intent still holds something. What was captured is no longer held, but cannot be reversed either. */
export const outcomeOfCancel = (
  intent: Stripe.PaymentIntent,
  operation: VoidOperation,
): AcquirerOutcome | undefined => {
  if (intent.status === 'processing') return PENDING;
  if (intent.status !== 'canceled' && intent.status !== 'succeeded') return undefined;
  return operation.reverses !== null && intent.amount_received > 0
    ? refused('The authorization has been captured.', 'captured')
    : { kind: 'approved', acquirerReference: intent.id };
};

export const outcomeOfRefund = (refund: Stripe.Refund): AcquirerOutcome => {
  switch (refund.status) {
    case 'succeeded':
      return { kind: 'approved', acquirerReference: refund.id };
    case 'pending':
    case 'requires_action':
      return PENDING;
    case 'failed':
    case 'canceled':
      return {
        kind: 'declined',
        code: 'refund_declined',
        declineCode: refund.failure_reason ?? refund.status,
        adviceCode: null,
        message: 'Stripe could not give the money back.',
        technical: false,
      };
    default:
      return UNINTELLIGIBLE;
  }
};

const CONFLICT = 409;
const NOT_FOUND = 404;

/** Our access to Stripe is refused: nothing happened, and somebody has to mend it. */
export const isAccessRefused = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeAuthenticationError ||
  error instanceof Stripe.errors.StripePermissionError ||
  (error instanceof Stripe.errors.StripeInvalidRequestError && error.statusCode === NOT_FOUND);

/** A key that was used for another request, or whose request is on its way: an earlier try of ours arrived. */
export const isKeyTaken = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeIdempotencyError ||
  (error instanceof Stripe.errors.StripeError &&
    (error.rawType === 'idempotency_error' || error.statusCode === CONFLICT));

/**
 * What an error of the SDK says about an order. The table of docs/acquirers.md; the order matters, since the SDK's classes
 * are made from statuses and not every class says one thing.
 */
export const outcomeOfError = (error: unknown, operation: Operation): AcquirerOutcome => {
  const { errors } = Stripe;
  if (error instanceof errors.StripeConnectionError)
    return error.detail instanceof NotAnsweredError
      ? error.detail.outcome
      : { kind: 'unanswered', reason: 'no_answer' };
  if (isKeyTaken(error)) return { kind: 'unanswered', reason: 'acquirer_conflict' };
  if (error instanceof errors.StripeCardError)
    return declined(operation.kind === 'authorize' ? 'card_declined' : `${operation.kind}_declined`, error);
  if (error instanceof errors.StripeRateLimitError) return { kind: 'not_sent', reason: 'acquirer_busy' };
  if (isAccessRefused(error)) return { kind: 'not_sent', reason: 'acquirer_refused' };
  if (error instanceof errors.StripeInvalidRequestError)
    return refused(`Stripe refused the request: ${error.code ?? 'invalid request'}.`);
  if (error instanceof errors.StripeAPIError) return { kind: 'unanswered', reason: 'acquirer_error' };
  return UNINTELLIGIBLE;
};
