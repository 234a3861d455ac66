import { once } from 'node:events';
import { connect } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import { rawRequest, type RunningGateway, startGateway } from './running-gateway.js';

let gateway: RunningGateway;
let authorization: string;

beforeAll(async () => {
  gateway = await startGateway({ UPSTREAM_TIMEOUT_MS: '1000', BODY_TIMEOUT_MS: '500' });
  authorization = await gateway.merchant();
});

afterEach(() => {
  for (const service of [gateway.payment, gateway.tokenization, gateway.ledger]) {
    service.received.length = 0;
    service.answers(200, { ok: true });
  }
});

afterAll(async () => {
  await gateway.stop();
});

const call = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined,
  };
};

describe('a request', () => {
  it('reaches its service as it was sent, and the answer comes back as it was given', async () => {
    gateway.payment.answer = (_request, response) => {
      response
        .writeHead(422, {
          'content-type': 'application/problem+json',
          etag: '"3"',
          'idempotent-replayed': 'true',
          'retry-after': '7',
          connection: 'close',
          server: 'secret/1.0',
        })
        .end('{"code":"currency_not_enabled","n":1.0}');
    };
    const body = '{ "amount": 1e3, "reference":"ü\\u00fc" }';
    const answer = await call('POST', '/payments/pay_1/capture?a=1&b=%2F', body, { 'idempotency-key': 'key-1' });
    expect(gateway.payment.last).toMatchObject({ method: 'POST', url: '/payments/pay_1/capture?a=1&b=%2F', body });
    expect(gateway.payment.last.headers).toMatchObject({
      authorization,
      'idempotency-key': 'key-1',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'x-forwarded-for': '127.0.0.1',
    });
    expect(answer.status).toBe(422);
    expect(answer.text).toBe('{"code":"currency_not_enabled","n":1.0}');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('etag')).toBe('"3"');
    expect(answer.headers.get('idempotent-replayed')).toBe('true');
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(answer.headers.get('server')).toBeNull();
  });

  it.each([
    ['GET', '/payments', 'payment', '/payments'],
    ['DELETE', '/tokens/tok_abcdef', 'tokenization', '/tokens/tok_abcdef'],
    ['GET', '/ledger/accounts/a:b', 'ledger', '/ledger/accounts/a%3Ab'],
    ['GET', '/operations/ledger/dead-letters?limit=2', 'ledger', '/operations/dead-letters?limit=2'],
    ['GET', '/merchants/mer_1/fee-terms', 'payment', '/merchants/mer_1/fee-terms'],
    ['GET', '/test-cards', 'acquirerSim', '/test-cards'],
  ] as const)('%s %s reaches %s at %s', async (method, path, service, url) => {
    expect((await call(method, path)).status).toBe(200);
    expect(gateway[service].last).toMatchObject({ method, url });
  });

  it('carries one request id from the answer to the service, the client’s where it has one', async () => {
    const own = await call('GET', '/payments', undefined, { 'x-request-id': 'my-request-1' });
    expect(own.headers.get('x-request-id')).toBe('my-request-1');
    expect(gateway.payment.last.headers['x-request-id']).toBe('my-request-1');
    const made = await call('GET', '/payments');
    expect(made.headers.get('x-request-id')).toMatch(/^req_/);
    expect(gateway.payment.last.headers['x-request-id']).toBe(made.headers.get('x-request-id'));
    expect(gateway.payment.last.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('cannot forge what only the gateway may say', async () => {
    await call('GET', '/payments', undefined, {
      'x-forwarded-for': '10.0.0.1',
      'x-payflow-card-fingerprint': 'forged',
      forwarded: 'for=10.0.0.1',
      'x-real-ip': '10.0.0.1',
    });
    expect(gateway.payment.last.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1' });
    for (const name of ['x-payflow-card-fingerprint', 'forwarded', 'x-real-ip'])
      expect(gateway.payment.last.headers).not.toHaveProperty(name);
  });
});

describe('an answer', () => {
  it('of many megabytes is streamed while the service still writes it', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    let finish: () => void = () => undefined;
    gateway.ledger.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv' });
      for (let count = 0; count < 200; count += 1) response.write(chunk);
      finish = () => response.end('end');
    };
    const response = await fetch(`${gateway.url}/ledger`, { headers: { authorization } });
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
    const first = await reader?.read();
    // The first bytes are here and the service has not finished: nothing waits for the whole.
    expect(first?.value?.length).toBeGreaterThan(0);
    finish();
    let bytes = first?.value?.length ?? 0;
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) bytes += part.value.length;
    expect(bytes).toBe(200 * chunk.length + 'end'.length);
  });

  it('that breaks off in the middle breaks off for the client too, and does not look whole', async () => {
    gateway.ledger.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv', 'content-length': '1000' });
      response.write('half');
      setImmediate(() => response.destroy());
    };
    const response = await fetch(`${gateway.url}/ledger`, { headers: { authorization } });
    await expect(response.text()).rejects.toThrow();
  });
});

