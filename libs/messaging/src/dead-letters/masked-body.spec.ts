import { describe, expect, it } from '@jest/globals';

import { maskedBody, maskedText } from './masked-body.js';

const bodyOf = (value: unknown): string => maskedBody(Buffer.from(JSON.stringify(value)));

describe('the body of a dead letter as people see it', () => {
  it('keeps what tells why it was refused', () => {
    const envelope = {
      eventId: 'evt_1',
      type: 'token.created.v1',
      payload: { tokenId: 'tok_7', amount: 1050, last4: '4242' },
    };
    expect(bodyOf(envelope)).toBe(JSON.stringify(envelope));
  });

  it('has no card number, in whatever form it is written', () => {
    for (const text of ['"4242424242424242"', '4242 4242 4242 4242', '{"n":4242424242424242}'])
      expect(maskedText(text)).not.toContain('424242424242');
    expect(maskedBody(Buffer.from(String.raw`{"n":"\u0034242424242424242"}`))).not.toContain('242424242424242');
  });

  it.each([
    ['a password', { password: 'open sesame' }, 'open sesame'],
    ['a password with a quote in it', { password: 'open " sesame' }, 'sesame'],
    ['a client secret', { clientSecret: 'cs_hidden' }, 'cs_hidden'],
    ['a security code that is a number', { cvc: 123 }, '123'],
    ['an authorization header', { headers: { authorization: 'Bearer abcdefgh12345678' } }, 'abcdefgh'],
    ['a token by its look', { note: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3IifQ.c2lnbmF0dXJl' }, 'eyJhbGci'],
    ['an API key by its look', { note: 'sk_test_abcdefghijklmnop' }, 'abcdefghijklmnop'],
    ['a webhook secret by its look', { note: 'whsec_MfKQ9r8GKYqrTwjUPD8I' }, 'MfKQ9r8GKYqr'],
    ['a mail address', { to: 'alice.smith@example.com' }, 'alice.smith'],
    ['a phone number', { to: '+41791234567' }, '4179123'],
  ])('does not have %s', (_name, value, hidden) => {
    expect(bodyOf(value)).not.toContain(hidden);
  });

  it('shortens addresses so that two of them can still be told apart', () => {
    expect(maskedText('alice.smith@example.com, +41791234567')).toBe('a…@example.com, +…67');
  });

  it('masks what is cut off in the middle, and what is no JSON', () => {
    expect(maskedText('{"password":"open ses')).toBe('{"password":"[masked]"');
    expect(maskedText('client_secret=abc&x=1')).toBe('client_secret=[masked]&x=1');
  });

  it('ends after ten thousand characters, whatever stands at the border', () => {
    const text = `${'x'.repeat(9_990)} sk_test_${'a'.repeat(9_000)}`;
    const shown = maskedBody(Buffer.from(text));
    expect(shown.length).toBeLessThanOrEqual(10_000);
    expect(shown).not.toContain('aaaa');
  });

  it('is done soon with a text that is made to keep it busy', () => {
    for (const piece of ['"secret', 'secret', '"password":"', 'eyJ', 'a@', '+1', '\\u0034'])
      expect(maskedBody(Buffer.from(piece.repeat(20_000))).length).toBeLessThanOrEqual(10_000);
  });
});
