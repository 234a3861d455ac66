import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import { type RunningGateway, startGateway } from './running-gateway.js';

/** Places for two: one that is not given back is found out by the next request but one. */
const PLACES = 2;

let gateway: RunningGateway;
let authorization: string;

beforeAll(async () => {
  gateway = await startGateway({ UPSTREAM_CONCURRENCY_MAX: String(PLACES) });
  authorization = await gateway.merchant();
});
afterEach(() => {
  gateway.payment.received.length = 0;
  gateway.payment.answers(200, { ok: true });
});
afterAll(async () => {
  await gateway.stop();
});

const raw = (method: string, times = 1): Socket => {
  const socket = connect(gateway.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`${method} /payments HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`.repeat(times));
  return socket;
};

const everyPlaceIsFree = async (): Promise<void> => {
  gateway.payment.answers(200, {});
  await eventually(async () => {
    const calls = Array.from({ length: PLACES }, async () => await fetch(`${gateway.url}/payments`, asMerchant()));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
  });
};
const asMerchant = () => ({ headers: { authorization } });

describe('a huge answer', () => {
  const CHUNK = Buffer.alloc(64 * 1024, 'x');
  /** More than all buffers of sockets on the way hold. */
  const CHUNKS = 1_000;

  it('waits at the service for a client who does not read, and is whole when he does', async () => {
    let written = 0;
    let waits = false;
    gateway.payment.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv' });
      const more = (): void => {
        for (waits = false; written < CHUNKS && !waits; written += 1) waits = !response.write(CHUNK);
        if (waits) response.once('drain', more);
        else response.end();
      };
      more();
    };
    const request = httpRequest({ host: '127.0.0.1', port: gateway.port, path: '/payments', ...asMerchant() }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const seen: number[] = [];
    await eventually(() => {
      seen.push(written);
      expect(seen.slice(-5)).toEqual(Array.from({ length: 5 }, () => written));
    });
    expect(waits).toBe(true);
    expect(written).toBeLessThan(CHUNKS);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(CHUNKS * CHUNK.length);
  });

  it('to a client who leaves in the middle is read to its end, and his place is free again', async () => {
    let ended = 0;
    gateway.payment.answer = (_request, response) => {
      response.on('finish', () => (ended += 1)).writeHead(200, { 'content-type': 'text/csv' });
      for (let count = 0; count < CHUNKS; count += 1) response.write(CHUNK);
      response.end();
    };
    for (let times = 0; times < PLACES; times += 1) {
      const socket = raw('GET');
      await once(socket, 'data');
      socket.destroy();
    }
    await eventually(() => expect(ended).toBe(PLACES));
    await everyPlaceIsFree();
  });
});

it('gives back the places of clients who ask and do not read', async () => {
  const impatient = await startGateway({ UPSTREAM_CONCURRENCY_MAX: '1', BODY_TIMEOUT_MS: '500' });
  try {
    const headers = { authorization: await impatient.merchant() };
    impatient.payment.answer = (_request, response) =>
      void response.writeHead(200).end(Buffer.alloc(64 * 1024 * 1024, 'x'));
    const { port } = impatient;
    const idle = connect(port, '127.0.0.1');
    idle.on('error', () => undefined).pause();
    idle.write(`GET /payments HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\n\r\n`);
    await eventually(() => expect(impatient.payment.received).toHaveLength(1));
    impatient.payment.answers(200, {});
    await eventually(async () => expect((await fetch(`${impatient.url}/payments`, { headers })).status).toBe(200));
    idle.destroy();
  } finally {
    await impatient.stop();
  }
});

it('gives back the places of a client who sends two requests at once and leaves before the answers', async () => {
  const held: (() => void)[] = [];
  gateway.payment.answer = (_request, response) =>
    void held.push(() => response.writeHead(200).end('x'.repeat(1_000_000)));
  const socket = raw('GET', PLACES);
  await eventually(() => expect(held).toHaveLength(PLACES));
  // The second is answered first, so that its answer waits here for its turn.
  held.pop()?.();
  socket.destroy();
  held.pop()?.();
  await everyPlaceIsFree();
});

describe('an answer', () => {
  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', /^HTTP\/1.1 200 [^]*content-length: 10[^]*\r\n\r\n$/i],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', /^HTTP\/1.1 204 [^]*\r\n\r\n$/],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 10\r\n\r\n', /^HTTP\/1.1 304 [^]*\r\n\r\n$/],
    [
      'GET',
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      /^HTTP\/1.1 200 /,
    ],
    [
      'GET',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nab\r\n0\r\nX-T: secret\r\n\r\n',
      /^HTTP\/1.1 200 (?![^]*secret)[^]*\r\n2\r\nab\r\n0\r\n\r\n$/,
    ],
    [
      'GET',
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 1\r\n\r\na',
      /set-cookie: a=1\r\nset-cookie: b=2\r\n/,
    ],
    [
      'GET',
      'HTTP/1.1 200 OK\r\nConnection: X-Secret, close\r\nX-Secret: 1\r\nKeep-Alive: timeout=777\r\nContent-Length: 1\r\n\r\na',
      /^HTTP\/1.1 200 (?![^]*x-secret)(?![^]*timeout=777)/i,
    ],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabcdef', /^HTTP\/1.1 200 [^]*\r\n\r\na$/],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /^HTTP\/1.1 503 /],
    ['GET', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', /^HTTP\/1.1 503 /],
    ['GET', 'nonsense\r\n\r\n', /^HTTP\/1.1 503 /],
  ])('to %s in the bytes %j is passed on as HTTP has it', async (method, bytes, expected) => {
    gateway.payment.answer = (_request, response) => void response.socket?.end(Buffer.from(bytes, 'latin1'));
    const socket = raw(method);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    await eventually(() => expect(text).toMatch(expected));
    socket.destroy();
    await everyPlaceIsFree();
  });

  it('that is shorter than it said breaks off', async () => {
    gateway.payment.answer = (_request, response) =>
      void response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    const socket = raw('GET');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    await once(socket, 'close');
    expect(text).toMatch(/\r\n\r\n(abc)?$/);
    await everyPlaceIsFree();
  });
});

it('does not pass on what a request says belongs to its connection, nor lets it take away what is ours', async () => {
  const request = httpRequest({
    host: '127.0.0.1',
    port: gateway.port,
    path: '/payments',
    headers: {
      authorization,
      connection: 'X-Mine, X-Request-Id, X-Forwarded-For, Traceparent',
      'x-mine': '1',
      'X-PayFlow-Swapped-Card': ['forged', 'twice'],
    },
  }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  const { headers } = gateway.payment.last;
  expect(headers).toMatchObject({
    'x-request-id': response.headers['x-request-id'],
    'x-forwarded-for': '127.0.0.1',
    traceparent: expect.any(String),
  });
  for (const name of ['x-mine', 'x-payflow-swapped-card']) expect(headers).not.toHaveProperty(name);
});
