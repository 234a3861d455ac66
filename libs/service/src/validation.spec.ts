import { authorizePaymentSchema, createTokenSchema, listRefundsQuerySchema } from '@payflow/contracts';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { Problem, problemDocument } from './problem.js';
import { type Place, validated } from './validation.js';

const errorsOf = (schema: z.ZodType, value: unknown, place: Place = 'body'): string[] => {
  try {
    validated(schema, value, place);
  } catch (error) {
    if (error instanceof Problem) return (error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`);
  }
  return [];
};

describe('a request that does not match its schema', () => {
  it('is told one error for each unknown field', () => {
    const schema = z.strictObject({ a: z.strictObject({ b: z.string() }) });
    expect(errorsOf(schema, { a: { b: 'x', c: 1, 'd/e': 2 }, f: 3 })).toEqual([
      '/a/c unknown_field',
      '/a/d~1e unknown_field',
      '/f unknown_field',
    ]);
  });

  it('is told what is missing and what is wrong, by JSON pointer', () => {
    expect(errorsOf(authorizePaymentSchema, { amount: -1.5, paymentMethod: { type: 'card' } })).toEqual([
      '/amount invalid_type',
      '/currency required',
      '/paymentMethod/token required',
    ]);
  });

  it('is told which query parameter is wrong', () => {
    expect(errorsOf(listRefundsQuerySchema, { limit: '0', surprise: '1' }, 'query')).toEqual([
      '?limit too_small',
      '?surprise unknown_field',
    ]);
  });

  it('keeps the code that a schema names', () => {
    expect(errorsOf(createTokenSchema, { card: { number: '4242424242424241', expMonth: 1, expYear: 2030 } })).toEqual([
      '/card/number luhn',
    ]);
  });

  it('never sees its card number or secret again', () => {
    const card = { number: '4242424242424242 ', expMonth: '4242424242424242', expYear: 4242424242424242, cvc: '98765' };
    const value = { card: { ...card, '4242424242424242': 1 }, reusable: '4242424242424242', '4242 4242 4242 4242': {} };
    try {
      validated(createTokenSchema, value, 'body');
      throw new Error('expected a refusal');
    } catch (error) {
      const text = JSON.stringify(problemDocument(error as Problem, 'req_1', 'http://gateway'));
      expect(text).toContain('/card/number');
      expect(text).not.toMatch(/4242[ ]?4242/);
      expect(text).not.toContain('98765');
    }
  });

  it('is told at most fifty errors', () => {
    const value = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field${index}`, 1]));
    expect(errorsOf(z.strictObject({}), value)).toHaveLength(50);
  });
});
