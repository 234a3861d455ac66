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
  CHALLENGE_URL,
  CHALLENGED,
  created,
  DECLINED,
  given,
  history,
  NEXT_WEEK,
  NOON,
  NOT_SENT,
  outcome,
  PARTLY,
  refundId,
  refunding,
  SILENT,
  TECHNICAL,
  TERMS,
  voidId,
} from '../../test/histories.js';
import { capture } from './capture.js';
import type { PaymentEvent } from './events.js';
import { fold } from './evolve.js';
import { expire } from './expire.js';
import { giveUp, markStuck } from './give-up.js';
import { authorizedMinor, capturedMinor, isOpen, type Payment, refundableMinor, statusOf } from './payment.js';
import { recordOutcome } from './record-outcome.js';
import { nextStep } from './saga.js';

type Step = (payment: Payment) => readonly PaymentEvent[];

const REVERSAL = voidId(8);
const accepted = (decision: { readonly ok: boolean }): readonly PaymentEvent[] => {
  if (!decision.ok) throw new Error(JSON.stringify(decision));
  return (decision as unknown as { readonly events: readonly PaymentEvent[] }).events;
};
const expiring: Step = (payment) => accepted(expire(payment, { at: NEXT_WEEK, voidId: voidId(7) }));
const givingUp: Step = (payment) =>
  accepted(giveUp(payment, { at: NOON, operationId: attemptId(), voidId: voidId(7) }));
const typesOf = (events: readonly PaymentEvent[]): readonly string[] => events.map(({ type }) => type);

describe('a challenge', () => {
  it('waits for the payer, and says where he has to go', () => {
    const payment = given(created(), authorizing(), outcome(attemptId(), CHALLENGED));
    expect(statusOf(payment)).toBe('REQUIRES_ACTION');
    expect(payment.operations).toMatchObject([{ state: 'action_required', action: { url: CHALLENGE_URL } }]);
  });

  it('goes on to the capture of a sale when it was passed', () => {
    const payment = given(
      created(),
      authorizing(true),
      outcome(attemptId(), CHALLENGED),
      outcome(attemptId(), APPROVED),
    );
    expect(nextStep(payment, attemptId())?.id).toBe(captureId());
  });

  it.each([SILENT, NOT_SENT, CHALLENGED])('is not forgotten because of other news: %j', (news) => {
    const payment = given(created(), authorizing(), outcome(attemptId(), CHALLENGED), outcome(attemptId(), news));
    expect(statusOf(payment)).toBe('REQUIRES_ACTION');
  });

  it('that failed fails the payment', () => {
    const payment = given(created(), authorizing(), outcome(attemptId(), CHALLENGED), outcome(attemptId(), DECLINED));
    expect(statusOf(payment)).toBe('FAILED');
  });
});

describe('a route of two acquirers', () => {
  const ROUTE = ['sim', 'sim2'];

  it.each([
    ['says that it could not process', TECHNICAL],
    ['was certainly not reached', NOT_SENT],
  ] as const)('goes on to the second when the first %s', (_what, answer) => {
    const payment = given(created(), authorizing(true, ROUTE), outcome(attemptId(), answer));
    expect(statusOf(payment)).toBe('PENDING');
    expect(nextStep(payment, attemptId())).toMatchObject({ id: attemptId(2), acquirer: 'sim2' });
    const paid = fold(
      history(
        created(),
        authorizing(true, ROUTE),
        outcome(attemptId(), answer),
        outcome(attemptId(2), APPROVED),
        outcome(captureId(), APPROVED),
      ),
    );
    expect(statusOf(paid)).toBe('CAPTURED');
    expect(paid.authorization?.acquirer).toBe('sim2');
  });

  it.each([
    ['an issuer who declines', DECLINED],
    ['silence', SILENT],
    ['a partial approval', PARTLY],
  ] as const)('ends at the first with %s', (_what, answer) => {
    const payment = given(created(), authorizing(false, ROUTE), outcome(attemptId(), answer));
    expect(payment.operations.filter(({ kind }) => kind === 'authorize')).toHaveLength(1);
  });

  it('ends at the first when its refusal is learned so late that the payer is gone', () => {
    const waiting = given(created(), authorizing(false, ROUTE), outcome(attemptId(), SILENT));
    const late = recordOutcome(waiting, {
      at: new Date(NOON.getTime() + 3_600_000),
      operationId: attemptId(),
      outcome: TECHNICAL,
      perhapsSentBefore: true,
      feeTerms: TERMS,
      expiresAt: NEXT_WEEK,
      nextAttemptId: attemptId(2),
      reversalId: REVERSAL,
    });
    expect(typesOf(accepted(late))).toEqual(['AuthorizationDeclined', 'PaymentFailed']);
  });

  it('ends when the second refuses too', () => {
    const payment = given(
      created(),
      authorizing(false, ROUTE),
      outcome(attemptId(), TECHNICAL),
      outcome(attemptId(2), TECHNICAL),
    );
    expect(statusOf(payment)).toBe('FAILED');
  });

  it('reverses a late approval of the first, and keeps the second', () => {
    const payment = given(
      created(),
      authorizing(false, ROUTE),
      outcome(attemptId(), TECHNICAL),
      outcome(attemptId(2), APPROVED),
      outcome(attemptId(), { kind: 'approved', acquirerReference: 'auth_0' }),
    );
    expect(statusOf(payment)).toBe('AUTHORIZED');
    expect(authorizedMinor(payment)).toBe(1000n);
    expect(payment.operations.at(-1)).toMatchObject({ kind: 'void', reverses: attemptId(), acquirer: 'sim' });
    const command = { at: NOON, captureId: captureId(3), amountMinor: null, final: true, metadata: {} };
    expect(capture(payment, command).ok).toBe(true);
  });
});

