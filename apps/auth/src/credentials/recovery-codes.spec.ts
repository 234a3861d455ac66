import { describe, expect, it } from '@jest/globals';

import { newRecoveryCodes, plainRecoveryCode } from './recovery-codes.js';

describe('recovery codes', () => {
  it('are ten, all different, and easy to copy', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[2-9a-hjkmnp-tv-z]{5}-[2-9a-hjkmnp-tv-z]{5}$/);
  });

  it.each(['abcde-fghjk', ' ABCDE FGHJK ', 'abcdefghjk', 'a b c d e - f g h j k'])(
    '%j is read as it is meant',
    (typed) => {
      expect(plainRecoveryCode(typed)).toBe('abcde-fghjk');
    },
  );
});
