import { describe, expect, it } from '@jest/globals';

import { created, given } from '../../test/histories.js';
import { create } from './create.js';
import { initialPayment, statusOf } from './payment.js';

describe('create', () => {
  it('makes a PENDING payment with what was asked', () => {
    const payment = given(created(1050n));
    expect(statusOf(payment)).toBe('PENDING');
    expect(payment).toMatchObject({
      version: 1,
      amountMinor: 1050n,
      currency: 'USD',
      metadata: { orderId: 'ord_123' },
    });
  });

  it.each([0n, -1n])('refuses an amount of %s', (amountMinor) => {
    const { version: _version, ...blank } = initialPayment;
    expect(create({ ...blank, at: blank.createdAt, amountMinor })).toEqual({
      ok: false,
      refusal: { code: 'amount_not_positive' },
    });
  });
});
