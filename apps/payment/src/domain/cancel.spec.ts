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
  NOON,
  outcome,
  SILENT,
  voidId,
} from '../../test/histories.js';
import { cancel } from './cancel.js';
import { capturableMinor, statusOf } from './payment.js';

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
    ['payment_not_cancelable', 'everything captured', captured()],
    ['payment_not_cancelable', 'a failed payment', [created(), authorizing(), outcome(attemptId(), DECLINED)]],
    ['payment_not_cancelable', 'an authorization under way', [created(), authorizing()]],
    ['payment_not_cancelable', 'a silent acquirer', [created(), authorizing(), outcome(attemptId(), SILENT)]],
    ['payment_not_cancelable', 'a void under way', [...authorized(), canceling()]],
    ['payment_not_cancelable', 'a canceled payment', [created(), canceling()]],
    ['capture_in_progress', 'a capture under way', [...authorized(1000n), capturing(1, 600n, false)]],
  ] as const)('%s: %s', (code, _what, steps) => {
    expect(cancel(given(...steps), order)).toMatchObject({ ok: false, refusal: { code } });
  });
});
