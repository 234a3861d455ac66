import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { allTopics, EVENT_CATALOGUE, PROBLEMS } from '@payflow/contracts';
import { eventually } from '@payflow/testing';

import { asAnsweredBy, type RunningGateway, startGateway } from './running-gateway.js';

let gateway: RunningGateway;

const document = (path: string, operationId: string) => ({
  openapi: '3.1.0',
  paths: {
    [path]: { get: { operationId, responses: { 200: { description: 'ok' } }, security: [{ accessToken: [] }] } },
  },
  components: { schemas: {}, securitySchemes: { accessToken: { type: 'http', scheme: 'bearer' } } },
});

beforeAll(async () => {
  gateway = await startGateway();
  gateway.payment.answers(200, {
    ...document('/payments', 'listPayments'),
    components: {
      schemas: { PaymentMethod: { oneOf: [{ type: 'object' }] } },
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer' } },
    },
  });
  gateway.ledger.answers(200, document('/ledger', 'listEntries'));
  gateway.acquirerSim.answers(200, document('/test-cards', 'listTestCards'));
  await gateway.tokenization.close();
});

afterAll(async () => {
  await gateway.stop();
});

const get = async (path: string, headers: Record<string, string> = {}) =>
  await fetch(`${gateway.url}${path}`, { headers });

interface Merged {
  readonly openapi: string;
  readonly servers: unknown;
  readonly paths: Record<string, unknown>;
  readonly components: { readonly schemas: Record<string, unknown> };
  readonly 'x-unavailable-services'?: readonly string[];
}

