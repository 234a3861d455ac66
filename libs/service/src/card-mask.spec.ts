import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { maskCardNumbers } from './card-mask.js';

const luhnDigit = (digits: string): string => {
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, character, index) => {
      const weighted = Number(character) * (index % 2 === 0 ? 2 : 1);
      return total + (weighted > 9 ? weighted - 9 : weighted);
    }, 0);
  return String((10 - (sum % 10)) % 10);
};
const cardNumber = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 18 })
  .map((digits) => digits.join(''))
  .map((digits) => digits + luhnDigit(digits));

describe('masking', () => {
  it.each(['4242424242424242', '4242 4242 4242 4242', '4242-4242-4242-4242', '378282246310005', '6011000990139424'])(
    'hides the card number %s wherever it stands',
    (number) => {
      const masked = maskCardNumbers(`{"a":"x${number}y","b":${number.replaceAll(/[ -]/g, '')}}`);
      expect(masked).not.toContain(number.slice(0, 9));
      expect(masked).toContain('[card ending');
    },
  );

  it('hides every card number between texts', () => {
    const text = fc.string().map((noise) => noise.replaceAll(/\d/g, ''));
    fc.assert(
      fc.property(text, cardNumber, text, (before, number, after) => {
        expect(maskCardNumbers(`${before}!${number}!${after}`)).not.toContain(number);
      }),
    );
  });

  it.each(['4242424242424241', '2026-11-21T09:00:00.000Z', 'pay_01kxyz6w3hf8btq2v9m4n7r5sd', '1234', '12.50'])(
    'leaves %s alone',
    (text) => {
      expect(maskCardNumbers(text)).toBe(text);
    },
  );
});
