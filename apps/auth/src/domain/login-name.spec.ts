import { describe, expect, it } from '@jest/globals';

import { loginNameOf } from './login-name.js';

describe('a login name', () => {
  it.each([
    [{ username: ' Alice ' }, { kind: 'username', value: 'alice' }],
    [{ username: 'Ａlice' }, { kind: 'username', value: 'alice' }],
    [{ email: 'Ann@Example.COM' }, { kind: 'email', value: 'ann@example.com' }],
    [{ phone: '+49 (30) 123-456' }, { kind: 'phone', value: '+4930123456' }],
  ])('%j is unique as %j', (typed, expected) => {
    expect(loginNameOf(typed)).toEqual(expected);
  });

  it('is missing when nothing was typed', () => {
    expect(loginNameOf({})).toBeUndefined();
  });
});
