import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

import { type Principal, PROBLEMS, type Scope, TOKEN_AUDIENCE } from '@payflow/contracts';
import { merchantPrincipal, TokenMint } from '@payflow/testing';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Strategy } from 'passport-jwt';
import { z } from 'zod';

import {
  Access,
  AccessTokens,
  Caller,
  createServiceApp,
  httpConfigFields,
  Public,
  Revocations,
  ServiceModule,
} from '../src/index.js';

const serviceModule = ServiceModule.forRoot({
  name: 'payment',
  configSchema: z.object(httpConfigFields),
  database: false,
});

@Controller()
class AccountController {
  @Access('payments:read')
  @Get('/me')
  me(@Caller() caller: Principal): Principal {
    return caller;
  }

  @Access('payments:read', 'ledger:post')
  @Get('/books')
  books(): object {
    return {};
  }

  @Access()
  @Get('/any')
  any(): object {
    return {};
  }

  @Public()
  @Get('/open')
  open(): object {
    return {};
  }
}

@Module({ imports: [serviceModule], controllers: [AccountController] })
class AccountModule {}

@Controller()
class CarelessController {
  @Get('/forgotten')
  forgotten(): object {
    return {};
  }
}

@Module({ imports: [serviceModule], controllers: [CarelessController] })
class CarelessModule {}

let mint: TokenMint;
let app: NestFastifyApplication;
const merchant = merchantPrincipal('mer_1');

beforeAll(async () => {
  mint = await TokenMint.open();
  app = await createServiceApp({
    name: 'payment',
    module: AccountModule,
    environment: {
      LOG_LEVEL: 'silent',
      SERVICE_CLIENT_SECRET: 'secret-of-the-service',
      AUTH_URL: mint.url,
      ISSUER: mint.url,
    },
  });
});
afterAll(async () => {
  await app.close();
  await mint.close();
});

const get = async (
  url: string,
  authorization?: string,
): Promise<{ status: number; code: string; challenge: string; body: unknown; detail: string }> => {
  const answer = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
  const body = answer.json<{ code: string; detail: string }>();
  const challenge = String(answer.headers['www-authenticate'] ?? '');
  return { status: answer.statusCode, code: body.code, detail: body.detail, challenge, body };
};

const nothingRevoked = (): Revocations => {
  const revocations = new Revocations();
  revocations.startServing();
  return revocations;
};

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a route with scopes', () => {
  it('lets in whoever has them, and tells the handler who it is', async () => {
    const { status, body } = await get('/me', await mint.authorization(merchant));
    expect(status).toBe(200);
    expect(body).toEqual(merchant);
  });

  it('names the scope that is missing', async () => {
    const answer = await get('/books', await mint.authorization(merchant));
    expect(answer).toMatchObject({ status: 403, code: 'insufficient_scope' });
    expect(answer.detail).toContain('ledger:post');
    expect(answer.challenge).toContain('error="insufficient_scope"');
  });

  it('ignores scopes and roles it does not know', async () => {
    const scopes = ['payments:read', 'payments:everything'] as Scope[];
    const { body } = await get('/me', await mint.authorization({ ...merchant, scopes }));
    expect(body).toMatchObject({ scopes: ['payments:read'] });
  });

  it.each([undefined, '', 'Basic YTpi', 'Bearer', 'Bearer a b', 'bearer \u00e9'])(
    'asks for credentials when there are none: %j',
    async (authorization) => {
      const answer = await get('/me', authorization);
      expect(answer).toMatchObject({ status: 401, code: 'authentication_required' });
      expect(answer.challenge).toBe('Bearer realm="payflow"');
    },
  );
});

describe('routes without scopes', () => {
  it('let in any valid token where @Access stands alone', async () => {
    expect((await get('/any', await mint.authorization({ ...merchant, scopes: [] }))).status).toBe(200);
    expect((await get('/any')).status).toBe(401);
  });

  it('are open where @Public stands, whatever token is sent', async () => {
    expect((await get('/open')).status).toBe(200);
    expect((await get('/open', 'Bearer nonsense')).status).toBe(200);
  });

  it('do not exist otherwise: the service refuses to start', async () => {
    const start = createServiceApp({
      name: 'payment',
      module: CarelessModule,
      environment: { LOG_LEVEL: 'silent', SERVICE_CLIENT_SECRET: 'secret-of-the-service' },
    });
    await expect(start).rejects.toThrow('CarelessController.forgotten');
  });
});

