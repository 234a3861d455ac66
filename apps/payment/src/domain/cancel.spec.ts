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
  CHALLENGED,
  created,
  DECLINED,
  given,
  history,
  NOON,
  outcome,
  SILENT,
  voidId,
} from '../../test/histories.js';
import { cancel } from './cancel.js';
import { capturableMinor, isOpen, statusOf } from './payment.js';

const order = { at: NOON, voidId: voidId(9), reason: 'changed my mind', metadata: {} };

describe('cancel', () => {
  it('ends an intent without an acquirer', () => {
    expect(cancel(given(created()), order)).toMatchObject({
      ok: true,
      events: [{ type: 'PaymentCanceled', voidId: null, releasedMinor: 0n }],
    });
    expect(statusOf(given(created(), canceling()))).toBe('CANCELED');
  });

  it('voids the whole hold', () => {
    const events = history(...authorized(1000n), canceling(), outcome(voidId(), APPROVED));
    expect(events.at(-1)).toMatchObject({ type: 'PaymentCanceled', releasedMinor: 1000n });
    expect(statusOf(given(...authorized(1000n), canceling(), outcome(voidId(), APPROVED)))).toBe('CANCELED');
  });

  it('releases the rest after a partial capture, and the payment is CAPTURED', () => {
    const steps = [
      ...authorized(1000n),
      capturing(1, 600n, false),
      outcome(captureId(1), APPROVED),
      canceling(),
      outcome(voidId(), APPROVED),
    ];
    expect(history(...steps).at(-1)).toMatchObject({ type: 'PaymentCanceled', releasedMinor: 400n });
    expect([statusOf(given(...steps)), capturableMinor(given(...steps))]).toEqual(['CAPTURED', 0n]);
  });

  it('stays AUTHORIZED when the acquirer declines the void', () => {
    expect(statusOf(given(...authorized(), canceling(), outcome(voidId(), DECLINED)))).toBe('AUTHORIZED');
  });

  it.each([
    ['a silent acquirer', SILENT],
    ['a payer who has not come back from his challenge', CHALLENGED],
  ] as const)('reverses the attempt by its reference: %s', (_what, answer) => {
    const waiting = given(created(), authorizing(true), outcome(attemptId(), answer));
    expect(cancel(waiting, order)).toMatchObject({
      ok: true,
      events: [{ type: 'VoidRequested', cause: 'request', reverses: attemptId(), amountMinor: 1000n }],
    });
    const canceled = given(
      created(),
      authorizing(true),
      outcome(attemptId(), answer),
      canceling(9),
      outcome(voidId(9), APPROVED),
    );
    expect(statusOf(canceled)).toBe('CANCELED');
    expect(canceled.operations.some(isOpen)).toBe(false);
  });

  it.each([
    ['payment_not_cancelable', 'everything captured', captured()],
    ['payment_not_cancelable', 'a failed payment', [created(), authorizing(), outcome(attemptId(), DECLINED)]],
    ['payment_not_cancelable', 'an authorization under way', [created(), authorizing()]],
    ['payment_not_cancelable', 'a void under way', [...authorized(), canceling()]],
    ['payment_not_cancelable', 'a canceled payment', [created(), canceling()]],
    ['capture_in_progress', 'a capture under way', [...authorized(1000n), capturing(1, 600n, false)]],
  ] as const)('%s: %s', (code, _what, steps) => {
    expect(cancel(given(...steps), order)).toMatchObject({ ok: false, refusal: { code } });
  });
});
