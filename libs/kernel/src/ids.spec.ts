import { describe, expect, it } from '@jest/globals';

import { isId, newId, type PaymentId, type RefundId } from './ids.js';

describe('ids', () => {
  it('carry their prefix and pass their own check', () => {
    const id = newId('pay');
    expect(id).toMatch(/^pay_[0-9a-z]{26}$/);
    expect(isId('pay', id)).toBe(true);
    expect(isId('ref', id)).toBe(false);
  });

  it('sort by the time they were made', () => {
    const ids = Array.from({ length: 1000 }, () => newId('evt'));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    'pay_',
    'pay_short',
    'pay_zzzzzzzzzzzzzzzzzzzzzzzzzz',
    "pay_'; DROP TABLE payments",
    'PAY_01kxyz6w3hf8btq2v9m4n7r5sd',
    '',
  ])('refuses %j', (text) => expect(isId('pay', text)).toBe(false));

  it('do not mix: a refund id where a payment id belongs does not compile', () => {
    const refund: RefundId = newId('ref');
    // @ts-expect-error -- the prefix is part of the type (R-192)
    const payment: PaymentId = refund;
    expect(payment).toBe(refund);
  });
});
