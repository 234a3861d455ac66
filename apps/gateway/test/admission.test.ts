import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually, merchantPrincipal, payerPrincipal } from '@payflow/testing';
import { UnsecuredJWT } from 'jose';

import { rawRequest, type RunningGateway, startGateway } from './running-gateway.js';

const call = async (gateway: RunningGateway, path: string, headers: Record<string, string> = {}, method = 'GET') => {
  const response = await fetch(`${gateway.url}${path}`, { method, headers });
  const text = await response.text();
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, body };
};

describe('authentication', () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });

  afterAll(async () => {
    await gateway.stop();
  });

  it('is asked for before a service hears of the request', async () => {
    const merchant = merchantPrincipal(newId('mer'), newId('cli'));
    const { mint } = gateway;
    const good = await mint.token(merchant);
    const [header = '', payload = '', signature = ''] = good.split('.');
    const bad = {
      nonsense: 'nonsense',
      expired: await mint.token(merchant, { expiresInSeconds: -60 }),
      'for another audience': await mint.token(merchant, { audience: 'elsewhere' }),
      'of another issuer': await mint.token(merchant, { issuer: 'http://elsewhere.test' }),
      unsigned: new UnsecuredJWT({ sub: 'cli_x' }).encode(),
      altered: `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    };
    for (const token of Object.values(bad)) {
      const answer = await call(gateway, '/payments', { authorization: `Bearer ${token}` });
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
    for (const headers of [{}, { authorization: 'Basic YTpi' }])
      for (const path of ['/payments', '/tokens', '/ledger', '/operations/ledger/dead-letters'])
        expect(await call(gateway, path, headers)).toMatchObject({
          status: 401,
          body: { code: 'authentication_required' },
        });
    for (const service of [gateway.payment, gateway.tokenization, gateway.ledger]) expect(service.received).toEqual([]);
    expect((await call(gateway, '/payments', { authorization: `Bearer ${good}` })).status).toBe(200);
  });

  it('is not asked for where everyone may come', async () => {
    for (const path of ['/test-cards', '/.well-known/jwks.json', '/', '/docs', '/openapi.json', '/health/live'])
      expect((await call(gateway, path)).status).toBe(200);
  });
});

describe('a publishable key', () => {
  let gateway: RunningGateway;
  const key = `pk_test_${'k'.repeat(32)}`;

  beforeAll(async () => {
    gateway = await startGateway();
  });

  afterAll(async () => {
    await gateway.stop();
  });

  it('is exchanged, so that the services behind know access tokens only', async () => {
    gateway.mint.exchanges(key, payerPrincipal(newId('mer')));
    for (let time = 0; time < 3; time += 1)
      expect((await call(gateway, '/payments/pay_1/status', { authorization: `Bearer ${key}` })).status).toBe(200);
    const seen = gateway.payment.received.map(({ headers }) => headers.authorization ?? '');
    expect(seen).toHaveLength(3);
    for (const authorization of seen) expect(authorization).toMatch(/^Bearer eyJ/);
    expect(gateway.mint.exchanged).toBe(1);
  });

  it('that nobody has is refused before a service hears of it', async () => {
    const before = gateway.payment.received.length;
    const answer = await call(gateway, '/payments/pay_1/status', { authorization: `Bearer pk_test_${'x'.repeat(32)}` });
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
    expect(gateway.payment.received).toHaveLength(before);
  });
});

describe('an API key', () => {
  let gateway: RunningGateway;
  const key = `sk_test_${'k'.repeat(43)}`;
  const client = merchantPrincipal(newId('mer'), newId('cli'));
  const ask = async (bearer = key) => await call(gateway, '/payments', { authorization: `Bearer ${bearer}` });

  beforeAll(async () => {
    gateway = await startGateway();
    gateway.mint.exchanges(key, client, 'apk_1');
  });

  afterAll(async () => {
    await gateway.stop();
  });

  it('is exchanged once, however many requests come at a time, and no service ever sees it', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await ask()));
    for (const { status } of answers) expect(status).toBe(200);
    expect(gateway.mint.exchanged).toBe(1);
    for (const { headers } of gateway.payment.received) expect(headers.authorization).toMatch(/^Bearer eyJ/);
  });

  it('that nobody has, or that is cut short, is refused', async () => {
    for (const wrong of [`sk_test_${'x'.repeat(43)}`, key.slice(0, -1), 'sk_test_', `sk_live_${'k'.repeat(43)}`])
      expect(await ask(wrong)).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  });

  it('ends with the key, though its token is still kept here', async () => {
    expect((await ask()).status).toBe(200);
    gateway.mint.revoke('apk_1');
    await eventually(async () => {
      expect((await ask()).status).toBe(401);
    });
    gateway.mint.lift('apk_1');
    await eventually(async () => {
      expect((await ask()).status).toBe(200);
    });
    expect(gateway.mint.exchanged).toBeLessThanOrEqual(3);
  });
});

describe('the rate limit', () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway({
      RATE_LIMIT_PER_SECOND: '0.001',
      RATE_LIMIT_BURST: '3',
      CREDENTIAL_RATE_LIMIT_PER_SECOND: '0.001',
      CREDENTIAL_RATE_LIMIT_BURST: '2',
    });
  });

  afterAll(async () => {
    await gateway.stop();
  });

  it('is a bucket for each client, told in each answer', async () => {
    const authorization = await gateway.merchant();
    for (const left of [2, 1, 0]) {
      const answer = await call(gateway, '/payments', { authorization });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('ratelimit-policy')).toBe('"client";q=3;w=3000');
      expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"client";r=${left};t=\\d+$`));
    }
    const refused = await call(gateway, '/payments', { authorization });
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1);
    expect(refused.headers.get('ratelimit')).toMatch(/^"client";r=0;t=3000$/);
    expect((await call(gateway, '/payments', { authorization: await gateway.merchant() })).status).toBe(200);
  });

  it('is narrower in front of passwords and client secrets, and per address', async () => {
    const login = async (authorization: string) => await call(gateway, '/auth/login', { authorization }, 'POST');
    // The mint, which stands for auth here, has no such route: what matters is who answers.
    expect((await login(await gateway.merchant())).status).toBe(404);
    expect((await login('Bearer x')).status).toBe(404);
    const refused = await login(await gateway.merchant());
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-policy')).toBe('"credentials";q=2;w=2000');
    expect((await call(gateway, '/oauth/token', {}, 'POST')).status).toBe(429);
  });

  it('is looked at before a publishable key is, so that nobody tries keys faster', async () => {
    const fresh = await startGateway({ RATE_LIMIT_PER_SECOND: '0.001', RATE_LIMIT_BURST: '3' });
    try {
      const statuses = [];
      for (let count = 0; count < 5; count += 1) {
        const authorization = `Bearer pk_test_${String(count).repeat(32)}`;
        statuses.push((await call(fresh, '/payments', { authorization })).status);
      }
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
      expect(fresh.mint.exchanged).toBe(3);
    } finally {
      await fresh.stop();
    }
  });

  it('also counts tokens that are not valid, by address', async () => {
    const statuses = [];
    for (let count = 0; count < 4; count += 1)
      statuses.push((await call(gateway, '/payments', { authorization: 'Bearer nonsense' })).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  });
});

