import { once } from 'node:events';
import { connect } from 'node:net';

import { problemSchema } from '@payflow/contracts';
import { createTestDatabase, merchantPrincipal, type TestDatabase, TokenMint } from '@payflow/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { BODY_BYTES_MAX, createServiceApp, Lifecycle } from '../src/index.js';
import { CuttableLink } from './cuttable-link.js';
import { CreateNotes1760000000000, NotesModule } from './notes-service.js';

let mint: TokenMint;
let testDatabase: TestDatabase;
let app: NestFastifyApplication;
let authorization: string;
let port: number;

beforeAll(async () => {
  mint = await TokenMint.open();
  testDatabase = await createTestDatabase({ service: 'service-tests', migrations: [] });
  app = await createServiceApp({
    name: 'payment',
    module: NotesModule,
    migrations: [CreateNotes1760000000000],
    environment: {
      LOG_LEVEL: 'silent',
      SERVICE_CLIENT_SECRET: 'secret-of-the-service',
      AUTH_URL: mint.url,
      DATABASE_URL: testDatabase.runtimeUrl,
      MIGRATION_DATABASE_URL: testDatabase.ownerUrl,
      GATEWAY_URL: 'https://pay.example/',
      REQUEST_TIMEOUT_MS: '500',
    },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = Number(new URL(await app.getUrl()).port);
  authorization = await mint.authorization(merchantPrincipal('mer_1'));
});
afterAll(async () => {
  await app.close();
  await mint.close();
  await testDatabase.drop();
});

interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'HEAD';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer;
}
const call = async (request: Call) => {
  const { method = 'GET', url, headers = {}, payload } = request;
  const answer = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  const isProblem = String(answer.headers['content-type']).startsWith('application/problem+json');
  const problem = isProblem ? problemSchema.parse(answer.json()) : undefined;
  return { status: answer.statusCode, code: problem?.code, problem, headers: answer.headers, body: answer.body };
};
const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

describe('a request that cannot be read', () => {
  const deep = '{"a":'.repeat(21) + '1' + '}'.repeat(21);
  it.each<[string, Call, number, string]>([
    ['broken JSON', { url: '/optional', method: 'POST', headers: json, payload: '{"final":' }, 400, 'malformed_json'],
    [
      'no UTF-8',
      { url: '/optional', method: 'POST', headers: json, payload: Buffer.from([255]) },
      400,
      'malformed_json',
    ],
    [
      'a key twice',
      { url: '/optional', method: 'POST', headers: json, payload: '{"final":true,"final":false}' },
      400,
      'malformed_json',
    ],
    ['too deep', { url: '/optional', method: 'POST', headers: json, payload: deep }, 400, 'malformed_json'],
    [
      '__proto__',
      { url: '/optional', method: 'POST', headers: json, payload: '{"__proto__":{"final":false}}' },
      400,
      'malformed_json',
    ],
    [
      'constructor',
      { url: '/optional', method: 'POST', headers: json, payload: '{"constructor":{"prototype":{}}}' },
      400,
      'validation_failed',
    ],
    ['an array', { url: '/optional', method: 'POST', headers: json, payload: '[]' }, 400, 'validation_failed'],
    ['null', { url: '/optional', method: 'POST', headers: json, payload: 'null' }, 400, 'validation_failed'],
    [
      'unknown field',
      { url: '/optional', method: 'POST', headers: json, payload: '{"finale":true}' },
      400,
      'validation_failed',
    ],
    [
      'plain text',
      { url: '/optional', method: 'POST', headers: { 'content-type': 'text/plain' }, payload: '{}' },
      415,
      'unsupported_media_type',
    ],
    [
      'another JSON type',
      { url: '/optional', method: 'POST', headers: { 'content-type': 'application/merge-patch+json' }, payload: '{}' },
      415,
      'unsupported_media_type',
    ],
    [
      'broken media type',
      { url: '/optional', method: 'POST', headers: { 'content-type': ';;' }, payload: '{}' },
      415,
      'unsupported_media_type',
    ],
    [
      'a form where none is read',
      { url: '/optional', method: 'POST', headers: form, payload: 'final=true' },
      415,
      'unsupported_media_type',
    ],
    [
      'a field twice in a form',
      { url: '/login', method: 'POST', headers: form, payload: 'name=a&name=b' },
      400,
      'validation_failed',
    ],
    [
      'too large',
      { url: '/optional', method: 'POST', headers: json, payload: `{"a":"${'x'.repeat(BODY_BYTES_MAX)}"}` },
      413,
      'body_too_large',
    ],
    ['unknown route', { url: '/nothing' }, 404, 'route_not_found'],
    ['broken escape', { url: '/notes/%zz' }, 404, 'route_not_found'],
    ['NUL in the path', { url: '/notes/%00' }, 404, 'route_not_found'],
    ['__proto__ in the query', { url: '/search?__proto__=1&constructor=2' }, 400, 'validation_failed'],
    ['NUL in the query', { url: '/notes?limit=%00', headers: {} }, 400, 'validation_failed'],
    ['very long parameter', { url: `/notes/${'x'.repeat(5_000)}` }, 404, 'route_not_found'],
    ['wrong method', { url: '/optional', method: 'DELETE' }, 405, 'method_not_allowed'],
    ['stale If-Match', { url: '/notes/1', headers: { 'if-match': '"x"' } }, 412, 'precondition_failed'],
  ])('is answered with a problem: %s', async (_name, request, status, code) => {
    const answer = await call(request);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': answer.problem?.requestId });
    expect(answer.problem).toMatchObject({ status, docUrl: `https://pay.example/docs/problems/${code}` });
  });

  it('names the methods that a route takes', async () => {
    expect((await call({ url: '/optional', method: 'PUT' })).headers['allow']).toBe('POST');
    expect((await call({ url: '/notes', method: 'DELETE', headers: json })).headers['allow']).toBe('GET, HEAD, POST');
  });

  it.each(['k'.repeat(256), 'k\u00e9y', 'a\tb'])('is refused for an unusable idempotency key', async (key) => {
    const headers = { ...json, authorization, 'idempotency-key': key };
    const answer = await call({ url: '/notes', method: 'POST', headers, payload: '{"text":"a"}' });
    expect(answer).toMatchObject({ status: 400, code: 'invalid_header' });
    expect(answer.problem?.errors?.[0]?.pointer).toBe('header:Idempotency-Key');
  });
});

describe('on the wire', () => {
  const exchange = async (request: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.write(request);
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  };

  it.each([
    ['headers too large', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['not HTTP', 'HELLO\r\n\r\n', 400, 'malformed_request'],
    [
      'a body that does not arrive in time',
      'POST /optional HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{',
      408,
      'request_timeout',
    ],
    ['control characters in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\u0000b\r\n\r\n', 400, 'malformed_request'],
  ])('%s is answered with a problem too', async (_name, request, status, code) => {
    const [head = '', body = ''] = (await exchange(request)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(problemSchema.parse(JSON.parse(body))).toMatchObject({ status, code });
  });

  it('a body that is too large is refused by its announced length', async () => {
    const answer = await exchange(
      `POST /optional HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 [^]*body_too_large/);
  });
});

describe('a request that can be read', () => {
  it.each([
    ['no body and no type', {}],
    ['no body but a type', { headers: json }],
    ['an empty object', { headers: json, payload: '{}' }],
    ['a charset', { headers: { 'content-type': 'application/json; charset=utf-8' }, payload: '{}' }],
  ])('gets the defaults with %s', async (_name, request) => {
    const answer = await call({ url: '/optional', method: 'POST', ...request });
    expect([answer.status, answer.body]).toEqual([201, '{"final":true}']);
  });

  it('may be a form where the route reads one', async () => {
    const answer = await call({ url: '/login', method: 'POST', headers: form, payload: 'name=J%C3%BCrgen+B' });
    expect(JSON.parse(answer.body)).toMatchObject({ body: { name: 'Jürgen B' } });
  });

  it('may be a multipart form where the route reads one', async () => {
    const fields = new FormData();
    fields.append('name', 'Jürgen B');
    const encoded = new Response(fields);
    const headers = { 'content-type': encoded.headers.get('content-type') ?? '' };
    const payload = await encoded.text();
    const answer = await call({ url: '/login', method: 'POST', headers, payload });
    // The context proves that reading it did not leave the request's own.
    expect(JSON.parse(answer.body)).toMatchObject({
      body: { name: 'Jürgen B' },
      context: { requestId: expect.stringMatching(/^req_/) },
    });
    expect((await call({ url: '/optional', method: 'POST', headers, payload })).status).toBe(415);
  });

  it('may come in the query where the route says so, and in one of the two only', async () => {
    const byQuery = await call({ url: '/greet?name=a', method: 'POST' });
    expect(JSON.parse(byQuery.body)).toMatchObject({ body: { name: 'a' } });
    expect((await call({ url: '/greet?name=a', method: 'POST', headers: form, payload: 'name=a' })).status).toBe(400);
    expect((await call({ url: '/greet?name=a&name=b', method: 'POST' })).status).toBe(400);
    expect((await call({ url: '/greet?other=a', method: 'POST' })).status).toBe(400);
    const notRead = await call({ url: '/login?name=a', method: 'POST' });
    expect(JSON.parse(notRead.body)).toMatchObject({ body: {} });
  });

  it('keeps its ids in the handler, also behind a body that arrives in parts', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const parts = new ReadableStream({
      async start(controller) {
        for (const part of ['{"name"', ':', '"a"}']) {
          controller.enqueue(Buffer.from(part));
          await new Promise((resolve) => setImmediate(resolve));
        }
        controller.close();
      },
    });
    const headers = { ...json, 'x-request-id': 'my-id', traceparent, 'x-correlation-id': 'first' };
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', headers, body: parts, duplex: 'half' };
    const answer = await fetch(`http://127.0.0.1:${port}/login`, init);
    expect(answer.headers.get('x-request-id')).toBe('my-id');
    expect(await answer.json()).toMatchObject({
      context: { requestId: 'my-id', correlationId: 'first', causationId: 'my-id', traceparent },
    });
  });

  it.each(['', 'x'.repeat(129), 'a\u00e9'])('gets an id of ours instead of an unusable one', async (id) => {
    const answer = await call({
      url: '/login',
      method: 'POST',
      headers: { 'x-request-id': id, traceparent: 'nonsense' },
    });
    expect(answer.headers['x-request-id']).toMatch(/^req_[0-9a-z]{26}$/);
    expect(answer.body).not.toContain('nonsense');
  });
});

describe('an unexpected error', () => {
  it('tells nothing', async () => {
    const answer = await call({ url: '/broken' });
    expect(answer).toMatchObject({ status: 500, code: 'internal_error' });
    expect(answer.body).not.toMatch(/secret|SELECT|4242| {4}at /);
  });
});

describe('a keyed command', () => {
  const post = async (key: string, payload: string) =>
    await call({ url: '/notes', method: 'POST', headers: { ...json, authorization, 'idempotency-key': key }, payload });

  it('is answered to the byte as before, and says so', async () => {
    const first = await post('bytes', '{"text":"\\u00fcber \\"x\\" €"}');
    const again = await post('bytes', '{ "copies":1, "text":"über \\"x\\" €"}');
    expect(first.status).toBe(201);
    expect([again.status, again.body, again.headers['etag'], again.headers['content-type']]).toEqual([
      201,
      first.body,
      first.headers['etag'],
      first.headers['content-type'],
    ]);
    expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
  });

  it('is refused again as it was refused, with the same document', async () => {
    const first = await post('refused', '{"text":"forbidden"}');
    const again = await post('refused', '{"text":"forbidden"}');
    expect(first).toMatchObject({ status: 409, code: 'payment_not_capturable' });
    expect(again.body).toBe(first.body);
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
  });

  it('does not use its key up when it does not match its schema', async () => {
    expect((await post('corrected', '{"text":""}')).code).toBe('validation_failed');
    expect((await post('corrected', '{"text":"a"}')).status).toBe(201);
  });
});

describe('probes', () => {
  it('tell that the service is alive and ready', async () => {
    expect((await call({ url: '/health/live' })).status).toBe(200);
    const ready = await call({ url: '/health/ready' });
    expect([ready.status, JSON.parse(ready.body)]).toEqual([
      200,
      {
        status: 'up',
        checks: { lifecycle: 'up', eventLoop: 'up', revocations: 'up', database: 'up' },
        information: {},
      },
    ]);
  });

  it('have metrics with routes and without ids', async () => {
    await call({ url: '/notes/note_with_an_id' });
    await call({ url: '/unknown/with_an_id' });
    const { body } = await call({ url: '/metrics' });
    expect(body).toContain(
      'http_server_request_duration_seconds_bucket{le="0.005",route="/notes/:noteId",method="GET"',
    );
    expect(body).toContain('route="unmatched",method="GET",status="404"');
    expect(body).toContain('payflow_database_pool_connections{state="open"}');
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(body).not.toContain('with_an_id');
  });
});

describe('a service without its database', () => {
  it('is alive and not ready, answers 503 with Retry-After, and is back when the database is', async () => {
    const { hostname, port: databasePort } = new URL(testDatabase.runtimeUrl);
    const link = await CuttableLink.open(hostname, Number(databasePort));
    const url = new URL(testDatabase.runtimeUrl);
    url.port = String(link.port);
    const lone = await createServiceApp({
      name: 'payment',
      module: NotesModule,
      environment: {
        LOG_LEVEL: 'silent',
        SERVICE_CLIENT_SECRET: 'secret-of-the-service',
        AUTH_URL: mint.url,
        DATABASE_URL: url.toString(),
      },
    });
    const get = async (path: string) => await lone.inject({ url: path });
    expect((await get('/notes/1')).statusCode).toBe(200);

    await link.cut();
    expect((await get('/health/live')).statusCode).toBe(200);
    expect((await get('/health/ready')).statusCode).toBe(503);
    const answer = await get('/notes/1');
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.json()).toMatchObject({ code: 'dependency_unavailable' });

    await link.mend();
    expect((await get('/notes/1')).statusCode).toBe(200);
    expect((await get('/health/ready')).statusCode).toBe(200);
    await lone.close();
    await link.cut();
  });
});

describe('a draining service', () => {
  it('is not ready, still serves, and asks callers to leave', async () => {
    const lifecycle = app.get(Lifecycle);
    expect(lifecycle.isDraining).toBe(false);
    const other = await createServiceApp({
      name: 'payment',
      module: NotesModule,
      environment: {
        LOG_LEVEL: 'silent',
        SERVICE_CLIENT_SECRET: 'secret-of-the-service',
        DATABASE_URL: testDatabase.runtimeUrl,
      },
    });
    other.get(Lifecycle).startDraining();
    expect((await other.inject({ url: '/health/ready' })).json()).toMatchObject({ checks: { lifecycle: 'draining' } });
    const answer = await other.inject({ url: '/notes/1' });
    expect([answer.statusCode, answer.headers.connection]).toEqual([200, 'close']);
    await other.close();
  });
});
