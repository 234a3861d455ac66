import { describe, expect, it } from '@jest/globals';

import { withQueryFields } from './query-fields.js';

describe('the fields of a request that come in its query', () => {
  it('stand beside those of the body', () => {
    expect(withQueryFields(undefined, { amount: '10' })).toEqual({ amount: '10' });
    expect(withQueryFields({ fromWallet: 'a' }, { amount: '10' })).toEqual({ fromWallet: 'a', amount: '10' });
  });

  it('leave the body as it is where there are none, or where it is no object', () => {
    expect(withQueryFields(undefined, {})).toBeUndefined();
    expect(withQueryFields([1], { amount: '10' })).toEqual([1]);
  });

  it('are refused when the body has them too, even alike', () => {
    expect(() => withQueryFields({ amount: '10' }, { amount: '10' })).toThrow(
      expect.objectContaining({
        errors: [{ pointer: '/amount', code: 'duplicate_field', message: 'stands in the body and in the query' }],
      }),
    );
  });

  it('are refused by the name __proto__', () => {
    const query = Object.assign(Object.create(null) as object, JSON.parse('{"__proto__":"1"}'));
    Object.defineProperty(query, '__proto__', { value: '1', enumerable: true });
    expect(() => withQueryFields({}, query)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });
});
