import { describe, expect, it } from '@jest/globals';

import {
  attemptId,
  authorized,
  authorizing,
  canceling,
  captured,
  captureId,
  created,
  DECLINED,
  given,
  NOON,
  outcome,
  SILENT,
  VISA,
} from '../../test/histories.js';
import { authorize } from './authorize.js';
import { statusOf } from './payment.js';

const command = { at: NOON, attemptId: attemptId(9), route: ['sim'], paymentMethod: VISA, saleCaptureId: null };

describe('authorize', () => {
  it('commits the intent for the whole amount before the acquirer is asked, and the payment stays PENDING', () => {
    const payment = given(created(1000n), authorizing());
    expect(statusOf(payment)).toBe('PENDING');
    expect(payment.operations).toMatchObject([{ kind: 'authorize', amountMinor: 1000n, state: 'requested' }]);
  });

  it('remembers the capture that follows a sale', () => {
    expect(given(created(), authorizing(true)).operations).toMatchObject([{ saleCaptureId: captureId() }]);
  });

  it.each([
    ['PENDING', 'a first attempt is under way', [created(), authorizing()]],
    ['PROCESSING', 'the acquirer has not answered', [created(), authorizing(), outcome(attemptId(), SILENT)]],
    ['AUTHORIZED', 'it is authorized', authorized()],
    ['CAPTURED', 'it is captured', captured()],
    ['FAILED', 'it was declined', [created(), authorizing(), outcome(attemptId(), DECLINED)]],
    ['CANCELED', 'it is canceled', [created(), canceling()]],
  ] as const)('is refused in %s: %s', (status, _because, steps) => {
    expect(authorize(given(...steps), command)).toEqual({
      ok: false,
      refusal: { code: 'payment_not_authorizable', status },
    });
  });
});
