import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal } from '@payflow/contracts';
import { eventually, merchantPrincipal, TokenMint, userPrincipal } from '@payflow/testing';
import { z } from 'zod';

import { Access, createServiceApp, httpConfigFields, type NestModuleClass, ServiceModule } from '../src/index.js';

@Controller()
class AnyController {
  @Access()
  @Get('/any')
  any(): object {
    return {};
  }
}

const service = ServiceModule.forRoot({
  name: 'payment',
  configSchema: z.object(httpConfigFields),
  database: false,
});

@Module({ imports: [service], controllers: [AnyController] })
class AnyModule {}

const start = async (authUrl: string, module: NestModuleClass = AnyModule): Promise<NestFastifyApplication> =>
  await createServiceApp({
    name: 'payment',
    module,
    environment: { LOG_LEVEL: 'silent', SERVICE_CLIENT_SECRET: 'secret-of-the-service', AUTH_URL: authUrl },
  });

let mint: TokenMint;
let app: NestFastifyApplication;
beforeAll(async () => {
  mint = await TokenMint.open();
  app = await start(mint.url);
});
afterAll(async () => {
  await app.close();
  await mint.close();
});

const any = async (authorization: string, at = app): Promise<number> =>
  (await at.inject({ url: '/any', headers: { authorization } })).statusCode;

describe('a token that was good a moment ago', () => {
  const person: Principal = { ...userPrincipal('usr_1'), sessionId: 'ses_1', merchantId: 'mer_1' };

  it.each<[string, Principal, string]>([
    ['the person', person, 'usr_1'],
    ['the login', person, 'ses_1'],
    ['the merchant', person, 'mer_1'],
    ['the client', merchantPrincipal('mer_2', 'cli_2'), 'cli_2'],
  ])('is refused when %s that it names is revoked, and good again when that is lifted', async (_, principal, name) => {
    const authorization = await mint.authorization(principal);
    expect(await any(authorization)).toBe(200);
    mint.revoke(name);
    await eventually(async () => {
      expect(await any(authorization)).toBe(401);
    });
    mint.lift(name);
    await eventually(async () => {
      expect(await any(authorization)).toBe(200);
    });
  });

  it('is refused by the API key it was exchanged for, though it speaks for the client behind the key', async () => {
    const authorization = await mint.authorization(merchantPrincipal('mer_3', 'cli_3'), {
      claims: { client_id: 'apk_3' },
    });
    expect(await any(authorization)).toBe(200);
    mint.revoke('apk_3');
    await eventually(async () => {
      expect(await any(authorization)).toBe(401);
    });
  });

  it('stays good when another is revoked', async () => {
    const [mine, other] = [
      await mint.authorization(userPrincipal('usr_mine')),
      await mint.authorization(userPrincipal('usr_other')),
    ];
    expect(await any(mine)).toBe(200);
    mint.revoke('usr_other');
    await eventually(async () => {
      expect(await any(other)).toBe(401);
    });
    expect(await any(mine)).toBe(200);
  });
});

describe('a service that cannot reach auth', () => {
  let closing: NestFastifyApplication | undefined;
  afterEach(async () => {
    await closing?.close();
    closing = undefined;
  });

  it('lets nobody in before it has read the journal once, and says that it is not ready', async () => {
    const far = await journalThatWaits();
    closing = await start(far.url);
    const authorization = await mint.authorization(userPrincipal('usr_early'));
    const answer = await closing.inject({ url: '/any', headers: { authorization } });
    expect(answer.json()).toMatchObject({ status: 503, code: 'dependency_unavailable' });
    expect((await closing.inject({ url: '/health/ready' })).json()).toMatchObject({
      checks: { revocations: 'not read yet' },
    });
    far.serve();
    await eventually(async () => {
      expect(await any(authorization, closing)).toBe(200);
    });
    await far.close();
  });

  it('goes on with what it knew: a revoked token stays revoked, a good one good', async () => {
    const shortLived = await TokenMint.open();
    closing = await start(shortLived.url);
    const [good, bad] = [
      await shortLived.authorization(userPrincipal('usr_good')),
      await shortLived.authorization(userPrincipal('usr_bad')),
    ];
    expect(await any(good, closing)).toBe(200);
    shortLived.revoke('usr_bad');
    await eventually(async () => {
      expect(await any(bad, closing)).toBe(401);
    });
    await shortLived.close();
    expect(await any(bad, closing)).toBe(401);
    expect(await any(good, closing)).toBe(200);
    const scraped = (await closing.inject({ url: '/metrics' })).payload;
    expect(scraped).toContain('payflow_revocations_age_seconds');
    expect(scraped).toContain('payflow_revocations_entries 1');
  });
});

describe('a service that cannot start', () => {
  it('asks for the journal no more: what it opened before it failed is closed', async () => {
    const auth = createServer().listen(0, '127.0.0.1');
    await once(auth, 'listening');
    // It waits for the journal when another of its providers gives up, as a vault with a wrong key does.
    const asked = new Promise<IncomingMessage>((resolve) => {
      auth.on('request', (request, response) => {
        const token = { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 300, scope: '' };
        if (request.url === '/oauth/token') response.end(JSON.stringify(token));
        else resolve(request);
      });
    });
    const broken = Symbol('broken');
    @Module({
      imports: [service],
      providers: [
        {
          provide: broken,
          useFactory: async (): Promise<never> => {
            await asked;
            throw new Error('the key does not open the vault');
          },
        },
      ],
    })
    class BrokenModule {}
    const starting = start(`http://127.0.0.1:${(auth.address() as AddressInfo).port}`, BrokenModule);
    const gone = asked.then((request) => once(request.socket, 'close'));
    await expect(starting).rejects.toThrow('the key does not open the vault');
    await gone;
    auth.closeAllConnections();
    auth.close();
    await once(auth, 'close');
    // In less than the feed's own time-out, which would end its question too.
  }, 10_000);
});

/** Auth whose journal does not answer until it is told to; its keys are the mint's. */
const journalThatWaits = async (): Promise<{ url: string; serve(): void; close(): Promise<void> }> => {
  let serving = false;
  const server = createServer((request, response) => {
    if (!serving && request.url?.startsWith('/internal/') === true) return void response.writeHead(503).end();
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      void fetch(mint.url + (request.url ?? ''), {
        method: request.method ?? 'GET',
        headers: {
          'content-type': 'application/json',
          authorization: request.headers.authorization ?? '',
        },
        ...(body.length === 0 ? {} : { body: Buffer.concat(body) }),
      }).then(
        async (answer) => response.writeHead(answer.status).end(await answer.text()),
        () => response.destroy(),
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: () => {
      serving = true;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
