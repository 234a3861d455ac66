import { describe, expect, it } from '@jest/globals';
import { writtenAmountSchema } from '@payflow/contracts';
import { currencyOf } from '@payflow/kernel';

import { minorOfWritten } from './written-amount.js';

const minor = (written: number | string, code: string): bigint => {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error(code);
  return minorOfWritten(writtenAmountSchema.parse(written), currency);
};

describe('an amount of a printed call', () => {
  it.each([
    ['50.0', 'USD', 5000n],
    ['1000', 'USD', 100_000n],
    ['10', 'JPY', 10n],
    ['1.5', 'BHD', 1500n],
    [5000, 'USD', 5000n],
    [5000, 'JPY', 5000n],
  ])('%j %s is %s minor units', (written, code, expected) => {
    expect(minor(written, code)).toBe(expected);
  });

  it.each([
    ['50.005', 'USD', 'not_an_amount'],
    ['10.5', 'JPY', 'not_an_amount'],
    ['10.0', 'JPY', 'not_an_amount'],
    ['0.00', 'USD', 'too_small'],
    ['1000000000000.00', 'USD', 'too_big'],
  ])('%j %s is refused, never rounded', (written, code, reason) => {
    expect(() => minor(written, code)).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/amount', code: reason })] }),
    );
  });

  it.each(['-1', '+1', '1e3', ' 1', '1 ', '1,5', '.5', '5.', '', '0x10', '١', 0, -5, 1.5, '123456789012345678901'])(
    'has no meaning as %j',
    (written) => {
      expect(writtenAmountSchema.safeParse(written).success).toBe(false);
    },
  );
});
