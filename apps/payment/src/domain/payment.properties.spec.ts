import { describe, expect, it } from '@jest/globals';
import { feeOnTotal } from '@payflow/kernel';
import fc from 'fast-check';

import {
  captureId,
  NEXT_WEEK,
  NOON,
  refundId,
  TERMS,
  VISA,
  attemptId,
  created,
  history,
  judgement,
  voidId,
} from '../../test/histories.js';
import { authorize } from './authorize.js';
import { cancel } from './cancel.js';
import { capture } from './capture.js';
import type { AcquirerOutcome } from './commands.js';
import type { PaymentEvent } from './events.js';
import { unjudged } from './fraud.js';
import type { Judgement } from './judgement.js';
import { decideReview, judgeAgain } from './review.js';
import { evolve, fold } from './evolve.js';
import { violatedInvariants } from './invariants.js';
import {
  authorizedMinor,
  capturableMinor,
  capturedMinor,
  isOpen,
  type Payment,
  refundedMinor,
  statusOf,
} from './payment.js';
import { recordOutcome } from './record-outcome.js';
import { expire } from './expire.js';
import { giveUp, markStuck } from './give-up.js';
import { refund } from './refund.js';

/** Anything a caller or an acquirer may do, at any moment, in any order. */
type Move =
  | {
      readonly kind: 'authorize';
      readonly sale: boolean;
      readonly judged: Judgement['outcome'] | 'nobody' | 'unjudged';
    }
  | { readonly kind: 'review'; readonly outcome: 'ALLOW' | 'BLOCK' }
  | { readonly kind: 'judge_again'; readonly outcome: Judgement['outcome'] }
  | { readonly kind: 'capture'; readonly amount: number | null; readonly final: boolean }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'expire' }
  | { readonly kind: 'give_up'; readonly which: number }
  | { readonly kind: 'stuck'; readonly which: number }
  | { readonly kind: 'refund'; readonly amount: number | null }
  | { readonly kind: 'answer'; readonly which: number; readonly answer: AcquirerOutcome['kind'] };

const amount = fc.option(fc.integer({ min: -5, max: 1200 }));
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant('authorize' as const),
    sale: fc.boolean(),
    judged: fc.constantFrom('nobody', 'nobody', 'ALLOW', 'ALLOW', 'REVIEW', 'unjudged', 'BLOCK'),
  }),
  fc.record({ kind: fc.constant('review' as const), outcome: fc.constantFrom('ALLOW', 'ALLOW', 'BLOCK') }),
  fc.record({ kind: fc.constant('judge_again' as const), outcome: fc.constantFrom('ALLOW', 'REVIEW', 'BLOCK') }),
  fc.record({ kind: fc.constant('capture' as const), amount, final: fc.boolean() }),
  fc.record({ kind: fc.constant('cancel' as const) }),
  fc.record({ kind: fc.constant('expire' as const) }),
  fc.record({ kind: fc.constantFrom('give_up' as const, 'stuck' as const), which: fc.nat({ max: 9 }) }),
  fc.record({ kind: fc.constant('refund' as const), amount }),
  fc.record({
    kind: fc.constant('answer' as const),
    which: fc.nat({ max: 9 }),
    answer: fc.constantFrom(
      'approved',
      'approved',
      'approved',
      'approved',
      'declined',
      'unanswered',
      'not_sent',
      'partially_approved',
      'action_required',
    ),
  }),
);

const answers: Readonly<Record<AcquirerOutcome['kind'], AcquirerOutcome>> = {
  approved: { kind: 'approved', acquirerReference: 'auth_1' },
  declined: {
    kind: 'declined',
    code: 'card_declined',
    declineCode: null,
    adviceCode: null,
    message: 'no',
    technical: false,
  },
  partially_approved: { kind: 'partially_approved', acquirerReference: 'auth_1', amountMinor: 400n },
  action_required: { kind: 'action_required', url: 'https://acquirer.example/1', expiresAt: NEXT_WEEK },
  unanswered: { kind: 'unanswered', reason: 'no_answer' },
  not_sent: { kind: 'not_sent', reason: 'acquirer_unreachable' },
};

const minor = (value: number | null): bigint | null => (value === null ? null : BigInt(value));

const eventsOf = (decision: { readonly ok: boolean }): readonly PaymentEvent[] =>
  decision.ok ? (decision as unknown as { readonly events: readonly PaymentEvent[] }).events : [];

const operationIdOf = (payment: Payment, which: number): string =>
  payment.operations[which % Math.max(1, payment.operations.length)]?.id ?? 'att_none';

const judgedAs = (judged: Extract<Move, { kind: 'authorize' }>['judged']): Judgement | undefined => {
  if (judged === 'nobody') return undefined;
  return judged === 'unjudged' ? unjudged({ whenDown: 'review', amountMaxMinor: 0n }, 1000n, NOON) : judgement(judged);
};

const afterReview = (payment: Payment, n: number) => ({
  at: NOON,
  attemptId: attemptId(n),
  route: ['sim', 'sim2'],
  saleCaptureId: payment.review?.sale === true ? captureId(n) : null,
});

