import { describe, expect, it } from '@jest/globals';

import {
  APPROVED,
  authorized,
  captured,
  captureId,
  capturing,
  created,
  DECLINED,
  given,
  NOON,
  outcome,
  refundId,
  refunding,
  SILENT,
} from '../../test/histories.js';
import { refundableMinor, refundedMinor, statusOf } from './payment.js';
import { refund } from './refund.js';

const order = (amountMinor: bigint | null) => ({
  at: NOON,
  refundId: refundId(9),
  amountMinor,
  reason: 'customer_request',
  metadata: {},
});

describe('refund', () => {
  it('gives back all that is left when no amount is named', () => {
    const half = [...captured(1000n), refunding(1, 300n), outcome(refundId(1), APPROVED)];
    expect(refund(given(...half), order(null))).toMatchObject({ ok: true, events: [{ amountMinor: 700n }] });
  });

  it('is PARTIALLY_REFUNDED, then REFUNDED', () => {
    const half = [...captured(1000n), refunding(1, 300n), outcome(refundId(1), APPROVED)];
    expect(statusOf(given(...half))).toBe('PARTIALLY_REFUNDED');
    expect(statusOf(given(...half, refunding(2, 700n), outcome(refundId(2), APPROVED)))).toBe('REFUNDED');
  });

  it('leaves the payment as it was while the acquirer is silent, and counts the amount', () => {
    const payment = given(...captured(1000n), refunding(1, 300n), outcome(refundId(1), SILENT));
    expect([statusOf(payment), refundableMinor(payment), refundedMinor(payment)]).toEqual(['CAPTURED', 700n, 0n]);
  });

  it('has the amount back when the refund fails', () => {
    const payment = given(...captured(1000n), refunding(1, 300n), outcome(refundId(1), DECLINED));
    expect([statusOf(payment), refundableMinor(payment)]).toEqual(['CAPTURED', 1000n]);
  });

  it('does not end a hold that has something left: a refunded partial capture can be followed by another capture', () => {
    const returned = [
      ...authorized(1000n),
      capturing(1, 600n, false),
      outcome(captureId(1), APPROVED),
      refunding(1, 600n),
      outcome(refundId(1), APPROVED),
    ];
    expect(statusOf(given(...returned))).toBe('PARTIALLY_REFUNDED');
    const payment = given(...returned, capturing(2, 400n, true), outcome(captureId(2), APPROVED));
    expect([statusOf(payment), refundableMinor(payment)]).toEqual(['PARTIALLY_REFUNDED', 400n]);
  });

  it.each([
    ['amount_not_positive', 'zero, even of an intent', [created()], order(0n)],
    ['payment_not_refundable', 'an intent', [created()], order(null)],
    ['payment_not_refundable', 'nothing captured yet, even for too much', authorized(1000n), order(5000n)],
    ['payment_not_refundable', 'a capture under way', [...authorized(1000n), capturing(1, null, true)], order(1n)],
    ['refund_exceeds_captured', 'more than was captured', captured(1000n), order(1001n)],
    [
      'refund_exceeds_captured',
      'more than is left beside a pending refund',
      [...captured(1000n), refunding(1, 600n)],
      order(500n),
    ],
    ['refund_exceeds_captured', 'nothing left', [...captured(1000n), refunding(1, null)], order(null)],
  ] as const)('%s: %s', (code, _what, steps, command) => {
    expect(refund(given(...steps), command)).toMatchObject({ ok: false, refusal: { code } });
  });
});
