import { describe, expect, it } from '@jest/globals';
import { PROBLEMS } from '@payflow/contracts';

import { adminToken, call, customerToken, demo, demoMerchantToken, ledgerToken, newKey, newMerchant } from './stack.js';

describe('the front door', () => {
  it('serves one OpenAPI 3.1 document whose references all resolve (R-203)', async () => {
    const { body, status } = await call<any>('GET', '/openapi.json');
    expect(status).toBe(200);
    expect(body.openapi).toMatch(/^3\.1/);
    for (const path of [
      '/payments/authorize',
      '/payments/{paymentId}/capture',
      '/tokens',
      '/ledger/transactions',
      '/oauth/token',
      '/test-cards',
    ])
      expect(Object.keys(body.paths)).toContain(path);
    expect(Object.keys(body.paths).filter((path) => path.startsWith('/internal'))).toEqual([]);
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((name) => !(name in body.components.schemas))).toEqual([]);
    const ids = Object.values<any>(body.paths).flatMap((item) =>
      Object.values<any>(item).map((operation) => operation.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has a reference page, and a page for each problem code', async () => {
    const docs = await fetch(`${demo().gateway}/docs`);
    expect(docs.status).toBe(200);
    expect(docs.headers.get('content-type')).toContain('html');
    for (const code of Object.keys(PROBLEMS))
      expect((await fetch(`${demo().gateway}/docs/problems/${code}`)).status).toBe(200);
  });

  it('tells the health of the whole (R-181)', async () => {
    const { status, text } = await call('GET', '/health/ready');
    expect(status).toBe(200);
    for (const name of ['auth', 'payment', 'tokenization', 'ledger']) expect(text).toContain(name);
  });

  it('shows what is left of the rate limit, and sets security headers and a request id (R-144)', async () => {
    const { headers } = await call('GET', '/payments', {
      token: await demoMerchantToken(),
      headers: { 'x-request-id': 'my-request-1' },
    });
    expect(headers.get('ratelimit')).toMatch(/r=\d+/);
    expect(headers.get('ratelimit-policy')).toMatch(/q=\d+/);
    expect(headers.get('x-request-id')).toBe('my-request-1');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toContain('no-store');
  });

  it('lists the test cards, cacheable (R-086, R-148)', async () => {
    const { body, headers } = await call('GET', '/test-cards');
    expect(body['data'].map((card: { number: string }) => card.number)).toEqual(
      expect.arrayContaining(['4242424242424242', '4000000000000002']),
    );
    expect(headers.get('cache-control')).toContain('max-age');
  });
});

describe('identity', () => {
  it('names its metadata and keys (R-011)', async () => {
    const { body } = await call('GET', '/.well-known/openid-configuration');
    expect(body).toMatchObject({
      issuer: demo().gateway,
      token_endpoint: `${demo().gateway}/oauth/token`,
      jwks_uri: `${demo().gateway}/.well-known/jwks.json`,
    });
    const jwks = await call('GET', '/.well-known/jwks.json');
    expect(jwks.body['keys'].length).toBeGreaterThanOrEqual(1);
    expect(jwks.text).not.toContain('"d"');
  });

  it('lets a customer log in and tells him who he is (R-005, R-016)', async () => {
    const { body } = await call('GET', '/me', { token: await customerToken() });
    expect(body).toMatchObject({ email: demo().customer.email, status: 'ACTIVE', roles: ['customer'] });
    expect(body['userId']).toMatch(/^usr_/);
  });

  it('answers a wrong password and an unknown user the same way (R-006)', async () => {
    const wrong = await call('POST', '/auth/login', { body: { email: demo().customer.email, password: 'wrong' } });
    const unknown = await call('POST', '/auth/login', {
      body: { email: `${newKey()}@example.com`, password: 'wrong' },
    });
    expect(wrong.body).toMatchObject({ status: 401, code: 'invalid_credentials' });
    const { requestId: _a, ...first } = wrong.body as Record<string, unknown>;
    const { requestId: _b, ...second } = unknown.body as Record<string, unknown>;
    expect(second).toEqual(first);
  });

  it('rotates its signing key: two kids are shown, old tokens still work, new ones carry the new kid (R-014)', async () => {
    const merchant = await newMerchant();
    const before = await call('GET', '/.well-known/jwks.json');
    expect(
      (await call('POST', '/auth/keys/rotate', { token: await adminToken(), key: newKey(), body: {} })).status,
    ).toBeLessThan(300);
    const after = await call('GET', '/.well-known/jwks.json', { headers: { 'cache-control': 'no-cache' } });
    expect(after.body['keys'].length).toBeGreaterThan(before.body['keys'].length);
    expect((await call('GET', '/payments', { token: merchant.token })).status).toBe(200);
    const kidOf = (token: string): string =>
      (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
    const fresh = await newMerchant();
    expect((await call('GET', '/payments', { token: fresh.token })).status).toBe(200);
    expect(after.body['keys'].map((key: { kid: string }) => key.kid)).toEqual(
      expect.arrayContaining([kidOf(merchant.token), kidOf(fresh.token)]),
    );
  });

  it('lets nobody in where his role does not reach (R-013)', async () => {
    expect((await call('GET', '/ledger/trial-balance', { token: await customerToken() })).body).toMatchObject({
      status: 403,
      code: 'insufficient_scope',
    });
    expect(
      (
        await call('POST', '/ledger/transactions', {
          token: await demoMerchantToken(),
          key: newKey(),
          body: { transactions: [] },
        })
      ).status,
    ).toBe(403);
    expect(
      (await call('POST', '/auth/keys/rotate', { token: await demoMerchantToken(), key: newKey(), body: {} })).status,
    ).toBe(403);
  });
});

describe('the ledger as a company’s own', () => {
  it('opens accounts, posts, replays a reference, and never goes below a floor (R-096)', async () => {
    const token = await ledgerToken();
    const suffix = newKey().slice(0, 8);
    const account = async (code: string, floor?: number) =>
      await call('POST', '/ledger/accounts', {
        token,
        key: newKey(),
        body: { code: `${code}:${suffix}`, currency: 'USD', ...(floor === undefined ? {} : { floor }) },
      });
    expect((await account('world')).status).toBe(201);
    const alice = await account('till:alice', 0);
    await account('till:bob', 0);
    const post = async (reference: string, from: string, to: string, amount: number) =>
      await call('POST', '/ledger/transactions', {
        token,
        key: newKey(),
        body: {
          transactions: [
            {
              reference: `${reference}-${suffix}`,
              postings: [{ from: `${from}:${suffix}`, to: `${to}:${suffix}`, amount, currency: 'USD' }],
            },
          ],
        },
      });
    expect((await post('fund', 'world', 'till:alice', 100)).body['results'][0]).toMatchObject({
      status: 'posted',
      replayed: false,
    });
    expect((await post('fund', 'world', 'till:alice', 100)).body['results'][0]).toMatchObject({
      status: 'posted',
      replayed: true,
    });
    expect((await post('pay', 'till:alice', 'till:bob', 101)).body['results'][0]).toMatchObject({
      status: 'refused',
      code: 'insufficient_funds',
    });
    expect((await post('pay-2', 'till:alice', 'till:bob', 100)).body['results'][0]).toMatchObject({ status: 'posted' });
    expect((await call('GET', `/ledger/accounts/${alice.body['accountId']}/balance`, { token })).body).toMatchObject({
      balance: 0,
    });
  });

  it('balances to zero in every currency (R-096)', async () => {
    const { body } = await call('GET', '/ledger/trial-balance', { token: await adminToken() });
    expect(body['currencies'].length).toBeGreaterThan(0);
    for (const row of body['currencies']) expect(row).toMatchObject({ balanced: true, credits: row.debits });
  });
});
