import { describe, expect, it } from '@jest/globals';

import { loginNameOf, newNameOf } from './login-name.js';

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

describe('a new name', () => {
  it.each([
    [{ username: 'Alice.B-c_9' }, 'alice.b-c_9'],
    [{ username: 'ＡＬＩＣＥ' }, 'alice'],
    [{ email: ' Ann+Shop@Mail.Example.COM ' }, 'ann+shop@mail.example.com'],
    [{ phone: '+44 (0)7911 123456' }, '+447911123456'],
    [{ phone: '＋1 202-555-0123' }, '+12025550123'],
  ])('%j is stored as %j', (typed, value) => {
    expect(newNameOf(typed)).toMatchObject({ usable: true, name: { value } });
  });

  it.each([
    { username: 'ab' },
    { username: 'a'.repeat(33) },
    { username: '.alice' },
    { username: 'alice-' },
    { username: 'al__ice' },
    { username: 'аlice' },
    { username: 'alıce' },
    { username: 'straße' },
    { username: 'al ice' },
    { email: 'ann' },
    { email: 'ann@localhost' },
    { email: '@example.com' },
    { email: 'ann@@example.com' },
    { email: '.ann@example.com' },
    { email: `${'a'.repeat(65)}@example.com` },
    { email: 'ann@-example.com' },
    { phone: '07911 123456' },
    { phone: '+44' },
    { phone: '+999 123 456 789' },
    { phone: '' },
  ])('%j is refused', (typed) => {
    expect(newNameOf(typed)).toMatchObject({ usable: false });
  });
});
