import { describe, expect, it } from '@jest/globals';
import { type Currency, currencyOf } from '@payflow/kernel';
import fc from 'fast-check';

import { type Authorization, type Change, holds, rule } from './authorization.js';

const currency = (code: string): Currency => {
  const known = currencyOf(code);
  if (known === undefined) throw new Error(`unknown currency ${code}`);
  return known;
};
const USD = currency('USD');
const EUR = currency('EUR');

const authorized = (amountMinor: bigint, rest: Partial<Authorization> = {}): Authorization => ({
  amountMinor,
  currency: USD,
  capturedMinor: 0n,
  refundedMinor: 0n,
  closed: false,
  ...rest,
});
const capture = (amountMinor: bigint, final = false): Change => ({
  operation: 'capture',
  amountMinor,
  currency: USD,
  final,
});
const refund = (amountMinor: bigint): Change => ({ operation: 'refund', amountMinor, currency: USD });
const voidRest: Change = { operation: 'void' };

describe('the acquirer rules on a change of an authorization', () => {
  it.each<[string, Authorization, Change, string]>([
    [
      'a capture in another currency',
      authorized(10n),
      { ...capture(1n), currency: EUR } as Change,
      'currency_mismatch',
    ],
    ['a capture after a void', authorized(10n, { closed: true }), capture(1n), 'authorization_closed'],
    ['a capture above the rest', authorized(10n, { capturedMinor: 8n }), capture(3n), 'capture_exceeds_authorization'],
    [
      'a void of a captured authorization',
      authorized(10n, { capturedMinor: 10n, closed: true }),
      voidRest,
      'authorization_closed',
    ],
    ['a second void', authorized(10n, { closed: true }), voidRest, 'authorization_closed'],
    ['a refund of what is not captured', authorized(10n), refund(1n), 'refund_exceeds_capture'],
    [
      'a refund above the rest',
      authorized(10n, { capturedMinor: 8n, refundedMinor: 6n }),
      refund(3n),
      'refund_exceeds_capture',
    ],
    [
      'a refund in another currency',
      authorized(10n, { capturedMinor: 8n }),
      { ...refund(1n), currency: EUR } as Change,
      'currency_mismatch',
    ],
  ])('%s is declined and changes nothing', (_, before, change, declineCode) => {
    const ruling = rule(before, change);
    expect(ruling.outcome).toMatchObject({ kind: 'declined', declineCode });
    expect(ruling.next).toEqual(before);
  });

  it('a final capture releases the rest; one that is not final leaves it', () => {
    expect(rule(authorized(10n), capture(4n, true)).next.closed).toBe(true);
    expect(rule(authorized(10n), capture(4n)).next.closed).toBe(false);
    expect(rule(authorized(10n), capture(10n)).next.closed).toBe(true);
  });

  it('a void concerns what is not captured', () => {
    expect(rule(authorized(10n, { capturedMinor: 4n }), voidRest)).toMatchObject({
      outcome: { kind: 'approved' },
      amountMinor: 6n,
      next: { capturedMinor: 4n, closed: true },
    });
  });

  it('captured never exceeds authorized and refunded never exceeds captured, whatever is asked', () => {
    const change = fc.oneof(
      fc
        .record({ amount: fc.bigInt({ min: 1n, max: 60n }), final: fc.boolean() })
        .map((c) => capture(c.amount, c.final)),
      fc.bigInt({ min: 1n, max: 60n }).map(refund),
      fc.constant(voidRest),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const end = changes.reduce((state, next) => rule(state, next).next, authorized(100n));
        expect(holds(end)).toBe(true);
      }),
    );
  });
});
