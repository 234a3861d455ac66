import { describe, expect, it } from '@jest/globals';

import { messageOf } from './codes.js';

describe('what people are told', () => {
  it('has the code in the text and never in the subject, which stands on locked screens', () => {
    for (const purpose of ['verification', 'password_reset'] as const) {
      expect(messageOf(purpose, 'email', '123456', 'alice').text).toContain('123456');
      expect(messageOf(purpose, 'sms', '123456', 'alice').text).toContain('for the account alice.');
      expect(messageOf(purpose, 'email', '123456', 'alice').subject).not.toContain('123456');
      expect(messageOf(purpose, 'sms', '123456', 'alice')).toMatchObject({ subject: null });
    }
  });

  it('tells the owner of an address that somebody tried it, without a code', () => {
    expect(messageOf('already_registered', 'email', null, 'alice').text).not.toMatch(/\d{6}/);
  });
});