describe('the rate limit of a bucket that refills', () => {
  it('lets the client in again', async () => {
    const gateway = await startGateway({ RATE_LIMIT_PER_SECOND: '50', RATE_LIMIT_BURST: '1' });
    try {
      const authorization = await gateway.merchant();
      const burst = await Promise.all(
        Array.from({ length: 8 }, async () => await call(gateway, '/payments', { authorization })),
      );
      expect(burst.map((answer) => answer.status)).toContain(429);
      const wait = async (): Promise<number> => (await call(gateway, '/payments', { authorization })).status;
      let status = await wait();
      for (let tries = 0; status === 429 && tries < 200; tries += 1) status = await wait();
      expect(status).toBe(200);
    } finally {
      await gateway.stop();
    }
  });
});

describe('a browser', () => {
  let gateway: RunningGateway;
  let strict: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway();
    strict = await startGateway({ CORS_ORIGINS: 'https://shop.example, https://other.example' });
  });

  afterAll(async () => {
    await gateway.stop();
    await strict.stop();
  });

  const preflight = async (of: RunningGateway, origin: string) =>
    await call(
      of,
      '/payments/authorize',
      {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, idempotency-key',
      },
      'OPTIONS',
    );

  it('may ask from any origin, without credentials of its own, and read our headers', async () => {
    const answer = await preflight(gateway, 'https://shop.example');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization, idempotency-key');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    const actual = await call(gateway, '/payments', { origin: 'https://shop.example' });
    expect(actual.status).toBe(401);
    expect(actual.headers.get('access-control-allow-origin')).toBe('*');
    for (const name of ['RateLimit', 'ETag', 'Idempotent-Replayed', 'X-Request-Id', 'Retry-After'])
      expect(actual.headers.get('access-control-expose-headers')?.split(/, */)).toContain(name);
  });

  it('may ask what a route takes without a preflight', async () => {
    const answer = await call(gateway, '/payments/authorize', {}, 'OPTIONS');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
  });

  it('may ask from the allowed origins only, where they are named', async () => {
    expect((await preflight(strict, 'https://shop.example')).headers.get('access-control-allow-origin')).toBe(
      'https://shop.example',
    );
    expect((await preflight(strict, 'https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is told not to sniff, frame, or leak', async () => {
    const answer = await call(gateway, '/payments', { authorization: await gateway.merchant() });
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
    // Only with a certificate (tls.test.ts).
    expect(answer.headers.get('strict-transport-security')).toBeNull();
  });

  it('gets 404, not 405, for a path that no route has', async () => {
    expect(await call(gateway, '/nothing')).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
  });
});

describe('a client behind a load balancer', () => {
  it('is known by the address that the balancer says, and by no other', async () => {
    const gateway = await startGateway({ TRUSTED_PROXIES: '127.0.0.1' });
    try {
      const authorization = await gateway.merchant();
      await rawRequest(gateway.port, '/payments', { authorization, 'x-forwarded-for': '10.9.9.9, 203.0.113.7' });
      expect(gateway.payment.last.headers['x-forwarded-for']).toBe('203.0.113.7');
    } finally {
      await gateway.stop();
    }
  });

  it.each([
    ['that the balancer says', { TRUSTED_PROXIES: '127.0.0.1', CLIENT_COUNTRY_HEADER: 'CF-IPCountry' }, 'DE'],
    ['that nobody was asked for', { TRUSTED_PROXIES: '127.0.0.1' }, undefined],
    ['that he says himself', { CLIENT_COUNTRY_HEADER: 'CF-IPCountry' }, undefined],
  ])('comes from the country %s: %j makes it %s', async (_, settings, expected) => {
    const gateway = await startGateway(settings);
    try {
      const authorization = await gateway.merchant();
      const told = { authorization, 'cf-ipcountry': 'DE', 'x-payflow-client-country': 'US' };
      await rawRequest(gateway.port, '/payments', told);
      expect(gateway.payment.last.headers['x-payflow-client-country']).toBe(expected);
    } finally {
      await gateway.stop();
    }
  });
});
