import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { currencyCodesKnown, currencyOf, exponentOf } from './currency.js';
import { AMOUNT_MINOR_MAX, majorFromMinor, minorFromMajor, minorToJson } from './money.js';

const currency = (code: string) => {
  const known = currencyOf(code);
  if (!known) throw new Error(code);
  return known;
};
const anyCurrency = fc.constantFrom(...currencyCodesKnown()).map(currency);

describe('money', () => {
  it.each([
    ['USD', 2],
    ['JPY', 0],
    ['BHD', 3],
    ['CLF', 4],
    ['MGA', 2],
    ['IDR', 2],
    ['IQD', 3],
    ['XCG', 2],
  ])('knows that %s has %i decimals', (code, exponent) => expect(exponentOf(currency(code))).toBe(exponent));

  it.each(['usd', 'XAU', 'XXX', 'ABC', '', 'US', 'constructor'])('knows no currency %j', (code) =>
    expect(currencyOf(code)).toBeUndefined(),
  );

  it.each([
    ['10.50', 'USD', 1050n],
    ['0.1', 'USD', 10n],
    ['1050', 'JPY', 1050n],
    ['1.050', 'BHD', 1050n],
    ['007', 'USD', 700n],
  ])('reads %s %s as %s minor units', (text, code, minor) => expect(minorFromMajor(text, currency(code))).toBe(minor));

  it.each([
    ['50.005', 'USD'],
    ['10.5', 'JPY'],
    ['-1', 'USD'],
    ['1e3', 'USD'],
    ['1.', 'USD'],
    ['.5', 'USD'],
    ['1,000', 'USD'],
    ['', 'USD'],
    [' 1', 'USD'],
    ['١', 'USD'],
  ])('refuses %j %s, never rounds', (text, code) => expect(minorFromMajor(text, currency(code))).toBeUndefined());

  it('reads back what it writes, in every currency', () => {
    fc.assert(
      fc.property(anyCurrency, fc.bigInt({ min: 0n, max: AMOUNT_MINOR_MAX }), (code, amountMinor) => {
        expect(minorFromMajor(majorFromMinor({ amountMinor, currency: code }), code)).toBe(amountMinor);
      }),
    );
  });

  it('writes negative amounts with their sign', () =>
    expect(majorFromMinor({ amountMinor: -5n, currency: currency('USD') })).toBe('-0.05'));

  it('refuses to write an integer that a JSON reader would round', () => {
    expect(minorToJson(9_007_199_254_740_991n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => minorToJson(9_007_199_254_740_992n)).toThrow('exact');
  });
});
