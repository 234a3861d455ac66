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
  history,
  NEXT_WEEK,
  NOON,
  NOT_SENT,
  outcome,
  refundId,
  refunding,
  SILENT,
  TERMS,
  voidId,
} from '../../test/histories.js';
import type { AcquirerOutcome } from './commands.js';
import { type Payment, statusOf, unansweredOperation } from './payment.js';
import { recordOutcome } from './record-outcome.js';

const record = (payment: Payment, operationId: string, answer: AcquirerOutcome, perhapsSentBefore = false) =>
  recordOutcome(payment, {
    at: NOON,
    operationId,
    outcome: answer,
    perhapsSentBefore,
    feeTerms: TERMS,
    expiresAt: NEXT_WEEK,
    nextAttemptId: attemptId(2),
    reversalId: voidId(8),
  });

describe('recordOutcome', () => {
  it('authorizes, and says when the hold ends', () => {
    expect(given(...authorized(1000n))).toMatchObject({
      authorization: { acquirer: 'sim', acquirerReference: 'auth_1', expiresAt: NEXT_WEEK },
    });
  });

  it('orders the capture of a sale in the same breath as the approval', () => {
    const events = history(created(1000n), authorizing(true), outcome(attemptId(), APPROVED));
    expect(events.slice(-2)).toMatchObject([
      { type: 'PaymentAuthorized' },
      { type: 'CaptureRequested', captureId: captureId(), amountMinor: 1000n, final: true },
    ]);
  });

  it('ends the payment with a decline, and tells the decline code', () => {
    const payment = given(created(), authorizing(true), outcome(attemptId(), DECLINED));
    expect(statusOf(payment)).toBe('FAILED');
    expect(payment.lastError).toMatchObject({ code: 'card_declined', declineCode: 'insufficient_funds' });
    expect(payment.operations).toMatchObject([{ state: 'declined' }]);
  });

  it('fails an authorization that certainly was not sent', () => {
    const payment = given(created(), authorizing(), outcome(attemptId(), NOT_SENT));
    expect(statusOf(payment)).toBe('FAILED');
    expect(payment.operations).toMatchObject([{ state: 'failed', failure: { code: 'acquirer_unavailable' } }]);
  });

  it('never takes silence for a no: PROCESSING with the reason', () => {
    const payment = given(created(), authorizing(), outcome(attemptId(), SILENT));
    expect(statusOf(payment)).toBe('PROCESSING');
    expect(unansweredOperation(payment)).toMatchObject({ id: attemptId(), unansweredReason: 'no_answer' });
  });

  it.each([
    ['a capture', [...authorized(), capturing(1, null, true)], captureId(1), 'PROCESSING'],
    ['a void', [...authorized(), canceling()], voidId(), 'PROCESSING'],
    ['a refund', [...captured(), refunding(1, null)], refundId(1), 'CAPTURED'],
  ] as const)('keeps %s that could not be sent as an order to be sent again', (_what, steps, id, status) => {
    const payment = given(...steps, outcome(id, NOT_SENT));
    expect(statusOf(payment)).toBe(status);
    expect(payment.operations.at(-1)).toMatchObject({ id, state: 'unanswered' });
  });

  it('accepts the answer that comes late', () => {
    expect(
      statusOf(given(created(), authorizing(), outcome(attemptId(), SILENT), outcome(attemptId(), APPROVED))),
    ).toBe('AUTHORIZED');
  });

  it('charges the fixed fee once over several captures, and releases the rest with the last', () => {
    const events = history(
      ...authorized(1000n),
      capturing(1, 300n, false),
      outcome(captureId(1), APPROVED),
      capturing(2, 300n, true),
      outcome(captureId(2), APPROVED),
    ).filter((event) => event.type === 'PaymentCaptured');
    expect(events).toMatchObject([
      { amountMinor: 300n, feeMinor: 39n, releasedMinor: 300n, final: false },
      { amountMinor: 300n, feeMinor: 8n, releasedMinor: 700n, final: true },
    ]);
  });

  const ended = [
    ['authorize', authorized(), attemptId(), 'approved'],
    ['authorize', [created(), authorizing(), outcome(attemptId(), DECLINED)], attemptId(), 'declined'],
    ['authorize', [created(), authorizing(), outcome(attemptId(), NOT_SENT)], attemptId(), 'not_sent'],
    ['capture', captured(), captureId(1), 'approved'],
    ['void', [...authorized(), canceling(), outcome(voidId(), APPROVED)], voidId(), 'approved'],
    ['refund', [...captured(), refunding(1, 100n), outcome(refundId(1), DECLINED)], refundId(1), 'declined'],
  ] as const;
  const answers = { approved: APPROVED, declined: DECLINED, not_sent: NOT_SENT } as const;

  it.each(ended)('%s: the same outcome again, or silence after it, changes nothing', (_kind, steps, id, recorded) => {
    const payment = given(...steps);
    expect(record(payment, id, answers[recorded])).toEqual({ ok: true, events: [] });
    expect(record(payment, id, SILENT)).toEqual({ ok: true, events: [] });
  });

  it.each(ended.filter(([, , , recorded]) => recorded === 'approved'))(
    '%s: a contradiction is refused and overwrites nothing',
    (_kind, steps, id, recorded) => {
      const opposite = recorded === 'approved' ? DECLINED : APPROVED;
      expect(record(given(...steps), id, opposite)).toMatchObject({
        ok: false,
        refusal: { code: 'outcome_contradicts_record', operationId: id },
      });
    },
  );

  it('hears silence only once', () => {
    const payment = given(created(), authorizing(), outcome(attemptId(), SILENT));
    expect(record(payment, attemptId(), SILENT)).toEqual({ ok: true, events: [] });
  });

  it('refuses the outcome of an operation nobody ordered', () => {
    expect(record(given(...authorized()), captureId(7), APPROVED)).toMatchObject({
      ok: false,
      refusal: { code: 'operation_unknown' },
    });
  });

  describe('an authorization that was not sent', () => {
    it('fails, since a payer waits and nothing was reserved', () => {
      expect(statusOf(given(created(), authorizing(), outcome(attemptId(), NOT_SENT)))).toBe('FAILED');
    });

    it('stays open when an earlier try may have arrived: after silence, or after a process died', () => {
      const silent = given(created(), authorizing(), outcome(attemptId(), SILENT));
      expect(record(silent, attemptId(), NOT_SENT)).toEqual({ ok: true, events: [] });
      expect(record(given(created(), authorizing()), attemptId(), NOT_SENT, true)).toMatchObject({
        ok: true,
        events: [{ type: 'AuthorizationUnanswered', reason: 'acquirer_unreachable' }],
      });
    });
  });
});
