import { describe, expect, it } from '@jest/globals';
import { acquirerAuthorizationRequestSchema } from '@payflow/contracts';
import type { Json } from '@payflow/kernel';
import fc from 'fast-check';

import { type ClearCard, fillCard } from './card-template.js';
import { maskedNumber, scrub } from './scrub.js';

const card: ClearCard = {
  number: '4242424242424242',
  expMonth: 3,
  expYear: 2031,
  cvc: '123',
  holderName: 'Ada $& Lovelace',
};

describe('filling a card into a request', () => {
  it('makes a request that an acquirer accepts, with the expiry as integers', () => {
    const template = {
      reference: `att_${'0'.repeat(26)}`,
      amount: 1000,
      currency: 'USD',
      card: {
        number: '{{card.number}}',
        expMonth: '{{card.expMonth}}',
        expYear: '{{card.expYear}}',
        cvc: '{{card.cvc}}',
        holderName: '{{card.holderName}}',
      },
      merchantId: 'mer_a',
      paymentId: 'pay_a',
    };
    expect(fillCard(template, card)).toEqual({ ...template, card });
    expect(acquirerAuthorizationRequestSchema.safeParse(fillCard(template, card)).success).toBe(true);
    const bare = fillCard(template, { ...card, cvc: undefined, holderName: undefined });
    expect(bare).toEqual({ ...template, card: { number: card.number, expMonth: 3, expYear: 2031 } });
    expect(acquirerAuthorizationRequestSchema.safeParse(bare).success).toBe(true);
  });

  it('fills texts, lists and nested objects, and leaves keys and unknown placeholders alone', () => {
    expect(
      fillCard(
        {
          card: {
            '{{card.number}}': ['n={{card.number}};y={{card.expYear}}', '{{card.cvc}}', '{{card.pin}}', 7, null, true],
          },
        },
        { ...card, cvc: undefined },
      ),
    ).toEqual({ card: { '{{card.number}}': ['n=4242424242424242;y=2031', '{{card.pin}}', 7, null, true] } });
  });

  it('leaves texts alone that are names of every object', () => {
    const names = ['__proto__', 'constructor', 'toString'];
    expect(fillCard({ card: names }, card)).toEqual({ card: names });
  });

  it('fills nothing outside the member `card`, where texts of the merchant stand', () => {
    const body = {
      statementDescriptor: '{{card.number}}',
      metadata: { card: '{{card.number}}', note: ['{{card.cvc}}'] },
      card: { number: '4' },
    };
    expect(fillCard(body, card)).toEqual(body);
    expect(fillCard({ statementDescriptor: '{{card.number}}' }, card)).toEqual({
      statementDescriptor: '{{card.number}}',
    });
  });

  it('does not fill what it has filled in', () => {
    const sly = { ...card, holderName: '{{card.number}}' };
    expect(fillCard({ card: { holderName: '{{card.holderName}}', text: 'by {{card.holderName}}' } }, sly)).toEqual({
      card: { holderName: '{{card.number}}', text: 'by {{card.number}}' },
    });
  });

  it('leaves every other body as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        fc.pre(!JSON.stringify(body).includes('{{card.'));
        expect(fillCard({ card: body }, card)).toEqual({ card: body });
      }),
    );
  });
});

describe('scrubbing an answer', () => {
  const number = '4242424242424242';
  const mask = maskedNumber(number);

  it.each<[string, Json, Json]>([
    ['the number', number, mask],
    ['the number in a sentence', `card ${number} declined`, `card ${mask} declined`],
    ['the number in groups', '4242 4242-4242 4242', mask],
    ['the number as a number', 4242424242424242, mask],
    ['the number as a key', { [number]: 1 }, { [mask]: 1 }],
    ['the number in hexadecimal', Buffer.from(number).toString('hex'), mask],
    ['the number in base 64', Buffer.from(number).toString('base64'), mask],
    [
      'a CVC by its name',
      { cvc: '123', security_code: 123, cvcCheck: 'pass' },
      { cvc: '***', security_code: '***', cvcCheck: 'pass' },
    ],
    ['nothing', { last4: '4242', amount: 4242, bin: '424242' }, { last4: '4242', amount: 4242, bin: '424242' }],
  ])('masks %s', (_, answer, scrubbed) => {
    expect(scrub(answer, number)).toEqual(scrubbed);
  });

  it('leaves no number anywhere in any answer', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (answer, seed) => {
        const planted = plant(answer, number, seed);
        expect(JSON.stringify(scrub(planted, number))).not.toContain(number);
      }),
    );
  });
});

/** The answer with the number put somewhere: into each string, beside each element, as key and value of each object. */
const plant = (value: Json, number: string, seed: number): Json => {
  if (typeof value === 'string') return value.slice(0, seed % 7) + number + value.slice(seed % 7);
  if (value === null || typeof value !== 'object') return seed % 2 === 0 ? Number(number) : value;
  if (Array.isArray(value)) return [...(value as readonly Json[]).map((item) => plant(item, number, seed)), number];
  return {
    ...Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plant(member as Json, number, seed)])),
    [`x${number}`]: number,
  };
};
