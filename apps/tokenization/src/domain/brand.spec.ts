import { describe, expect, it } from '@jest/globals';
import { cardSchema, TEST_CARDS } from '@payflow/contracts';
import fc from 'fast-check';

import { brandOf } from './brand.js';

describe('the brand of a card', () => {
  it.each(TEST_CARDS.map(({ number, brand }) => [number, brand]))('%s is %s', (number, brand) => {
    expect(brandOf(number)).toBe(brand);
  });

  it.each([
    ['2220999999999999', 'unknown'],
    ['2221000000000000', 'mastercard'],
    ['2720999999999999', 'mastercard'],
    ['2721000000000000', 'unknown'],
    ['5099999999999999', 'unknown'],
    ['5600000000000000', 'unknown'],
    ['3527999999999999', 'unknown'],
    ['3528000000000000', 'jcb'],
    ['3589999999999999', 'jcb'],
    ['3590000000000000', 'unknown'],
    ['6440000000000000', 'discover'],
    ['6439999999999999', 'unknown'],
    ['30950000000000', 'diners'],
    ['9999999999999999', 'unknown'],
  ])('at the edge of a range, %s is %s', (number, brand) => {
    expect(brandOf(number)).toBe(brand);
  });
});

describe('the check digit of a card number (Luhn, ISO/IEC 7812-1 annex B)', () => {
  const parses = (number: string): boolean => cardSchema.safeParse({ number, expMonth: 1, expYear: 2030 }).success;

  it('accepts exactly one of ten last digits', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{11,18}$/), (body) => {
        expect(Array.from('0123456789').filter((digit) => parses(body + digit))).toHaveLength(1);
      }),
    );
  });

  it('notices every single wrong digit', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TEST_CARDS), fc.nat(13), fc.integer({ min: 1, max: 9 }), (card, place, by) => {
        const digits = Array.from(card.number);
        digits[place] = String((Number(digits[place]) + by) % 10);
        expect(parses(digits.join(''))).toBe(false);
      }),
    );
  });
});
