import { describe, expect, it } from '@jest/globals';
import { TEST_CARDS } from '@payflow/contracts';

import { holdsCardNumber, withoutDigitRuns } from './card-search.ts';

describe('the search for card numbers', () => {
  it.each(TEST_CARDS.map(({ number }) => number))('finds %s, plain, in groups and in JSON', (number) => {
    const spellings = [
      number,
      number.replaceAll(/(.{4})(?=.)/g, '$1 '),
      number.replaceAll(/(.{4})(?=.)/g, '$1-'),
      number.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
      JSON.stringify({ at: '2026-11-21T12:00:00.000Z', note: `paid with ${number}` }),
    ];
    expect(spellings.filter((text) => !holdsCardNumber(text))).toEqual([]);
  });

  it.each([
    ['a number that fails the Luhn check', '4242424242424241'],
    ['a number of no brand', '9999999999999995'],
    ['a time in milliseconds', '1763715600000'],
    ['a UUID of digits', '42424242-4242-4242-8242-424242424242'],
    ['a trace context whose span id has only digits', '00-4bf92f3577b34da6a3ce929d0e0e4736-4242424242424242-01'],
    ['an id of ours', 'pay_01m7z117qseh6akt8qs2tyxfkq'],
    ['a SHA-256', '4242424242424242a242424242424242424242424242424242424242424242ff'],
  ])('leaves %s alone', (_what, text) => {
    expect(holdsCardNumber(text)).toBe(false);
  });

  it('names a place without its digits', () => {
    expect(withoutDigitRuns('key 4242424242424242 of row 12')).toBe('key … of row 12');
  });
});