describe('GET /openapi.json', () => {
  it('has what the services say, names what is missing, and takes it in when it is there', async () => {
    const response = await get('/openapi.json');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(response.headers.get('cache-control')).toContain('max-age');
    const merged = (await response.json()) as Merged;
    expect(merged.openapi).toBe('3.1.0');
    expect(merged.servers).toEqual([{ url: 'http://gateway.test' }]);
    expect(Object.keys(merged.paths).sort()).toEqual([
      '/ledger',
      '/operations/dead-letters',
      '/operations/stuck',
      '/payments',
      '/test-cards',
      '/test-helpers/acquirer-mode',
      '/test-helpers/bank-mode',
      '/test-helpers/disputes',
      '/test-helpers/payout-returns',
    ]);
    expect(merged['x-unavailable-services']).toEqual(['auth', 'tokenization']);

    gateway.tokenization.answers(200, document('/tokens', 'listTokens'));
    await gateway.tokenization.listen();
    await eventually(async () => {
      const later = (await (await get('/openapi.json')).json()) as Merged;
      expect(Object.keys(later.paths)).toContain('/tokens');
      expect(later['x-unavailable-services']).toEqual(['auth']);
    });
  });

  it('keeps what a service said when it goes away', async () => {
    await gateway.ledger.close();
    try {
      const merged = (await (await get('/openapi.json')).json()) as Merged;
      expect(Object.keys(merged.paths)).toContain('/ledger');
    } finally {
      await gateway.ledger.listen();
    }
  });

  it('says that a card may stand where the payment service takes a token', async () => {
    const { components } = (await (await get('/openapi.json')).json()) as Merged;
    expect(components.schemas['PaymentMethod']).toMatchObject({
      oneOf: [{ type: 'object' }, { $ref: '#/components/schemas/InlineCardPaymentMethod' }],
    });
    expect(components.schemas).toMatchObject({ InlineCardPaymentMethod: { type: 'object' }, Card: { type: 'object' } });
    for (const [, name = ''] of JSON.stringify(components).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(components.schemas).toHaveProperty([name]);
  });

  it('is not sent again to who has it', async () => {
    const tag = String((await get('/openapi.json')).headers.get('etag'));
    const again = await get('/openapi.json', { 'if-none-match': tag });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });
});

describe('GET /asyncapi.json', () => {
  it('has a channel for every topic and a message for every event, and is not sent again to who has it', async () => {
    const response = await get('/asyncapi.json');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    const { asyncapi, channels, components } = (await response.json()) as {
      readonly asyncapi: string;
      readonly channels: object;
      readonly components: { readonly messages: object };
    };
    expect(asyncapi).toBe('3.0.0');
    expect(Object.keys(channels).sort()).toEqual([...allTopics()].sort());
    expect(Object.keys(components.messages)).toEqual(expect.arrayContaining([...EVENT_CATALOGUE.keys()]));
    const again = await get('/asyncapi.json', { 'if-none-match': String(response.headers.get('etag')) });
    expect(again.status).toBe(304);
  });
});

describe('GET /docs', () => {
  it('is a page whose every script comes from here, and its policy allows no other', async () => {
    const response = await get('/docs');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    const html = await response.text();
    const scripts = [...html.matchAll(/src="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(scripts).toEqual(['/docs/reference.js', '/docs/reference-start.js']);
    expect(html).not.toMatch(/https?:\/\//);
    for (const script of scripts) {
      const loaded = await get(script);
      expect(loaded.status).toBe(200);
      expect(loaded.headers.get('content-type')).toContain('text/javascript');
    }
  });

  it('has a bundle that is sent compressed and cached', async () => {
    const response = await get('/docs/reference.js', { 'accept-encoding': 'gzip' });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toContain('createApiReference');
    const again = await get('/docs/reference.js', {
      'accept-encoding': 'gzip',
      'if-none-match': String(response.headers.get('etag')),
    });
    expect(again.status).toBe(304);
  });

  it('has a page for every problem, where the problem documents point', async () => {
    const list = await (await get('/docs/problems')).text();
    for (const code of Object.keys(PROBLEMS)) {
      expect(list).toContain(code);
      const page = await get(`/docs/problems/${code}`);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toContain('text/html');
    }
    const refusal = (await (await get('/nothing')).json()) as { readonly type: string };
    expect(refusal.type).toBe('http://gateway.test/docs/problems/route_not_found');
    for (const unknown of ['nothing', '__proto__', '%3Cscript%3E'])
      expect((await get(`/docs/problems/${unknown}`)).status).toBe(404);
  });
});

describe('GET /', () => {
  it('shows a person and a program where to go', async () => {
    expect(await (await get('/', { accept: 'text/html' })).text()).toContain('href="/docs"');
    expect(await (await get('/', { accept: 'application/json' })).json()).toMatchObject({
      links: { 'API reference': 'http://gateway.test/docs' },
    });
  });
});

describe('GET /health', () => {
  it('is ready when every needed service is, and names each', async () => {
    const up = { status: 'up', checks: { database: 'up' } };
    for (const service of [
      gateway.payment,
      gateway.tokenization,
      gateway.ledger,
      gateway.wallet,
      gateway.fraud,
      gateway.notification,
      gateway.settlement,
      gateway.acquirerSim,
    ])
      service.answers(200, up);
    // The mint stands for auth and has no health: the whole is not ready, and the body says why.
    const response = await get('/health/ready');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: 'down',
      services: {
        auth: { status: 'down' },
        payment: up,
        tokenization: up,
        ledger: up,
        wallet: up,
        fraud: up,
        notification: up,
        settlement: up,
        'acquirer-sim': up,
      },
    });
    expect((await get('/health/live')).status).toBe(200);
  });

  it('does not need the simulator nor what payments go on without, and needs the ledger', async () => {
    const whole = await startGateway({ AUTH_URL: gateway.payment.url });
    try {
      const up = { status: 'up', checks: {} };
      const down = { status: 'down', checks: { database: 'the database cannot be reached' } };
      // It stands for auth, which must have told the gateway of the revocations before that is ready.
      const asAuth = asAnsweredBy(whole.mint.url);
      gateway.payment.answer = (request, response) => {
        if (request.url.startsWith('/health')) response.writeHead(200).end(JSON.stringify(up));
        else asAuth(request, response);
      };
      for (const service of [whole.payment, whole.tokenization, whole.ledger, whole.wallet]) service.answers(200, up);
      whole.acquirerSim.answers(503, down);
      await eventually(async () => expect((await fetch(`${whole.url}/health/ready`)).status).toBe(200));
      whole.ledger.answers(503, down);
      const response = await fetch(`${whole.url}/health/ready`);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ services: { ledger: down, 'acquirer-sim': down } });
    } finally {
      await whole.stop();
    }
  });
});

describe('GET /metrics', () => {
  it('counts requests by route and status', async () => {
    await get('/payments');
    const text = await (await get('/metrics')).text();
    expect(text).toMatch(
      /http_server_request_duration_seconds_count\{[^}]*route="\/payments"[^}]*status="401"[^}]*\} [1-9]/,
    );
    expect(text).toContain('payflow_gateway_rate_limited_total');
  });
});
