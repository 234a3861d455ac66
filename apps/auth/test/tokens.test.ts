import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { API_KEY_GRANT, PUBLISHABLE_KEY_GRANT, SCOPES } from '@payflow/contracts';
import type { TestDatabase } from '@payflow/testing';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';

import { SigningKeys } from '../src/keys/signing-keys.js';
import {
  get,
  identityDatabase,
  ISSUER,
  logIn,
  postForm,
  postJson,
  type RunningAuth,
  SERVICE_SECRET,
  startAuth,
  tokenOf,
} from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
});

afterAll(async () => {
  await auth.stop();
  await database.drop();
});

const credentials = () => ({
  client_id: auth.demo.merchant.clientId,
  client_secret: auth.demo.merchant.clientSecret,
});
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});
const tokenUrl = () => `${auth.url}/oauth/token`;
const clientToken = async (scope?: string) =>
  await postForm(tokenUrl(), { grant_type: 'client_credentials', ...credentials(), ...(scope ? { scope } : {}) });

describe('POST /oauth/token', () => {
  it('gives a merchant a token that verifies against the published keys and says what RFC 9068 asks', async () => {
    const answer = await clientToken();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: 3_600 });
    const keys = createRemoteJWKSet(new URL(`${auth.url}/.well-known/jwks.json`));
    const verified = await jwtVerify(tokenOf(answer), keys, { issuer: ISSUER, audience: 'payflow', typ: 'at+jwt' });
    expect(verified.protectedHeader.alg).toBe('ES256');
    const { merchantId, clientId } = auth.demo.merchant;
    expect(verified.payload).toMatchObject({
      sub: clientId,
      client_id: clientId,
      kind: 'client',
      roles: ['merchant'],
      merchant_id: merchantId,
      scope: answer.body['scope'],
    });
  });

  it('takes the credentials as a form, as JSON, and as HTTP Basic', async () => {
    const { client_id, client_secret } = credentials();
    expect((await postJson(tokenUrl(), { grant_type: 'client_credentials', client_id, client_secret })).status).toBe(
      200,
    );
    const form = { grant_type: 'client_credentials' };
    expect((await postForm(tokenUrl(), form, basic(client_id, client_secret))).status).toBe(200);
  });

  it('narrows the scopes to those asked for', async () => {
    const answer = await clientToken('payments:read');
    expect(answer.body['scope']).toBe('payments:read');
    expect(decodeJwt(tokenOf(answer))['scope']).toBe('payments:read');
  });

  it('ignores parameters it does not know and those without a value (RFC 6749 §3.2)', async () => {
    const form = { grant_type: 'client_credentials', ...credentials(), scope: '', resource: 'x' };
    expect((await postForm(tokenUrl(), form)).status).toBe(200);
  });

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client', 'invalid_credentials'],
    ['an unknown client', { client_id: 'cli_nobody' }, 401, 'invalid_client', 'invalid_credentials'],
    ['no client', { client_id: '', client_secret: '' }, 401, 'invalid_client', 'invalid_credentials'],
    ['a scope it was not granted', { scope: 'keys:rotate' }, 400, 'invalid_scope', 'invalid_scope'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type', 'unsupported_grant_type'],
    ['no grant', { grant_type: '' }, 400, 'invalid_request', 'validation_failed'],
    ['an injection', { client_id: `x' OR 1=1 --` }, 401, 'invalid_client', 'invalid_credentials'],
  ])('refuses %s with the OAuth error and our code', async (_, change, status, error, code) => {
    const answer = await postForm(tokenUrl(), { grant_type: 'client_credentials', ...credentials(), ...change });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ error, code, status });
    if (status === 401) expect(answer.headers.get('www-authenticate')).toBe('Basic realm="payflow"');
  });

  it('answers a wrong secret and an unknown client in the same words', async () => {
    const wrong = await postForm(tokenUrl(), {
      grant_type: 'client_credentials',
      ...credentials(),
      client_secret: 'x',
    });
    const unknown = await postForm(tokenUrl(), {
      grant_type: 'client_credentials',
      client_id: 'cli_x',
      client_secret: 'x',
    });
    expect({ ...unknown.body, requestId: '' }).toEqual({ ...wrong.body, requestId: '' });
  });

  it('refuses two ways of authentication at once, broken JSON and other media types', async () => {
    const { client_id, client_secret } = credentials();
    const twice = await postForm(
      tokenUrl(),
      { grant_type: 'client_credentials', client_id, client_secret },
      basic(client_id, client_secret),
    );
    expect(twice.body).toMatchObject({ error: 'invalid_request', status: 400 });
    const broken = await fetch(tokenUrl(), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(broken.status).toBe(400);
    const xml = await fetch(tokenUrl(), { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<a/>' });
    expect(xml.status).toBe(415);
  });

  it('gives services every scope, and the ledger client its two without a merchant', async () => {
    const service = await postForm(tokenUrl(), {
      grant_type: 'client_credentials',
      client_id: 'svc_payment',
      client_secret: SERVICE_SECRET,
    });
    expect(decodeJwt(tokenOf(service))).toMatchObject({ sub: 'svc_payment', kind: 'service', roles: ['service'] });
    expect(String(service.body['scope']).split(' ').sort()).toEqual(Object.keys(SCOPES).sort());
    const { clientId, clientSecret } = auth.demo.ledgerClient;
    const ledger = decodeJwt(
      tokenOf(
        await postForm(tokenUrl(), {
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: clientSecret,
        }),
      ),
    );
    expect(ledger).toMatchObject({ kind: 'client', roles: [], scope: 'ledger:post ledger:read' });
    expect(ledger).not.toHaveProperty('merchant_id');
  });
});

describe('an access token', () => {
  const me = async (token?: string) => await get(`${auth.url}/me`, token);

  it('is refused when it is missing, altered, expired, unsigned, signed by another, or for another audience', async () => {
    const token = await logIn(auth, 'customer');
    expect((await me(token)).status).toBe(200);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const claims = decodeJwt(token);
    const { kid } = decodeProtectedHeader(token);
    const { generateKeyPair } = await import('jose');
    const stranger = await generateKeyPair('ES256');
    const signedByStranger = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: String(kid) })
      .sign(stranger.privateKey);
    const unsigned = new UnsecuredJWT(claims).encode();
    const noneWithOurHeader = `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid })).toString('base64url')}.${payload}.`;
    const altered = Buffer.from(JSON.stringify({ ...claims, roles: ['admin'] })).toString('base64url');
    for (const bad of [
      'nonsense',
      unsigned,
      noneWithOurHeader,
      signedByStranger,
      `${header}.${altered}.${signature}`,
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    ]) {
      const answer = await me(bad);
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
    expect(await me()).toMatchObject({ status: 401, body: { code: 'authentication_required' } });
  });

  it('is refused, though our own key signed it, when it has run out, is for someone else, or is no access token', async () => {
    const claims = decodeJwt(await logIn(auth, 'customer'));
    const { kid, privateKey } = await auth.app.get(SigningKeys).signer();
    const signed = async (change: object, typ = 'at+jwt') =>
      await new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'ES256', typ, kid }).sign(privateKey);
    const now = Math.floor(Date.now() / 1_000);
    expect((await me(await signed({}))).status).toBe(200);
    for (const bad of [
      await signed({ exp: now - 60 }),
      await signed({ nbf: now + 600 }),
      await signed({ aud: 'another-platform' }),
      await signed({ iss: 'http://elsewhere.test' }),
      await signed({}, 'JWT'),
      await signed({ kind: 'superuser' }),
    ])
      expect(await me(bad)).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  });

  it('tells at /me who a client is', async () => {
    const answer = await me(tokenOf(await clientToken()));
    const { merchantId, clientId } = auth.demo.merchant;
    expect(answer.body).toMatchObject({ id: clientId, kind: 'client', merchantId, roles: ['merchant'] });
  });

  it('tells at /me who a person is', async () => {
    const answer = await me(await logIn(auth, 'customer'));
    const { userId, email } = auth.demo.customer;
    expect(answer.body).toMatchObject({
      id: userId,
      userId,
      kind: 'user',
      email,
      username: null,
      phone: null,
      name: 'Demo customer',
      status: 'ACTIVE',
      roles: ['customer'],
    });
  });
});

