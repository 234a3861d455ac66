import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { canonicalJson, type Json } from './canonical.js';

describe('canonical JSON', () => {
  it('sorts keys at every depth and leaves out absent members', () =>
    expect(canonicalJson({ b: 1, a: { d: [2, { f: null, e: 'x' }], c: true }, z: undefined })).toBe(
      '{"a":{"c":true,"d":[2,{"e":"x","f":null}]},"b":1}',
    ));

  it('says the same whatever order the members came in', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).reverse());
        expect(canonicalJson(reversed as Json)).toBe(canonicalJson(members));
      }),
    );
  });

  it('is JSON that reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
