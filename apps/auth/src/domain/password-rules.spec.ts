import { describe, expect, it } from '@jest/globals';

import { COMMON_PASSWORDS } from './common-passwords.js';
import { weaknessOf } from './password-rules.js';

describe('a new password', () => {
  it.each([
    'password123',
    'PASSWORD123',
    'ｐａｓｓｗｏｒｄ',
    '12345678',
    'iloveyou',
    '        ',
    'ann.smith',
    'Ann.Smith@example.com',
  ])('is refused when it is %j', (password) => {
    expect(weaknessOf(password, ['ann.smith@example.com'])).toEqual(expect.any(String));
  });

  it.each(['secret123', 'correct horse battery', 'пароль-пароль', 'ann.smith.1'])(
    'is taken when it is %j',
    (password) => {
      expect(weaknessOf(password, ['ann.smith@example.com'])).toBeUndefined();
    },
  );

  it('is compared with a list that holds nothing which its length refuses already', () => {
    expect([...COMMON_PASSWORDS].filter((word) => word.length < 8 || word !== word.toLowerCase())).toEqual([]);
  });
});
