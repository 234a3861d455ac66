import { describe, expect, it } from '@jest/globals';

import {
  attemptId,
  authorizing,
  canceling,
  captureId,
  created,
  given,
  judgement,
  NEXT_WEEK,
  NOON,
  VISA,
} from '../../test/histories.js';
import { authorize } from './authorize.js';
import { unjudged } from './fraud.js';
import { statusOf } from './payment.js';

const command = { at: NOON, attemptId: attemptId(), route: ['sim'], paymentMethod: VISA, saleCaptureId: captureId() };

describe('authorize, when fraud', () => {
  it('lets the payment through: the decision stands in the history before the order', () => {
    const decision = authorize(given(created()), { ...command, judgement: judgement('ALLOW') });
    expect(decision).toMatchObject({
      ok: true,
      events: [{ type: 'FraudDecided' }, { type: 'AuthorizationRequested' }],
    });
  });

  it('blocks it: it has failed, and no acquirer is asked', () => {
    const payment = given(created(), authorizing(false, ['sim'], judgement('BLOCK')));
    expect(statusOf(payment)).toBe('FAILED');
    expect(payment).toMatchObject({ operations: [], lastError: { code: 'fraud_blocked' }, paymentMethod: VISA });
  });

  it('wants people to look: it is IN_REVIEW, and no acquirer is asked', () => {
    const payment = given(created(), authorizing(true, ['sim'], judgement('REVIEW')));
    expect(statusOf(payment)).toBe('IN_REVIEW');
    expect(payment).toMatchObject({
      operations: [],
      review: { reviewId: 'frv_1', decideBy: NEXT_WEEK, sale: true, open: true },
    });
  });

  it.each([
    ['FAILED', [created(), authorizing(false, ['sim'], judgement('BLOCK'))]],
    ['IN_REVIEW', [created(), authorizing(false, ['sim'], judgement('REVIEW'))]],
    ['CANCELED', [created(), authorizing(false, ['sim'], judgement('REVIEW')), canceling()]],
  ] as const)('has made it %s, it cannot be authorized again', (status, steps) => {
    expect(authorize(given(...steps), command)).toEqual({
      ok: false,
      refusal: { code: 'payment_not_authorizable', status },
    });
  });
});

describe('while fraud does not answer', () => {
  const tomorrow = new Date('2026-02-08T12:00:00.000Z');
  const waits = { outcome: 'REVIEW', reviewId: null, decideBy: tomorrow };
  it.each([
    ['refuse', 0n, 1n, { outcome: 'BLOCK' }],
    ['review', 1000n, 1n, waits],
    ['allow_under', 1000n, 1000n, { outcome: 'ALLOW' }],
    ['allow_under', 1000n, 1001n, waits],
    ['allow_under', 0n, 1n, waits],
  ] as const)('the policy %s up to %s makes of %s: %j', (whenDown, amountMaxMinor, amountMinor, expected) => {
    expect(unjudged({ whenDown, amountMaxMinor }, amountMinor, NOON)).toEqual({
      decisionId: null,
      score: 0,
      reasons: [],
      rulesVersion: null,
      policy: whenDown,
      ...expected,
    });
  });

  it('a refused payment says that it may be tried later', () => {
    const refused = unjudged({ whenDown: 'refuse', amountMaxMinor: 0n }, 1000n, NOON);
    expect(given(created(), authorizing(false, ['sim'], refused)).lastError).toMatchObject({
      code: 'fraud_unavailable',
      adviceCode: 'try_again_later',
    });
  });
});
