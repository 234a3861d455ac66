import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { breakingChanges, type Schema } from './breaking-changes.ts';

const schemaOf = (schema: z.ZodType): Schema => z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });

const published = {
  paymentId: z.string(),
  amount: z.int().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/),
  userId: z.string().nullable(),
  reason: z.string().optional(),
  status: z.enum(['OPEN', 'CLOSED']),
  at: z.iso.datetime(),
  method: z.object({ type: z.string(), last4: z.string().optional() }),
  lines: z.array(z.object({ id: z.string(), gross: z.int() })).max(200),
  metadata: z.record(z.string(), z.string()),
  due: z.union([z.iso.datetime(), z.null()]),
};
const PUBLISHED = schemaOf(z.object(published));
const without = (name: keyof typeof published) =>
  Object.fromEntries(Object.entries(published).filter(([field]) => field !== name));

const changesOf = (changed: Record<string, z.ZodType>) =>
  breakingChanges(PUBLISHED, schemaOf(z.object({ ...published, ...changed }))).map(
    ({ path, kind }) => `${path} ${kind}`,
  );

describe('what breaks a published event', () => {
  it('is none where nothing changed', () => {
    expect(breakingChanges(PUBLISHED, PUBLISHED)).toEqual([]);
  });

  it.each(Object.keys(published) as (keyof typeof published)[])('is that %s is gone', (name) => {
    const found = breakingChanges(PUBLISHED, schemaOf(z.object(without(name))));
    expect(found.map(({ path, kind }) => `${path} ${kind}`)).toEqual([`${name} field_removed`]);
  });

  it.each<[string, Record<string, z.ZodType>, string]>([
    ['a field may be missing that never was', { paymentId: z.string().optional() }, 'paymentId field_may_be_missing'],
    ['a field must be there that old events lack', { reason: z.string() }, 'reason field_must_be_there'],
    ['a text becomes a number', { paymentId: z.int() }, 'paymentId type_changed'],
    ['a number becomes a text', { amount: z.string() }, 'amount type_changed'],
    ['a value may be null that never was', { paymentId: z.string().nullable() }, 'paymentId type_changed'],
    ['a value may not be null any more', { userId: z.string() }, 'userId type_changed'],
    ['a value of a list is gone', { status: z.enum(['OPEN']) }, 'status values_changed'],
    [
      'a list has a value that no reader knows',
      { status: z.enum(['OPEN', 'CLOSED', 'LOST']) },
      'status values_changed',
    ],
    ['a list became any text', { status: z.string() }, 'status values_changed'],
    ['any text became a list', { paymentId: z.enum(['a']) }, 'paymentId values_changed'],
    ['a bound is narrower', { amount: z.int().min(100) }, 'amount constraint_changed'],
    ['a bound is wider', { amount: z.int().min(-5) }, 'amount constraint_changed'],
    ['whole numbers become any', { amount: z.number().min(1) }, 'amount type_changed'],
    ['a pattern is another', { currency: z.string().regex(/^[A-Za-z]{3}$/) }, 'currency constraint_changed'],
    ['a time is any text', { at: z.string() }, 'at constraint_changed'],
    ['a text has a form that it had not', { paymentId: z.string().max(10) }, 'paymentId constraint_changed'],
    ['a field within a field is gone', { method: z.object({ type: z.string() }) }, 'method.last4 field_removed'],
    [
      'a field within a list is gone',
      { lines: z.array(z.object({ id: z.string() })).max(200) },
      'lines[].gross field_removed',
    ],
    [
      'a field within a list is another',
      { lines: z.array(z.object({ id: z.string(), gross: z.string() })).max(200) },
      'lines[].gross type_changed',
    ],
    [
      'a list may be longer',
      { lines: z.array(z.object(published.lines.element.shape)).max(500) },
      'lines constraint_changed',
    ],
    [
      'values of a map are others',
      { metadata: z.record(z.string(), z.int()) },
      'metadata[additionalProperties] type_changed',
    ],
    ['an object became a text', { method: z.string() }, 'method type_changed'],
    ['an alternative is gone', { due: z.iso.datetime() }, 'due type_changed'],
    ['an alternative came', { due: z.union([z.iso.datetime(), z.null(), z.int()]) }, 'due type_changed'],
    ['an alternative is another', { due: z.union([z.int(), z.null()]) }, 'due type_changed'],
  ])('is that %s', (_, changed, expected) => {
    expect(changesOf(changed)[0]).toBe(expected);
  });

  it('says all that is wrong at once', () => {
    expect(changesOf({ amount: z.string(), status: z.enum(['OPEN']) })).toEqual([
      'amount type_changed',
      'status values_changed',
    ]);
  });
});

describe('what breaks nobody', () => {
  it.each<[string, Record<string, z.ZodType>]>([
    ['a new field that may be missing', { note: z.string().optional() }],
    ['a new field that is always there', { fee: z.int() }],
    ['a new field within a field', { method: z.object({ ...published.method.shape, brand: z.string() }) }],
    [
      'a new field within a list',
      { lines: z.array(z.object({ ...published.lines.element.shape, fee: z.int() })).max(200) },
    ],
    ['another order of the listed values', { status: z.enum(['CLOSED', 'OPEN']) }],
    ['other words about a field', { amount: published.amount.meta({ description: 'Minor units.', examples: [5] }) }],
  ])('is %s', (_, changed) => {
    expect(changesOf(changed)).toEqual([]);
  });
});
