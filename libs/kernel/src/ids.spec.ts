import { describe, expect, it } from '@jest/globals';
import { TypeID } from 'typeid-js';

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

  it('are TypeIDs of UUIDs of version 7 that hold the time', () => {
    const before = Date.now();
    const ids = Array.from({ length: 100 }, () => newId('evt'));
    const after = Date.now();
    for (const id of ids) {
      const uuid = TypeID.fromString(id).toUUID();
      expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      const ms = Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16);
      expect(ms).toBeGreaterThanOrEqual(before);
      expect(ms).toBeLessThanOrEqual(after + 1);
    }
  });

  it('share no bit that would have to be random', () => {
    const uuids = Array.from({ length: 2000 }, () => TypeID.fromString(newId('evt')).toUUIDBytes());
    // The last 43 bits of each: every one of them is set about half of the time.
    for (let bit = 128 - 43; bit < 128; bit += 1) {
      const set = uuids.filter((bytes) => (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1).length;
      expect(set).toBeGreaterThan(800);
      expect(set).toBeLessThan(1200);
    }
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
