import { describe, expect, it } from '@jest/globals';

import { attemptId, authorizing, canceling, created, DECLINED, given, NOON, outcome } from '../../test/histories.js';
import { fold } from './evolve.js';
import { update } from './update.js';

describe('update', () => {
  it('changes what is named and keeps the rest', () => {
    const intent = given(created(1000n));
    const decision = update(intent, { at: NOON, changes: { amountMinor: 2500n, reference: 'order-7' } });
    expect(decision.ok && fold(decision.events, intent)).toMatchObject({
      version: 2,
      amountMinor: 2500n,
      reference: 'order-7',
      metadata: { orderId: 'ord_123' },
    });
  });

  it('is nothing when it changes nothing', () => {
    expect(update(given(created(1000n)), { at: NOON, changes: { amountMinor: 1000n } })).toEqual({
      ok: true,
      events: [],
    });
  });

  it.each([
    ['the acquirer is being asked', [created(), authorizing()], 'PENDING'],
    ['the payment failed', [created(), authorizing(), outcome(attemptId(), DECLINED)], 'FAILED'],
    ['the payment is canceled', [created(), canceling()], 'CANCELED'],
  ] as const)('is refused once %s', (_when, steps, status) => {
    expect(update(given(...steps), { at: NOON, changes: { reference: 'x' } })).toEqual({
      ok: false,
      refusal: { code: 'payment_not_modifiable', status },
    });
  });

  it('refuses an amount that is not positive before it looks at the state', () => {
    expect(update(given(created(), authorizing()), { at: NOON, changes: { amountMinor: 0n } })).toEqual({
      ok: false,
      refusal: { code: 'amount_not_positive' },
    });
  });
});
