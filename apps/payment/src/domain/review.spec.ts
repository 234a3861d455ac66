import { describe, expect, it } from '@jest/globals';

import {
  attemptId,
  authorizing,
  canceling,
  captureId,
  created,
  deciding,
  given,
  judgement,
  NEXT_WEEK,
  NOON,
} from '../../test/histories.js';
import { statusOf } from './payment.js';
import { decideReview, judgeAgain } from './review.js';

const UNJUDGED = { ...judgement('REVIEW'), decisionId: null, reviewId: null, policy: 'review' } as const;
const underReview = [created(), authorizing(true, ['sim'], judgement('REVIEW'))];
const waiting = [created(), authorizing(true, ['sim'], UNJUDGED)];
const authorization = { at: NOON, attemptId: attemptId(), route: ['sim', 'sim2'], saleCaptureId: captureId() };
const approval = { ...authorization, reviewId: 'frv_1', outcome: 'ALLOW', decidedBy: 'usr_1' } as const;
const NOTHING_DUE = { ok: false, refusal: { code: 'nothing_due' } };

describe('a review', () => {
  it('that is approved lets the authorization go on as it was asked for', () => {
    const payment = given(...underReview, deciding('ALLOW'));
    expect(statusOf(payment)).toBe('PENDING');
    expect(payment.operations).toMatchObject([
      { kind: 'authorize', state: 'requested', amountMinor: 1000n, saleCaptureId: captureId() },
    ]);
  });

  it('that is rejected fails the payment', () => {
    const payment = given(...underReview, deciding('BLOCK'));
    expect(statusOf(payment)).toBe('FAILED');
    expect(payment).toMatchObject({ operations: [], lastError: { code: 'fraud_rejected' } });
  });

  it('that is approved when no acquirer takes the payment any more fails it', () => {
    expect(decideReview(given(...underReview), { ...approval, route: [] })).toMatchObject({
      ok: true,
      events: [{ type: 'ReviewClosed' }, { type: 'PaymentRejected', failure: { code: 'payment_not_routable' } }],
    });
  });

  it.each([
    ['was approved', [...underReview, deciding('ALLOW')]],
    ['was rejected', [...underReview, deciding('BLOCK')]],
    ['was canceled', [...underReview, canceling()]],
    ['was never opened', [created()]],
  ] as const)('that %s is not decided again', (_why, steps) => {
    expect(decideReview(given(...steps), approval)).toEqual(NOTHING_DUE);
  });

  it('of another id is not this one', () => {
    expect(decideReview(given(...underReview), { ...approval, reviewId: 'frv_2' })).toEqual(NOTHING_DUE);
  });

  it('that fraud opened although payment had not waited for it is decided by its people', () => {
    expect(decideReview(given(...waiting), approval)).toMatchObject({ ok: true });
  });
});

describe('a payment that waits until fraud is back', () => {
  it.each([
    ['ALLOW', 'PENDING'],
    ['BLOCK', 'FAILED'],
    ['REVIEW', 'IN_REVIEW'],
  ] as const)('is judged: %s makes it %s', (outcome, status) => {
    const again = (payment: ReturnType<typeof given>) => {
      const decision = judgeAgain(payment, { ...authorization, judgement: judgement(outcome) });
      if (!decision.ok) throw new Error('given: it waits');
      return decision.events;
    };
    const payment = given(...waiting, again);
    expect(statusOf(payment)).toBe(status);
    expect(payment.fraud).toMatchObject({ decisionId: 'fd_1', outcome, policy: null });
    if (outcome === 'REVIEW') expect(payment.review).toMatchObject({ reviewId: 'frv_1', decideBy: NEXT_WEEK });
  });

  it('is judged once: people who look at it are not overruled', () => {
    const again = { ...authorization, judgement: judgement('BLOCK') };
    expect(judgeAgain(given(...underReview), again)).toEqual(NOTHING_DUE);
    expect(judgeAgain(given(...waiting, canceling()), again)).toEqual(NOTHING_DUE);
  });
});
