import { describe, expect, it } from '@jest/globals';

import {
  APPROVED,
  attemptId,
  authorized,
  authorizing,
  canceling,
  captured,
  captureId,
  capturing,
  created,
  DECLINED,
  given,
  NEXT_WEEK,
  NOON,
  outcome,
  SILENT,
  voidId,
} from '../../test/histories.js';
import { capture } from './capture.js';
import { capturableMinor, capturedMinor, statusOf } from './payment.js';

const order = (amountMinor: bigint | null, final = true, at = NOON) => ({
  at,
  captureId: captureId(9),
  amountMinor,
  final,
  metadata: {},
});

describe('capture', () => {
  it('takes all that is left when no amount is named', () => {
    const decision = capture(given(...authorized(1000n)), order(null));
    expect(decision).toMatchObject({
      ok: true,
      events: [{ type: 'CaptureRequested', amountMinor: 1000n, final: true }],
    });
  });

  it('releases the rest with a final partial capture: CAPTURED', () => {
    const payment = given(...authorized(1000n), capturing(1, 600n, true), outcome(captureId(1), APPROVED));
    expect([statusOf(payment), capturedMinor(payment), capturableMinor(payment)]).toEqual(['CAPTURED', 600n, 0n]);
  });

  it('keeps the rest capturable while not final: PARTIALLY_CAPTURED, and CAPTURED once everything is taken', () => {
    const first = [...authorized(1000n), capturing(1, 600n, false), outcome(captureId(1), APPROVED)];
    expect(statusOf(given(...first))).toBe('PARTIALLY_CAPTURED');
    const both = given(...first, capturing(2, 400n, false), outcome(captureId(2), APPROVED));
    expect([statusOf(both), capturedMinor(both), capturableMinor(both)]).toEqual(['CAPTURED', 1000n, 0n]);
  });

  it('counts a capture under way as taken', () => {
    expect(capturableMinor(given(...authorized(1000n), capturing(1, 600n, false)))).toBe(400n);
  });

  it('has the amount back when the acquirer declines the capture', () => {
    const payment = given(...authorized(1000n), capturing(1, 600n, true), outcome(captureId(1), DECLINED));
    expect([statusOf(payment), capturableMinor(payment)]).toEqual(['AUTHORIZED', 1000n]);
  });

  describe('refusals, in the order in which they are checked', () => {
    const expired = new Date(NEXT_WEEK.getTime());
    it.each([
      ['amount_not_positive', 'zero, even of an intent', [created()], order(0n)],
      ['payment_not_capturable', 'an intent', [created()], order(null)],
      ['payment_not_capturable', 'an authorization under way', [created(), authorizing()], order(null)],
      [
        'payment_not_capturable',
        'a silent acquirer',
        [created(), authorizing(), outcome(attemptId(), SILENT)],
        order(null),
      ],
      ['payment_not_capturable', 'a decline', [created(), authorizing(), outcome(attemptId(), DECLINED)], order(null)],
      ['payment_not_capturable', 'everything captured, even for too much', captured(1000n), order(5000n)],
      ['payment_not_capturable', 'a void under way', [...authorized(), canceling()], order(100n)],
      [
        'payment_not_capturable',
        'a canceled payment',
        [...authorized(), canceling(), outcome(voidId(), APPROVED)],
        order(1n),
      ],
      ['authorization_expired', 'an expired hold, even for too much', authorized(1000n), order(5000n, true, expired)],
      ['capture_exceeds_authorization', 'more than is held', authorized(1000n), order(1001n)],
      [
        'capture_exceeds_authorization',
        'more than is left, whatever is under way',
        [...authorized(1000n), capturing(1, 600n, false)],
        order(1001n),
      ],
      [
        'capture_in_progress',
        'the twin of a full capture',
        [...authorized(1000n), capturing(1, null, true)],
        order(1000n),
      ],
      [
        'capture_in_progress',
        'what a capture under way may take',
        [...authorized(1000n), capturing(1, 600n, false)],
        order(500n, false),
      ],
      [
        'capture_in_progress',
        'anything beside a final capture',
        [...authorized(1000n), capturing(1, 600n, true)],
        order(100n, false),
      ],
      [
        'capture_in_progress',
        'a final capture beside another',
        [...authorized(1000n), capturing(1, 600n, false)],
        order(400n, true),
      ],
    ] as const)('%s: %s', (code, _what, steps, command) => {
      expect(capture(given(...steps), command)).toMatchObject({ ok: false, refusal: { code } });
    });
  });

  it('lets two captures that are not final run side by side', () => {
    expect(capture(given(...authorized(1000n), capturing(1, 600n, false)), order(400n, false)).ok).toBe(true);
  });
});
