import { describe, expect, it } from '@jest/globals';

import { Passwords, TooManyPasswordsError } from './passwords.js';

describe('passwords', () => {
  const passwords = new Passwords();

  it('are kept as argon2id hashes with a salt of their own', async () => {
    const [first, second] = [await passwords.hash('secret123'), await passwords.hash('secret123')];
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(first).not.toBe(second);
    expect(await passwords.matches('secret123', first)).toBe(true);
    expect(await passwords.matches('secret124', first)).toBe(false);
  });

  it('of an account that does not exist are never right, not even the stand-in', async () => {
    expect(await passwords.matches('the password of nobody', undefined)).toBe(false);
  });

  it('wait in a bounded queue, and beyond it are refused', async () => {
    const hash = await passwords.hash('x');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 150 }, async () => await passwords.matches('x', hash)),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(150 - 130);
    expect(refused.every((outcome) => outcome.reason instanceof TooManyPasswordsError)).toBe(true);
  });
});