describe('an approval that nobody wants', () => {
  it('is recorded as late_success after a failure, reversed, and leaves the payment FAILED', () => {
    const late = history(
      created(),
      authorizing(true),
      outcome(attemptId(), DECLINED),
      outcome(attemptId(), APPROVED),
      outcome(REVERSAL, APPROVED),
    );
    expect(typesOf(late).slice(-3)).toEqual(['ApprovalUnwanted', 'VoidRequested', 'AttemptReversed']);
    const payment = fold(late);
    expect(statusOf(payment)).toBe('FAILED');
    expect(payment.operations[0]).toMatchObject({ state: 'declined', unwanted: { cause: 'late_success' } });
    expect(authorizedMinor(payment)).toBe(0n);
    expect(payment.operations.some(isOpen)).toBe(false);
  });

  it('is reversed once, however often it is told', () => {
    const once = [created(), authorizing(), outcome(attemptId(), DECLINED), outcome(attemptId(), APPROVED)];
    expect(history(...once, outcome(attemptId(), APPROVED))).toHaveLength(history(...once).length);
  });

  it('of less than was asked fails the payment and is given back', () => {
    const payment = given(created(), authorizing(), outcome(attemptId(), PARTLY));
    expect(statusOf(payment)).toBe('FAILED');
    expect(payment.lastError?.code).toBe('partial_approval');
    expect(nextStep(payment, attemptId())).toMatchObject({ id: REVERSAL, reverses: attemptId(), amountMinor: 400n });
  });

  it('comes after a cancel that the acquirer had confirmed, too', () => {
    const payment = given(
      created(),
      authorizing(),
      outcome(attemptId(), SILENT),
      canceling(9),
      outcome(voidId(9), APPROVED),
      outcome(attemptId(), APPROVED),
    );
    expect(statusOf(payment)).toBe('CANCELED');
    expect(payment.operations.at(-1)).toMatchObject({ cause: 'unwanted_approval', state: 'requested' });
  });
});

describe('time', () => {
  it('expires an authorization: void at the acquirer, then EXPIRED', () => {
    const asked = given(...authorized(), expiring);
    expect(asked.operations.at(-1)).toMatchObject({ kind: 'void', cause: 'expiry', amountMinor: 1000n });
    const over = fold(history(...authorized(), expiring, outcome(voidId(7), APPROVED)));
    expect(statusOf(over)).toBe('EXPIRED');
  });

  it.each([
    ['too early', authorized(), NOON],
    ['captured', captured(), NEXT_WEEK],
    ['being voided', [...authorized(), canceling()], NEXT_WEEK],
    ['being expired', [...authorized(), expiring], NEXT_WEEK],
    ['never authorized', [created()], NEXT_WEEK],
  ] as const)('leaves a payment alone: %s', (_what, steps, at) => {
    expect(expire(given(...steps), { at, voidId: voidId(7) })).toEqual({
      ok: false,
      refusal: { code: 'nothing_due' },
    });
  });

  it('gives an attempt up, and fails the payment only when the acquirer confirmed that nothing is held', () => {
    const waiting = [created(), authorizing(true), outcome(attemptId(), SILENT)] as const;
    const asked = given(...waiting, givingUp);
    expect(statusOf(asked)).toBe('PROCESSING');
    const over = given(...waiting, givingUp, outcome(voidId(7), APPROVED));
    expect(statusOf(over)).toBe('FAILED');
    expect(over.lastError?.code).toBe('authorization_timed_out');
    expect(over.operations.some(isOpen)).toBe(false);
  });

  it('takes what was approved while it was being given up, holds it, and releases it with the reversal', () => {
    const waiting = [created(), authorizing(true), outcome(attemptId(), SILENT), givingUp] as const;
    const approved = given(...waiting, outcome(attemptId(), APPROVED));
    expect(nextStep(approved, attemptId())).toBeUndefined();
    const events = history(...waiting, outcome(attemptId(), APPROVED), outcome(voidId(7), APPROVED));
    expect(events.at(-1)).toMatchObject({ type: 'PaymentCanceled', releasedMinor: 1000n });
    expect(capturedMinor(fold(events))).toBe(0n);
  });

  it('hands an order to people once', () => {
    const waiting = given(created(), authorizing(), outcome(attemptId(), SILENT));
    const command = { at: NOON, operationId: attemptId(), inquiries: 7 };
    const stuck = fold(accepted(markStuck(waiting, command)), waiting);
    expect(statusOf(stuck)).toBe('PROCESSING');
    expect(markStuck(stuck, command).ok).toBe(false);
  });
});

