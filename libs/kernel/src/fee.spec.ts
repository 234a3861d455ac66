import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { divideHalfEven, feeOnCapture, feeOnTotal } from './fee.js';

const terms = fc.record({
  basisPoints: fc.integer({ min: 0, max: 10_000 }),
  fixedMinor: fc.bigInt({ min: 0n, max: 1000n }),
});
const amount = fc.bigInt({ min: 1n, max: 10_000_000n });

describe('fee', () => {
  it.each([
    [5n, 10n, 0n],
    [15n, 10n, 2n],
    [25n, 10n, 2n],
    [26n, 10n, 3n],
    [24n, 10n, 2n],
  ])('rounds %s/%s half to even: %s', (numerator, denominator, quotient) =>
    expect(divideHalfEven(numerator, denominator)).toBe(quotient),
  );

  it('is 2.9 % + 30 on 1000: 59', () => expect(feeOnTotal(1000n, { basisPoints: 290, fixedMinor: 30n })).toBe(59n));
  it('is nothing while nothing is captured', () =>
    expect(feeOnTotal(0n, { basisPoints: 290, fixedMinor: 30n })).toBe(0n));
  it('never exceeds what was captured', () => expect(feeOnTotal(10n, { basisPoints: 290, fixedMinor: 30n })).toBe(10n));

  it('of many partial captures adds up to the fee of one full capture', () => {
    fc.assert(
      fc.property(terms, fc.array(amount, { minLength: 1, maxLength: 8 }), (feeTerms, captures) => {
        let before = 0n;
        let fees = 0n;
        for (const capture of captures) {
          const fee = feeOnCapture(before, capture, feeTerms);
          expect(fee).toBeGreaterThanOrEqual(0n);
          expect(fee).toBeLessThanOrEqual(capture + before);
          fees += fee;
          before += capture;
        }
        expect(fees).toBe(feeOnTotal(before, feeTerms));
      }),
    );
  });
});