describe('a service that is away', () => {
  const unavailable = { status: 503, body: { code: 'dependency_unavailable', status: 503 } };

  it('is 503 with Retry-After, and reachable again as soon as it is back', async () => {
    await gateway.ledger.close();
    const answer = await call('GET', '/ledger');
    expect(answer).toMatchObject(unavailable);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1|at \w/);
    await gateway.ledger.listen();
    await eventually(async () => {
      expect((await call('GET', '/ledger')).status).toBe(200);
    });
  });

  it('or silent is 503 after its time, and a write is sent once', async () => {
    gateway.payment.answer = () => undefined;
    expect(await call('POST', '/payments/pay_1/capture', '{}')).toMatchObject(unavailable);
    expect(gateway.payment.received).toHaveLength(1);
  });

  it.each([502, 504])('behind a proxy that says %i is 503 too', async (status) => {
    gateway.payment.answer = (_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html', 'content-length': '5' }).end('<p>no');
    };
    expect(await call('GET', '/payments')).toMatchObject(unavailable);
  });

  it('says 503 itself: its own words reach the client, once', async () => {
    gateway.payment.answers(503, { code: 'dependency_unavailable', detail: 'own words' });
    expect(await call('GET', '/payments')).toMatchObject({ status: 503, body: { detail: 'own words' } });
    expect(gateway.payment.received).toHaveLength(1);
  });

  it('and resets the connection: a read is repeated once, a write never', async () => {
    let resets = 1;
    gateway.payment.answer = (_request, response) => {
      resets -= 1;
      if (resets >= 0) response.destroy();
      else response.writeHead(200).end('{}');
    };
    expect((await call('GET', '/payments')).status).toBe(200);
    expect(gateway.payment.received).toHaveLength(2);
    resets = 1;
    expect(await call('POST', '/refunds', '{}')).toMatchObject(unavailable);
    expect(gateway.payment.received).toHaveLength(3);
  });
});

describe('a path', () => {
  it.each([
    '/internal/events/pay_1',
    '//internal/events/pay_1',
    '/payments/../internal/events/pay_1',
    '/payments/%2e%2e/internal/events/pay_1',
    '/payments/..%2finternal/events/pay_1',
    '/payments/%2e%2e%2finternal',
    '/payments/..;/internal',
    '/payments/%252e%252e/internal',
    '/payments//internal',
    '/payments/./internal',
    '/payments/..\\internal',
    '/payments/%5c..%5cinternal',
    '/%69nternal/events/pay_1',
    '/operations/ledger/dead-letters/../../internal',
    '/operations/../internal/dead-letters',
    '/metrics/../internal',
    '/payments/%00',
    '/payments/%zz',
    '/payments/',
    '/nothing',
    '/Payments',
    '/acquirers/sim/authorizations',
  ])('%s reaches no service', async (path) => {
    const answer = await rawRequest(gateway.port, path, { authorization });
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'route_not_found',
      type: 'http://gateway.test/docs/problems/route_not_found',
    });
    for (const service of [gateway.payment, gateway.tokenization, gateway.ledger, gateway.acquirerSim])
      expect(service.received.filter((request) => request.url.includes('internal'))).toEqual([]);
    expect(gateway.payment.received).toEqual([]);
  });

  it.each(['/payments?a=%0d%0aHost:%20evil', '/payments?a=<script>'])('%s brings its query unharmed', async (path) => {
    expect((await rawRequest(gateway.port, path, { authorization })).status).toBe(200);
    expect(gateway.payment.last.url).toBe(path);
    expect(gateway.payment.last.headers.host).toBe(new URL(gateway.payment.url).host);
  });
});

describe('a body', () => {
  it('of more than 100 KB is 413 before it is read, announced or not', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(100 * 1024) });
    for (const body of [
      large,
      new ReadableStream({
        start: (controller) => {
          controller.enqueue(Buffer.from(large));
          controller.close();
        },
      }),
    ]) {
      const response = await fetch(`${gateway.url}/payments`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body,
        duplex: 'half',
      });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        code: 'body_too_large',
        detail: expect.stringContaining('102400'),
      });
    }
    expect(gateway.payment.received).toEqual([]);
  });

  it('of a batch of postings may be larger', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(200 * 1024) });
    expect((await call('POST', '/ledger/transactions', large)).status).toBe(200);
    expect(gateway.ledger.last.body).toBe(large);
  });

  it('that does not arrive is 408, and the service never hears of it', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(
      `POST /refunds HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"slow`,
    );
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 408 /);
    expect(data.toString()).toContain('request_timeout');
    await once(socket, 'close');
    expect(gateway.payment.received).toEqual([]);
  });

  it('passes with its media type, whatever it is: the service decides', async () => {
    await call('POST', '/refunds', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(gateway.payment.last).toMatchObject({ body: 'a=1' });
    expect(gateway.payment.last.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(await call('POST', '/refunds', '{}', { 'content-type': 'nonsense' })).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    });
  });
});

describe('broken HTTP', () => {
  it.each([
    ['a NUL in a header', 'GET /payments HTTP/1.1\r\nHost: x\r\nX-A: b\u0000c\r\n\r\n', 400],
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['two lengths', 'POST /refunds HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na', 400],
    [
      'a length and chunks',
      'POST /refunds HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s is refused with a problem', async (_, text, status) => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(text);
    const [data] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(data.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(data.toString()).toContain('application/problem+json');
    expect(gateway.payment.received).toEqual([]);
  });
});
