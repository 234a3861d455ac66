import { describe, expect, it } from '@jest/globals';
import { Stripe } from 'stripe';

import {
  attemptId,
  authorizing,
  captureId,
  capturing,
  created,
  given,
  NOON,
  outcome,
} from '../../../test/histories.js';
import { operationOf } from '../../domain/payment.js';
import { NotAnsweredError } from './stripe-http.js';
import { outcomeOfError, outcomeOfIntent, outcomeOfRefund } from './stripe-outcome.js';

const payment = given(
  created(),
  authorizing(),
  outcome(attemptId(), { kind: 'approved', acquirerReference: 'pi_1' }),
  capturing(1, null, true),
);
const attempt = operationOf(payment, attemptId());
const capture = operationOf(payment, captureId());
if (!attempt || !capture) throw new Error('given: an attempt and a capture');

/** As the SDK makes it from an answer. */
const answered = (statusCode: number, error: Readonly<Record<string, unknown>>): unknown =>
  Stripe.errors.generateV1Error({ message: 'as Stripe says', ...error, statusCode });
const unanswered = (detail: unknown): unknown =>
  new Stripe.errors.StripeConnectionError({ message: 'connection', detail } as never);

describe('an error of Stripe', () => {
  it.each<[string, unknown, Readonly<Record<string, unknown>>]>([
    [
      'the issuer says no',
      answered(402, {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'insufficient_funds',
        advice_code: 'try_again_later',
      }),
      {
        kind: 'declined',
        code: 'card_declined',
        declineCode: 'insufficient_funds',
        adviceCode: 'try_again_later',
        technical: false,
      },
    ],
    [
      'the card is expired',
      answered(402, { type: 'card_error', code: 'expired_card' }),
      { kind: 'declined', declineCode: 'expired_card', adviceCode: null, technical: false },
    ],
    [
      'advice that we do not know',
      answered(402, { type: 'card_error', code: 'card_declined', decline_code: 'fraudulent', advice_code: 'pray' }),
      { kind: 'declined', declineCode: 'fraudulent', adviceCode: null, technical: false },
    ],
    [
      'Stripe could not process it',
      answered(402, { type: 'card_error', code: 'processing_error' }),
      { kind: 'declined', declineCode: 'processing_error', technical: true },
    ],
    [
      'too many requests',
      answered(429, { type: 'invalid_request_error', code: 'rate_limit' }),
      { kind: 'not_sent', reason: 'acquirer_busy' },
    ],
    ['a wrong key', answered(401, { type: 'invalid_request_error' }), { kind: 'not_sent', reason: 'acquirer_refused' }],
    ['a key without the right', answered(403, { type: 'invalid_request_error' }), { reason: 'acquirer_refused' }],
    [
      "another account's object",
      answered(404, { type: 'invalid_request_error', code: 'resource_missing' }),
      { kind: 'not_sent', reason: 'acquirer_refused' },
    ],
    [
      'a key used for another request',
      answered(400, { type: 'idempotency_error' }),
      { kind: 'unanswered', reason: 'acquirer_conflict' },
    ],
    [
      'a key whose request is on its way',
      answered(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }),
      { kind: 'unanswered', reason: 'acquirer_conflict' },
    ],
    [
      'a request it will not do',
      answered(400, { type: 'invalid_request_error', code: 'amount_too_large' }),
      { kind: 'declined', code: 'acquirer_refused', adviceCode: 'do_not_try_again', technical: false },
    ],
    ['an error over there', answered(500, { type: 'api_error' }), { kind: 'unanswered', reason: 'acquirer_error' }],
    ['an unknown status', answered(302, { type: 'api_error' }), { kind: 'unanswered', reason: 'acquirer_error' }],
    [
      'no connection',
      unanswered(new NotAnsweredError({ kind: 'not_sent', reason: 'acquirer_unreachable' })),
      { kind: 'not_sent', reason: 'acquirer_unreachable' },
    ],
    [
      'no answer in time',
      unanswered(new NotAnsweredError({ kind: 'unanswered', reason: 'no_answer' })),
      { kind: 'unanswered', reason: 'no_answer' },
    ],
    ['a connection that the SDK lost', unanswered(new Error('socket')), { kind: 'unanswered', reason: 'no_answer' }],
    ['anything else', new TypeError('a bug'), { kind: 'unanswered', reason: 'unintelligible_answer' }],
  ])('%s', (_, error, expected) => {
    expect(outcomeOfError(error, attempt)).toMatchObject(expected);
  });

  it('is named after the operation that was refused', () => {
    expect(outcomeOfError(answered(402, { type: 'card_error', code: 'card_declined' }), capture)).toMatchObject({
      code: 'capture_declined',
    });
  });
});

