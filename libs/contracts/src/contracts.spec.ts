import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import {
  accountCodeSchema,
  authorizePaymentSchema,
  cardSchema,
  EVENT_CATALOGUE,
  metadataSchema,
  PROBLEMS,
  ROLES,
  SCOPES,
  TOPICS,
  transactionRequestSchema,
} from './index.js';

const valid = { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', token: 'tok_abcdef' } };
const pointerOf = (body: unknown): string | undefined => {
  const result = authorizePaymentSchema.safeParse(body);
  return result.success ? undefined : (result.error.issues[0]?.path.join('/') ?? '');
};

describe('contracts', () => {
  it('take the authorize call as the document prints it', () => {
    const printed = { ...valid, capture: false, metadata: { orderId: 'ord_123' } };
    expect(authorizePaymentSchema.parse(printed)).toEqual(printed);
  });

  it.each([
    [{ ...valid, amount: 0 }, 'amount'],
    [{ ...valid, amount: -5 }, 'amount'],
    [{ ...valid, amount: 10.5 }, 'amount'],
    [{ ...valid, amount: '1000' }, 'amount'],
    [{ ...valid, amount: 1e15 }, 'amount'],
    [{ ...valid, currency: 'usd' }, 'currency'],
    [{ ...valid, currency: 'XXX' }, 'currency'],
    [{ ...valid, paymentMethod: { type: 'cash' } }, 'paymentMethod/type'],
    [{ ...valid, paymentMethod: { type: 'card', token: "tok_' OR 1=1" } }, 'paymentMethod/token'],
    [{ ...valid, description: 'a\u0000b' }, 'description'],
    [{ ...valid, reference: 'a\r\nX-Injected: 1' }, 'reference'],
    [{ ...valid, metadata: { a: 1 } }, 'metadata/a'],
    [{ ...valid, metadata: { note: 'card 4242 4242 4242 4242' } }, 'metadata/note'],
    [{ ...valid, description: '4242424242424242' }, 'description'],
    [{ ...valid, userId: '5555555555554444' }, 'userId'],
    [{ ...valid, returnUrl: 'javascript:alert(1)' }, 'returnUrl'],
    [{ ...valid, surprise: true }, ''],
  ])('refuse %j at %s', (body, pointer) => expect(pointerOf(body)).toBe(pointer));

  it('never repeat a card number in the reason for refusing it', () => {
    const result = cardSchema.safeParse({ number: '4242424242424241', expMonth: 1, expYear: 2030 });
    expect(JSON.stringify(result.error)).toContain('Luhn');
    expect(JSON.stringify(result.error)).not.toContain('4242424242424241');
  });

  it.each([
    ['a metadata value', metadataSchema, { note: '4242 4242 4242 4242' }],
    ['a metadata key', metadataSchema, { '4242-4242-4242-4242': 'card' }],
    ['the code of an account', accountCodeSchema, 'user:4242424242424242:wallet'],
    ['the type of a transaction', transactionRequestSchema.shape.type, 'C4242424242424242'],
  ])('take no card number for %s', (_where, schema, value) => {
    expect(schema.safeParse(value).success).toBe(false);
    // The same with digits that fail the check.
    expect(schema.safeParse(JSON.parse(JSON.stringify(value).replaceAll('42', '43'))).success).toBe(true);
  });

  it('have an event for every topic, and a topic for every event', () => {
    const topicsWithEvents = new Set([...EVENT_CATALOGUE.values()].map((definition) => definition.topic));
    expect([...topicsWithEvents].sort()).toEqual(Object.values(TOPICS).flat().sort());
  });

  it('name each event after its topic and version', () => {
    for (const [type, definition] of EVENT_CATALOGUE) expect(type).toMatch(new RegExp(`^${definition.topic}\\.v\\d+$`));
  });

  it('can be written as JSON Schema', () => {
    for (const definition of EVENT_CATALOGUE.values())
      expect(z.toJSONSchema(definition.payload, { target: 'draft-2020-12' })).toHaveProperty('properties');
  });

  it('give roles only scopes that exist, and no role but service the internal one', () => {
    for (const [role, scopes] of Object.entries(ROLES)) {
      for (const scope of scopes) expect(SCOPES).toHaveProperty([scope]);
      if (role !== 'service') expect(scopes).not.toContain('internal');
    }
  });

  it('tell for every problem what the caller should change', () => {
    for (const [code, problem] of Object.entries(PROBLEMS)) {
      expect(code).toMatch(/^[a-z_]+$/);
      expect(problem.remedy.length).toBeGreaterThan(10);
    }
  });
});
