import { describe, expect, it } from '@jest/globals';
import { Problem } from '@payflow/service';
import fc from 'fast-check';

import { inlineCardOf } from './inline-card.js';
import { memberSpan } from './member-span.js';

const card = { number: '4242424242424242', expMonth: 12, expYear: 2030, cvc: '123' };
const bytes = (body: unknown): Buffer => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
const refusal = (body: unknown): Problem => {
  try {
    inlineCardOf(bytes(body));
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('was not refused');
};

describe('an inline card', () => {
  it('is replaced by a token, and nothing else of the body is touched', () => {
    const text = `{ "amount":1000,\r\n "big": 12345678901234500000, "paymentMethod" : {"type":"card", "card":${JSON.stringify(card)}} ,"u":"\\u00fc" }`;
    const inline = inlineCardOf(bytes(text));
    expect(inline?.card).toEqual(card);
    expect(inline?.withToken('tok_1').toString()).toBe(
      '{ "amount":1000,\r\n "big": 12345678901234500000, "paymentMethod" : {"type":"card","token":"tok_1"} ,"u":"\\u00fc" }',
    );
  });

  it('is found under an escaped key', () => {
    const text = `{"payment\\u004dethod":{"type":"card","card":${JSON.stringify(card)}}}`;
    expect(inlineCardOf(bytes(text))?.withToken('tok_1').toString()).toBe(
      '{"payment\\u004dethod":{"type":"card","token":"tok_1"}}',
    );
  });

  it.each([
    { paymentMethod: { type: 'card', token: 'tok_1' } },
    { amount: 1 },
    [],
    'null',
    '1',
    { paymentMethod: null },
  ])('is not there in %j', (body) => {
    expect(inlineCardOf(bytes(body))).toBeUndefined();
  });

  it('is checked, with pointers to what is wrong and without repeating it', () => {
    const problem = refusal({
      paymentMethod: { type: 'card', card: { ...card, number: '4242424242424241', expMonth: 13, colour: 'red' } },
    });
    expect(problem.code).toBe('validation_failed');
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual(
      expect.arrayContaining([
        ['/paymentMethod/card/number', 'luhn'],
        ['/paymentMethod/card/expMonth', 'too_big'],
        ['/paymentMethod/card/colour', 'unknown_field'],
      ]),
    );
    expect(JSON.stringify(problem.errors)).not.toContain('42424242');
  });

  it.each([
    ['a token beside it', { type: 'card', token: 'tok_1', card }],
    ['another type', { type: 'wallet', walletId: 'wal_1', card }],
    ['no type', { card }],
    ['a number for a number', { type: 'card', card: { ...card, number: 4242424242424242 } }],
    ['null', { type: 'card', card: null }],
  ])('with %s is refused', (_, paymentMethod) => {
    expect(refusal({ paymentMethod }).code).toBe('validation_failed');
  });

  it.each([
    { card },
    { payment_method: { card } },
    { paymentMethod: { type: 'card', token: 'tok_1' }, metadata: { card_number: '4242 4242 4242 4242' } },
    { paymentMethod: { type: 'card', card }, metadata: { number: 4242424242424242 } },
  ])('in the wrong place is refused before a service sees it: %#', (body) => {
    const problem = refusal(body);
    expect(problem.errors?.[0]?.code).toBe('card_not_allowed');
    expect(JSON.stringify(problem)).not.toContain('4242');
  });

  it.each([
    '{',
    '{"a":1,"a":2}',
    `{"paymentMethod":{},"paymentMethod":{"type":"card","card":${JSON.stringify(card)}}}`,
  ])('is not looked for in %s, which two readers could read in two ways', (text) => {
    expect(refusal(text).code).toBe('malformed_json');
  });
});

describe('a card as the documents print it', () => {
  const details = { card_number: '4111111111111111', expiry_date: '12/25', cvv: '123' };

  it('is replaced by a token, and nothing else of the body is touched', () => {
    const text = `{"user_id": "12345", "merchant_id":"67890",\n"payment_method" : {"type":"card","details":${JSON.stringify(details)}}, "amount":"1000"}`;
    const inline = inlineCardOf(bytes(text));
    expect(inline?.card).toEqual({ number: '4111111111111111', expMonth: 12, expYear: 2025, cvc: '123' });
    // Not an id of ours: the vault takes the caller's own merchant.
    expect(inline?.merchantId).toBeUndefined();
    expect(inline?.withToken('tok_1').toString()).toBe(
      '{"user_id": "12345", "merchant_id":"67890",\n"payment_method" : {"type":"card","token":"tok_1"}, "amount":"1000"}',
    );
    expect(inline?.pointerOf('expYear')).toBe('/payment_method/details/expiry_date');
  });

  it.each([
    ['a wrong check digit', { card_number: '4111111111111112' }, '/payment_method/details/card_number'],
    ['spaces', { card_number: '4111 1111 1111 1111' }, '/payment_method/details/card_number'],
    ['a month too many', { expiry_date: '13/25' }, '/payment_method/details/expiry_date'],
    ['no expiry', { expiry_date: undefined }, '/payment_method/details/expiry_date'],
    ['letters for a CVV', { cvv: 'abc' }, '/payment_method/details/cvv'],
    ['a pin', { pin: '1234' }, '/payment_method/details/pin'],
  ])('is checked: %s', (_, members, pointer) => {
    const problem = refusal({ payment_method: { type: 'card', details: { ...details, ...members } } });
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
    expect(JSON.stringify(problem.errors)).not.toContain('4111');
  });

  it('beside a card in our own spelling is refused before a service sees it', () => {
    const body = { paymentMethod: { type: 'card', card }, payment_method: { type: 'card', details } };
    expect(refusal(body).errors?.[0]?.code).toBe('card_not_allowed');
  });
});

describe('the span of a member', () => {
  it('is its value, in whatever object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), fc.nat(3), (others, value, spaces) => {
        const body = { ...others, wanted: value };
        const text = JSON.stringify(body, null, spaces);
        const span = memberSpan(text, 'wanted');
        expect(span && JSON.parse(text.slice(span.start, span.end))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