const intent = (over: Readonly<Record<string, unknown>>): Stripe.PaymentIntent =>
  ({
    id: 'pi_1',
    currency: 'usd',
    amount: 1000,
    amount_capturable: 0,
    amount_received: 0,
    metadata: {},
    next_action: null,
    last_payment_error: null,
    ...over,
  }) as unknown as Stripe.PaymentIntent;

describe('a payment intent, as to its attempt', () => {
  it.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>]>([
    ['holds it all', { status: 'requires_capture', amount_capturable: 1000 }, { kind: 'approved' }],
    [
      'holds a part',
      { status: 'requires_capture', amount_capturable: 400 },
      { kind: 'partially_approved', amountMinor: 400n },
    ],
    [
      'held it all, and a part is captured',
      { status: 'requires_capture', amount_capturable: 600, amount_received: 400 },
      { kind: 'approved' },
    ],
    ['was captured since', { status: 'succeeded', amount_received: 1000 }, { kind: 'approved' }],
    [
      'holds another amount',
      { status: 'requires_capture', amount_capturable: 2000 },
      { reason: 'unintelligible_answer' },
    ],
    [
      'is of another currency',
      { status: 'requires_capture', amount_capturable: 1000, currency: 'eur' },
      { reason: 'unintelligible_answer' },
    ],
    ['is not decided', { status: 'processing' }, { kind: 'unanswered', reason: 'acquirer_pending' }],
    [
      'waits for the payer',
      { status: 'requires_action', next_action: { redirect_to_url: { url: 'https://bank.example' } } },
      { kind: 'action_required', url: 'https://bank.example', expiresAt: new Date(NOON.getTime() + 3_600_000) },
    ],
    [
      'waits for something that we cannot show him',
      { status: 'requires_action', next_action: { type: 'use_stripe_sdk' } },
      { kind: 'unanswered', reason: 'unintelligible_answer' },
    ],
    [
      'failed in the challenge',
      { status: 'requires_payment_method', last_payment_error: { code: 'payment_intent_authentication_failure' } },
      { kind: 'declined', declineCode: 'payment_intent_authentication_failure' },
    ],
    [
      'only takes the place of an attempt that was reversed',
      { status: 'requires_payment_method' },
      { kind: 'declined', declineCode: 'reversed' },
    ],
    ['is canceled since: it was approved all the same', { status: 'canceled' }, { kind: 'approved' }],
    ['has a status that is new', { status: 'requires_patience' }, { reason: 'unintelligible_answer' }],
  ])('%s', (_, over, expected) => {
    expect(outcomeOfIntent(intent(over), payment, attempt)).toMatchObject(expected);
  });

  it('was canceled in the place of an attempt that never was approved', () => {
    const open = { ...attempt, state: 'unanswered' } as const;
    expect(outcomeOfIntent(intent({ status: 'canceled' }), payment, open)).toMatchObject({
      kind: 'declined',
      declineCode: 'reversed',
      technical: false,
    });
  });
});

describe('a refund at Stripe', () => {
  it.each([
    ['succeeded', { kind: 'approved', acquirerReference: 're_1' }],
    ['pending', { kind: 'unanswered', reason: 'acquirer_pending' }],
    ['requires_action', { kind: 'unanswered', reason: 'acquirer_pending' }],
    ['failed', { kind: 'declined', code: 'refund_declined', declineCode: 'lost_or_stolen_card' }],
    ['canceled', { kind: 'declined', declineCode: 'lost_or_stolen_card' }],
    [null, { kind: 'unanswered', reason: 'unintelligible_answer' }],
  ])('%s', (status, expected) => {
    const refund = { id: 're_1', status, failure_reason: 'lost_or_stolen_card' } as unknown as Stripe.Refund;
    expect(outcomeOfRefund(refund)).toMatchObject(expected);
  });
});
