import { describe, expect, it } from '@jest/globals';

import { newTotpSecret, otpauthUri, stepOf } from './totp.js';

/** RFC 6238 appendix B: the ASCII secret 12345678901234567890, and the last six of its eight digits. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('time-based codes', () => {
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at second %d, %s is the code of that step, as RFC 6238 has it', (second, code) => {
    expect(stepOf(SECRET, code, new Date(second * 1_000))).toBe(Math.floor(second / 30));
  });

  it('are taken one step before and after, and name their own step, so that each is used once', () => {
    const step = Math.floor(1_111_111_109 / 30);
    const at = (steps: number): Date => new Date((1_111_111_109 + steps * 30) * 1_000);
    expect([-2, -1, 0, 1, 2].map((steps) => stepOf(SECRET, '081804', at(steps)))).toEqual([
      undefined,
      step,
      step,
      step,
      undefined,
    ]);
  });

  it('have secrets of 160 bits, written as authenticators read them', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(otpauthUri(secret, 'ann@example.com')).toBe(
      `otpauth://totp/PayFlow:ann%40example.com?issuer=PayFlow&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    );
  });
});