const play = (payment: Payment, action: Move, n: number): readonly PaymentEvent[] => {
  const at = NOON;
  const metadata = {};
  switch (action.kind) {
    case 'authorize': {
      const saleCaptureId = action.sale ? captureId(n) : null;
      return eventsOf(
        authorize(payment, {
          at,
          attemptId: attemptId(n),
          route: ['sim', 'sim2'],
          paymentMethod: VISA,
          saleCaptureId,
          judgement: judgedAs(action.judged),
        }),
      );
    }
    case 'review': {
      const decided = { outcome: action.outcome, reviewId: 'frv_1', decidedBy: 'usr_1' };
      return eventsOf(decideReview(payment, { ...afterReview(payment, n), ...decided }));
    }
    case 'judge_again':
      return eventsOf(judgeAgain(payment, { ...afterReview(payment, n), judgement: judgement(action.outcome) }));
    case 'capture':
      return eventsOf(
        capture(payment, {
          at,
          captureId: captureId(n),
          amountMinor: minor(action.amount),
          final: action.final,
          metadata,
        }),
      );
    case 'cancel':
      return eventsOf(cancel(payment, { at, voidId: voidId(n), reason: null, metadata }));
    case 'refund':
      return eventsOf(
        refund(payment, { at, refundId: refundId(n), amountMinor: minor(action.amount), reason: null, metadata }),
      );
    case 'expire':
      return eventsOf(expire(payment, { at: NEXT_WEEK, voidId: voidId(n) }));
    case 'give_up':
      return eventsOf(giveUp(payment, { at, operationId: operationIdOf(payment, action.which), voidId: voidId(n) }));
    case 'stuck':
      return eventsOf(markStuck(payment, { at, operationId: operationIdOf(payment, action.which), inquiries: 7 }));
    case 'answer': {
      const operationId = operationIdOf(payment, action.which);
      const outcome = answers[action.answer];
      return eventsOf(
        recordOutcome(payment, {
          at,
          operationId,
          outcome,
          perhapsSentBefore: false,
          feeTerms: TERMS,
          expiresAt: NEXT_WEEK,
          nextAttemptId: attemptId(100 + n),
          reversalId: voidId(100 + n),
        }),
      );
    }
  }
};

const playAll = (
  moves: readonly Move[],
): { readonly events: readonly PaymentEvent[]; readonly states: readonly Payment[] } => {
  const events: PaymentEvent[] = [...history(created(1000n))];
  const states: Payment[] = [fold(events)];
  moves.forEach((action, index) => {
    const before = states.at(-1) ?? fold(events);
    const next = play(before, action, index + 1);
    next.forEach((event) => {
      states.push(evolve(states.at(-1) ?? before, event));
      events.push(event);
    });
  });
  return { events, states };
};

const games = fc.array(move, { minLength: 1, maxLength: 60 });

describe('whatever callers and acquirers do, in whatever order', () => {
  it('no invariant breaks after any event', () => {
    fc.assert(
      fc.property(games, (moves) => {
        for (const state of playAll(moves).states) expect(violatedInvariants(state)).toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  it('folding the history gives the state, and versions rise by one', () => {
    fc.assert(
      fc.property(games, (moves) => {
        const { events, states } = playAll(moves);
        expect(fold(events)).toEqual(states.at(-1));
        expect(states.map((state) => state.version)).toEqual(states.map((_, index) => index + 1));
      }),
    );
  });

  it('the fees of all captures are the fee of their sum', () => {
    fc.assert(
      fc.property(games, (moves) => {
        const payment = playAll(moves).states.at(-1);
        if (payment) expect(payment.feeMinor).toBe(feeOnTotal(capturedMinor(payment), TERMS));
      }),
    );
  });

  it('what the events release from the hold is never more than was held, and all of it once it is closed', () => {
    fc.assert(
      fc.property(games, (moves) => {
        const { events, states } = playAll(moves);
        const payment = states.at(-1);
        if (!payment) return;
        const released = events.reduce(
          (sum, event) =>
            event.type === 'PaymentCaptured' || event.type === 'PaymentCanceled' || event.type === 'PaymentExpired'
              ? sum + event.releasedMinor
              : sum,
          0n,
        );
        expect(released).toBe(payment.closed ? authorizedMinor(payment) : capturedMinor(payment));
      }),
    );
  });

  it('the status says what the amounts say', () => {
    fc.assert(
      fc.property(games, (moves) => {
        for (const payment of playAll(moves).states) {
          const status = statusOf(payment);
          if (status === 'CAPTURED') expect(capturableMinor(payment)).toBe(0n);
          if (status === 'REFUNDED') expect(refundedMinor(payment)).toBe(capturedMinor(payment));
          if (status === 'FAILED' || status === 'CANCELED') expect(capturedMinor(payment)).toBe(0n);
          if (status === 'PROCESSING') expect(payment.operations.some(isOpen)).toBe(true);
          // Nobody asks an acquirer while people look at it, nor ever about what was blocked or rejected.
          if (status === 'IN_REVIEW') expect(payment.operations).toEqual([]);
          if (payment.lastError?.code.startsWith('fraud_') === true) expect(payment.operations).toEqual([]);
        }
      }),
    );
  });
});
