import { describe, expect, it } from '@jest/globals';

import { clientCredentialsOf } from './client-credentials.js';
import { clientSecretMatches, hashClientSecret, newClientSecret, UNKNOWN_CLIENT_HASH } from './client-secret.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('client credentials', () => {
  it('come in the Authorization header, form-encoded (RFC 6749 §2.3.1)', () => {
    expect(clientCredentialsOf(basic('cli_1:a%3Ab+c'), {})).toEqual({
      kind: 'found',
      credentials: { clientId: 'cli_1', clientSecret: 'a:b c' },
    });
  });

  it('come in the body', () => {
    expect(clientCredentialsOf(undefined, { client_id: 'cli_1', client_secret: 's' })).toEqual({
      kind: 'found',
      credentials: { clientId: 'cli_1', clientSecret: 's' },
    });
  });

  it.each([
    ['another scheme', 'Bearer abc', {}],
    ['no base64', 'Basic ***', {}],
    ['no colon', basic('cli_1'), {}],
    ['a broken percent-encoding', basic('cli_1:%zz'), {}],
    ['two ways at once', basic('cli_1:s'), { client_id: 'cli_1', client_secret: 's' }],
    ['two client ids', basic('cli_1:s'), { client_id: 'cli_2' }],
  ])('are malformed with %s', (_, authorization, body) => {
    expect(clientCredentialsOf(authorization, body).kind).toBe('malformed');
  });

  it.each([{}, { client_id: 'cli_1' }, { client_secret: 's' }])('are missing in %j', (body) => {
    expect(clientCredentialsOf(undefined, body)).toEqual({ kind: 'missing' });
  });
});

describe('a client secret', () => {
  it('matches its own hash and no other', () => {
    const secret = newClientSecret();
    expect(clientSecretMatches(secret, hashClientSecret(secret))).toBe(true);
    expect(clientSecretMatches(`${secret}x`, hashClientSecret(secret))).toBe(false);
    expect(clientSecretMatches(secret, UNKNOWN_CLIENT_HASH)).toBe(false);
  });
});