describe('a token', () => {
  const claimsOf = (claims: object = {}): object => ({
    iss: mint.url,
    sub: merchant.id,
    aud: TOKEN_AUDIENCE,
    client_id: merchant.id,
    jti: 'jti',
    iat: Math.floor(Date.now() / 1_000),
    exp: Math.floor(Date.now() / 1_000) + 300,
    kind: 'client',
    roles: ['merchant'],
    scope: 'payments:read',
    ...claims,
  });
  const kid = async (): Promise<string> => {
    const [header = ''] = (await mint.token(merchant)).split('.');
    return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid;
  };
  const forged: Record<string, () => Promise<string>> = {
    'is not a token': async () => await Promise.resolve('nonsense'),
    'has no signature (alg none)': async () =>
      await Promise.resolve(`${base64url({ alg: 'none', typ: 'at+jwt', kid: await kid() })}.${base64url(claimsOf())}.`),
    'is signed with the public key as a secret (HS256)': async () => {
      const jwks = (await (await fetch(`${mint.url}/.well-known/jwks.json`)).json()) as { keys: object[] };
      const content = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: await kid() })}.${base64url(claimsOf())}`;
      return `${content}.${createHmac('sha256', JSON.stringify(jwks.keys[0])).update(content).digest('base64url')}`;
    },
    'is signed with another key under a known kid': async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const content = `${base64url({ alg: 'ES256', typ: 'at+jwt', kid: await kid() })}.${base64url(claimsOf())}`;
      const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${content}.${signature.toString('base64url')}`;
    },
    'names a key that the issuer does not have': async () => {
      const token = await mint.token(merchant);
      return [base64url({ alg: 'ES256', typ: 'at+jwt', kid: 'other' }), ...token.split('.').slice(1)].join('.');
    },
    'was changed after it was signed': async () => {
      const [header, , signature] = (await mint.token(merchant)).split('.');
      return `${header}.${base64url(claimsOf({ scope: 'payments:read ledger:post' }))}.${signature}`;
    },
    'is for another audience': async () => await mint.token(merchant, { audience: 'another' }),
    'is from another issuer': async () => await mint.token(merchant, { issuer: 'https://elsewhere.example' }),
    'has expired': async () => await mint.token(merchant, { expiresInSeconds: -60 }),
    'is not valid yet': async () =>
      await mint.token(merchant, { claims: { nbf: Math.floor(Date.now() / 1_000) + 600 } }),
    'has claims of another shape': async () => await mint.token(merchant, { claims: { roles: 'admin' } }),
  };

  it.each(Object.keys(forged))('is refused when it %s', async (name) => {
    const token = await forged[name]?.();
    const answer = await get('/me', `Bearer ${token ?? ''}`);
    expect(answer).toMatchObject({ status: 401, code: 'invalid_token' });
    expect(answer.challenge).toContain('error="invalid_token"');
  });

  it('is refused when it is of another type (an id token signed by the same key)', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
    const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] }))).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const authUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tokens = new AccessTokens({ authUrl }, nothingRevoked());
    const tokenOf = (typ: string): string => {
      const content = `${base64url({ alg: 'ES256', typ, kid: 'k1' })}.${base64url(claimsOf())}`;
      const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `Bearer ${content}.${signature.toString('base64url')}`;
    };
    await expect(tokens.principalOf(tokenOf('JWT'))).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(tokens.principalOf(tokenOf('at+jwt'))).resolves.toMatchObject({ id: merchant.id });
    server.close();
    server.closeAllConnections();
  });

  it('says nothing about why the key check failed, and that it has expired', async () => {
    expect((await get('/me', 'Bearer nonsense')).detail).toBe(PROBLEMS.invalid_token.remedy);
    const expired = await mint.token(merchant, { expiresInSeconds: -60 });
    expect((await get('/me', `Bearer ${expired}`)).detail).toBe('The access token has expired.');
  });
});

describe('a verified token', () => {
  const verifier = Strategy as unknown as { JwtVerifier: (...args: unknown[]) => unknown };
  const original = verifier.JwtVerifier;
  let verifications = 0;
  beforeEach(() => {
    verifications = 0;
    verifier.JwtVerifier = (...args) => {
      verifications += 1;
      return original(...args);
    };
  });
  afterEach(() => {
    verifier.JwtVerifier = original;
    jest.useRealTimers();
  });

  it('is verified once, and no longer believed when it expires', async () => {
    const authorization = await mint.authorization(merchant, { expiresInSeconds: 60 });
    for (let time = 0; time < 5; time += 1) expect((await get('/me', authorization)).status).toBe(200);
    expect(verifications).toBe(1);
    jest.useFakeTimers({
      now: Date.now() + 66_000,
      doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'performance', 'queueMicrotask'],
    });
    expect((await get('/me', authorization)).code).toBe('invalid_token');
    expect(verifications).toBe(2);
  });
});

describe('made-up key ids', () => {
  it('do not make the issuer be asked for each of them', async () => {
    let asked = 0;
    const issuer = createServer((_request, response) => {
      asked += 1;
      response.end(JSON.stringify({ keys: [] }));
    }).listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    const { port } = issuer.address() as AddressInfo;
    const tokens = new AccessTokens({ authUrl: `http://127.0.0.1:${port}` }, nothingRevoked());
    const [, claims = '', signature = ''] = (await mint.token(merchant)).split('.');
    const attempts = Array.from({ length: 200 }, async (_, index) => {
      const header = base64url({ alg: 'ES256', typ: 'at+jwt', kid: `made-up-${index}` });
      return await tokens.principalOf(`Bearer ${header}.${claims}.${signature}`).catch((error: unknown) => error);
    });
    for (const refusal of await Promise.all(attempts)) expect(refusal).toMatchObject({ code: 'invalid_token' });
    await expect(
      tokens.principalOf(`Bearer ${base64url({ alg: 'ES256', typ: 'at+jwt', kid: 'x' })}.a.b`),
    ).rejects.toThrow();
    expect(asked).toBe(1);
    issuer.close();
    issuer.closeAllConnections();
  });
});

describe('an issuer that cannot be reached', () => {
  it('makes a token neither valid nor invalid: 503', async () => {
    const tokens = new AccessTokens({ authUrl: 'http://127.0.0.1:9' }, nothingRevoked());
    await expect(tokens.principalOf(await mint.authorization(merchant))).rejects.toMatchObject({
      code: 'dependency_unavailable',
      headers: { 'retry-after': expect.any(String) },
    });
  });

  it('does not invalidate the keys it published', async () => {
    const shortLived = await TokenMint.open();
    const tokens = new AccessTokens({ authUrl: shortLived.url }, nothingRevoked());
    const first = await shortLived.authorization(merchant);
    const second = await shortLived.authorization(merchant);
    await tokens.principalOf(first);
    await shortLived.close();
    await expect(tokens.principalOf(second)).resolves.toMatchObject({ id: merchant.id });
  });
});
