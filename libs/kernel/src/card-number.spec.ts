import { describe, expect, it } from '@jest/globals';

import { containsCardNumber, passesLuhn } from './card-number.js';

describe('card numbers', () => {
  it.each(['4242424242424242', '378282246310005', '79927398713'])('%s passes the Luhn check', (digits) => {
    expect(passesLuhn(digits)).toBe(true);
  });

  it.each(['4242424242424241', '4242424242424224', '79927398710'])('%s does not', (digits) => {
    expect(passesLuhn(digits)).toBe(false);
  });

  it.each([
    '4242424242424242',
    'paid with 4242 4242 4242 4242, thanks',
    '5555-5555-5555-4444',
    '2223003122003222',
    '378282246310005',
    '6011111111111117',
    '36227206271667',
    '30569309025904',
    '3056930009020004',
    '3566002020360505',
    '6200000000000005',
    'card=4000000000000002;',
    '4242.4242.4242.4242',
    '4242_4242/4242  4242',
    '4242\u00a04242\u200b4242\u200b4242',
    '\uff14\uff12\uff14\uff12424242424242',
    'card4242424242424242',
    '53706643-1195-4378-ae4b-a77365d1e6d9 4242424242424242',
  ])('are found in %j', (text) => {
    expect(containsCardNumber(text)).toBe(true);
  });

  it.each([
    ['an order number', 'ORD-2026-000123'],
    ['a time in milliseconds', '1763715600000'],
    ['a card number with a wrong check digit', '4242424242424241'],
    ['a longer number', '42424242424242420001'],
    ['a bar code', '4006381333931'],
    ['a device number (IMEI)', '352099001761481'],
    ['our own ids', 'pay_01kxyz6w3hf8btq2v9m4n7r5sd'],
    ['a UUID', '53706643-1195-4378-ae4b-a77365d1e6d9'],
    ['an upper-case UUID behind a word', 'order-53706643-1195-4378-AE4B-A77365D1E6D9'],
    ['a hexadecimal id', 'a9c760ffd31dec01fe30044162190302'],
    ['the last four digits', 'visa ending 4242'],
  ])('are not seen in %s', (_what, text) => {
    expect(containsCardNumber(text)).toBe(false);
  });
});