describe('the metadata', () => {
  it.each(['oauth-authorization-server', 'openid-configuration'])(
    'at /.well-known/%s names issuer, token and key addresses',
    async (name) => {
      const answer = await get(`${auth.url}/.well-known/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toContain('max-age');
      expect(answer.body).toMatchObject({
        issuer: ISSUER,
        token_endpoint: `${ISSUER}/oauth/token`,
        jwks_uri: `${ISSUER}/.well-known/jwks.json`,
        grant_types_supported: ['client_credentials', 'refresh_token', API_KEY_GRANT, PUBLISHABLE_KEY_GRANT],
      });
    },
  );

  it('has an OpenAPI description of every route, with the scopes it needs', async () => {
    const answer = await get(`${auth.url}/openapi.json`);
    const paths = answer.body['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    expect(
      Object.keys(paths)
        .filter((path) => !path.startsWith('/operations/'))
        .sort(),
    ).toEqual([
      '/.well-known/jwks.json',
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/audit-log',
      '/auth/2fa/confirm',
      '/auth/2fa/disable',
      '/auth/2fa/enroll',
      '/auth/keys/rotate',
      '/auth/login',
      '/auth/logout',
      '/auth/password',
      '/auth/password/forgot',
      '/auth/password/reset',
      '/auth/refresh',
      '/auth/register',
      '/auth/sessions',
      '/auth/sessions/{sessionId}',
      '/auth/verify',
      '/auth/verify/resend',
      '/dev/mailbox',
      '/me',
      '/me/memberships',
      '/me/memberships/{merchantId}',
      '/me/memberships/{merchantId}/accept',
      '/merchants',
      '/merchants/{merchantId}',
      '/merchants/{merchantId}/api-keys',
      '/merchants/{merchantId}/api-keys/{apiKeyId}',
      '/merchants/{merchantId}/api-keys/{apiKeyId}/roll',
      '/merchants/{merchantId}/block',
      '/merchants/{merchantId}/clients',
      '/merchants/{merchantId}/clients/{clientId}',
      '/merchants/{merchantId}/clients/{clientId}/secret/rotate',
      '/merchants/{merchantId}/members',
      '/merchants/{merchantId}/members/{userId}',
      '/merchants/{merchantId}/publishable-keys',
      '/merchants/{merchantId}/publishable-keys/{publishableKey}',
      '/merchants/{merchantId}/unblock',
      '/oauth/token',
      '/users',
      '/users/{userId}',
      '/users/{userId}/block',
      '/users/{userId}/roles',
      '/users/{userId}/sessions/revoke',
      '/users/{userId}/unblock',
    ]);
    for (const [, reference = ''] of answer.text.matchAll(/"\$ref":"#\/([^"]+)"/g))
      expect(answer.body).toHaveProperty(reference.split('/'));
    expect(paths['/auth/keys/rotate']?.['post']?.['x-required-scopes']).toEqual(['keys:rotate']);
  });
});
