import { describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'openid-client';

import { call, demo, newMerchant } from './stack.js';

/** Plain HTTP, on one machine only. */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that nobody uses it elsewhere
const INSECURE = { execute: [oauth.allowInsecureRequests] };

const discovered = async (clientId: string, authentication: oauth.ClientAuth): Promise<oauth.Configuration> =>
  await oauth.discovery(new URL(demo().gateway), clientId, undefined, authentication, INSECURE);

describe('a foreign OAuth client', () => {
  it.each([
    ['HTTP Basic', oauth.ClientSecretBasic],
    ['the body', oauth.ClientSecretPost],
  ])('discovers the server and gets a token with its credentials in %s', async (_, authentication) => {
    const { clientId, clientSecret, merchantId } = demo().merchant;
    const server = await discovered(clientId, authentication(clientSecret));
    expect(server.serverMetadata().issuer).toBe(demo().gateway);
    const tokens = await oauth.clientCredentialsGrant(server, { scope: 'payments:read' });
    expect(tokens).toMatchObject({ scope: 'payments:read', expires_in: expect.any(Number) });
    expect((await call('GET', '/payments', { token: tokens.access_token })).status).toBe(200);
    const keys = createRemoteJWKSet(new URL(server.serverMetadata().jwks_uri ?? ''));
    const verified = await jwtVerify(tokens.access_token, keys, {
      issuer: demo().gateway,
      audience: 'payflow',
      typ: 'at+jwt',
    });
    expect(verified.payload).toMatchObject({ sub: clientId, merchant_id: merchantId });
  });

  it('prolongs the session of a person, and reads why a token that was used is refused', async () => {
    const { email, password } = demo().customer;
    const login = await call('POST', '/auth/login', { body: { email, password } });
    const server = await discovered('payflow', oauth.None());
    const tokens = await oauth.refreshTokenGrant(server, String(login.body['refreshToken']));
    expect((await call('GET', '/me', { token: tokens.access_token })).status).toBe(200);
    await oauth.refreshTokenGrant(server, String(tokens.refresh_token));
    await expect(oauth.refreshTokenGrant(server, 'nobody has this one')).rejects.toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
  });

  it('reads why a scope is refused', async () => {
    const { clientId, clientSecret } = demo().merchant;
    const server = await discovered(clientId, oauth.ClientSecretPost(clientSecret));
    await expect(oauth.clientCredentialsGrant(server, { scope: 'ledger:post' })).rejects.toMatchObject({
      status: 400,
      error: 'invalid_scope',
    });
  });
});

describe('the grants that need no client', () => {
  it('are announced with the others', async () => {
    const { body } = await call<{ grant_types_supported: string[] }>('GET', '/.well-known/openid-configuration');
    expect(body.grant_types_supported).toContain('urn:payflow:params:oauth:grant-type:api-key');
    const { merchantId, token } = await newMerchant();
    const { apiKey } = (await call('POST', `/merchants/${merchantId}/api-keys`, { token, body: { name: 'Server' } }))
      .body;
    const exchanged = await call('POST', '/oauth/token', {
      body: { grant_type: 'urn:payflow:params:oauth:grant-type:api-key', api_key: apiKey },
    });
    expect(exchanged.status).toBe(200);
  });
});
