import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { hashRefreshToken, newRefreshToken, successorOf } from './refresh-token.js';

describe('refresh tokens', () => {
  const key = randomBytes(32);

  it('are never twice the same, nor like their hash', () => {
    const [first, second] = [newRefreshToken(), newRefreshToken()];
    expect(first).toMatch(/^pfr_[\w-]{43}$/);
    expect(first).not.toBe(second);
    expect(hashRefreshToken(first)).toHaveLength(32);
  });

  it('have one successor, which nobody can tell without both the token and the key', () => {
    const token = newRefreshToken();
    expect(successorOf(token, key)).toBe(successorOf(token, key));
    expect(successorOf(token, key)).toMatch(/^pfr_[\w-]{43}$/);
    expect(successorOf(token, randomBytes(32))).not.toBe(successorOf(token, key));
    expect(successorOf(newRefreshToken(), key)).not.toBe(successorOf(token, key));
  });
});