describe('a refund', () => {
  it('that succeeded and then failed is taken back, and its amount is refundable again', () => {
    const events = history(
      ...captured(),
      refunding(1, 400n),
      outcome(refundId(1), APPROVED),
      outcome(refundId(1), DECLINED),
    );
    expect(events.at(-1)).toMatchObject({ type: 'RefundFailed', hadSucceeded: true, amountMinor: 400n });
    expect(refundableMinor(fold(events))).toBe(1000n);
    expect(statusOf(fold(events))).toBe('CAPTURED');
  });
});

describe('what the acquirer refused and did after all', () => {
  it('is taken as captured where the hold has room for it', () => {
    const events = history(
      ...authorized(1000n),
      capturing(1, 600n, false),
      outcome(captureId(1), DECLINED),
      outcome(captureId(1), APPROVED),
    );
    expect(events.at(-1)).toMatchObject({ type: 'PaymentCaptured', amountMinor: 600n, releasedMinor: 600n });
    expect(statusOf(fold(events))).toBe('PARTIALLY_CAPTURED');
    expect(fold(events).operations.at(-1)).toMatchObject({ state: 'approved', failure: null });
  });

  it('is taken as refunded where that much is left to refund', () => {
    const payment = given(
      ...captured(),
      refunding(1, 400n),
      outcome(refundId(1), DECLINED),
      outcome(refundId(1), APPROVED),
    );
    expect(refundableMinor(payment)).toBe(600n);
    expect(statusOf(payment)).toBe('PARTIALLY_REFUNDED');
  });

  it('is taken as voided while nothing takes from the hold', () => {
    const payment = given(...authorized(), canceling(1), outcome(voidId(1), DECLINED), outcome(voidId(1), APPROVED));
    expect(statusOf(payment)).toBe('CANCELED');
  });

  it('is an old word about a refund that had succeeded before it failed', () => {
    const failed = [
      ...captured(),
      refunding(1, 400n),
      outcome(refundId(1), APPROVED),
      outcome(refundId(1), DECLINED),
    ] as const;
    expect(history(...failed, outcome(refundId(1), APPROVED))).toHaveLength(history(...failed).length);
  });

  it.each([canceling(7), givingUp])(
    'and gives back one attempt, it leaves alone what another one holds by now',
    (order) => {
      const before = given(
        created(),
        authorizing(false, ['sim', 'sim2']),
        outcome(attemptId(), SILENT),
        order,
        outcome(voidId(7), DECLINED),
        outcome(attemptId(), TECHNICAL),
      );
      const sent = outcome(voidId(7), APPROVED)(before);
      expect(typesOf(sent)).toEqual(['AttemptReversed']);
      const held = fold(outcome(attemptId(2), APPROVED)(before), before);
      expect(typesOf(outcome(voidId(7), APPROVED)(held))).toEqual(['AttemptReversed']);
      expect(statusOf(fold(outcome(voidId(7), APPROVED)(held), held))).toBe('AUTHORIZED');
    },
  );

  it.each([
    [
      'a capture that something else has taken the place of',
      [...authorized(1000n), capturing(1, 600n, false), outcome(captureId(1), DECLINED), capturing(2, 1000n, true)],
      captureId(1),
    ],
    [
      'a capture of a hold that was given back',
      [
        ...authorized(1000n),
        capturing(1, 600n, false),
        outcome(captureId(1), DECLINED),
        canceling(1),
        outcome(voidId(1), APPROVED),
      ],
      captureId(1),
    ],
    [
      'a refund whose amount went out by another',
      [...captured(1000n), refunding(1, 600n), outcome(refundId(1), DECLINED), refunding(2, 1000n)],
      refundId(1),
    ],
    [
      'what gives an attempt back while a capture of it is under way',
      [
        created(),
        authorizing(),
        outcome(attemptId(), SILENT),
        canceling(1),
        outcome(voidId(1), DECLINED),
        outcome(attemptId(), APPROVED),
        capturing(1, 600n, false),
      ],
      voidId(1),
    ],
    [
      'a void while a capture is under way',
      [...authorized(1000n), canceling(1), outcome(voidId(1), DECLINED), capturing(1, 600n, false)],
      voidId(1),
    ],
  ] as const)('is for people where there is no room for it: %s', (_what, steps, operationId) => {
    const decision = recordOutcome(given(...steps), {
      at: NOON,
      operationId,
      outcome: APPROVED,
      perhapsSentBefore: true,
      feeTerms: TERMS,
      expiresAt: NEXT_WEEK,
      nextAttemptId: attemptId(9),
      reversalId: voidId(9),
    });
    expect(decision).toMatchObject({ ok: false, refusal: { code: 'outcome_contradicts_record' } });
  });
});
