import { request as httpRequest, type ServerResponse } from 'node:http';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually, payerPrincipal } from '@payflow/testing';

import { asAnsweredBy, LoopbackService, type RunningGateway, startGateway } from './running-gateway.js';

describe('more than a service can do', () => {
  let gateway: RunningGateway;
  let authorization: string;
  let held: ServerResponse[] = [];

  beforeAll(async () => {
    gateway = await startGateway({ UPSTREAM_CONCURRENCY_MAX: '2' });
    authorization = await gateway.merchant();
  });
  beforeEach(() => {
    held = [];
    gateway.payment.answer = (_request, response) => void held.push(response);
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const call = async (method: string, path = '/payments'): Promise<Response> =>
    await fetch(gateway.url + path, { method, headers: { authorization } });
  const answerAll = (): void => {
    for (const response of held.splice(0)) response.writeHead(200).end('{}');
  };

  it('is refused at once with 503 and Retry-After, before the service hears of it', async () => {
    const underWay = [call('POST'), call('POST')];
    await eventually(() => expect(held).toHaveLength(2));
    const refused = await call('POST');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'dependency_unavailable' });
    expect(held).toHaveLength(2);
    answerAll();
    for (const answer of await Promise.all(underWay)) expect(answer.status).toBe(200);
  });

  it('does not keep reads from a service that is full of writes, nor anything from another service', async () => {
    const underWay = [call('POST'), call('POST')];
    await eventually(() => expect(held).toHaveLength(2));
    const read = call('GET');
    await eventually(() => expect(held).toHaveLength(3));
    expect((await call('POST', '/ledger/accounts')).status).toBe(200);
    answerAll();
    expect((await read).status).toBe(200);
    await Promise.all(underWay);
  });

  it('is taken again as soon as there is room', async () => {
    const underWay = [call('POST'), call('POST')];
    await eventually(() => expect(held).toHaveLength(2));
    expect((await call('POST')).status).toBe(503);
    answerAll();
    await Promise.all(underWay);
    gateway.payment.answers(200, {});
    expect((await call('POST')).status).toBe(200);
  });

  it('is no matter of those who come without a token: they have places of their own', async () => {
    gateway.payment.answers(200, {});
    const slow = [1, 2].map(() => {
      const path = '/webhooks/psp/sim';
      const headers = { 'content-type': 'application/json', 'content-length': '10' };
      const request = httpRequest({ host: '127.0.0.1', port: gateway.port, path, method: 'POST', headers });
      request.on('error', () => undefined);
      request.write('{');
      return request;
    });
    await eventually(async () => expect((await call('POST', '/webhook')).status).toBe(503));
    expect((await call('POST')).status).toBe(200);
    expect((await call('GET')).status).toBe(200);
    for (const request of slow) request.destroy();
  });
});

describe('a client who leaves before his token is known', () => {
  const key = `pk_test_${'l'.repeat(32)}`;
  let auth: LoopbackService;
  let gateway: RunningGateway;
  const held: (() => void)[] = [];

  beforeAll(async () => {
    auth = await LoopbackService.open();
    gateway = await startGateway({ AUTH_URL: auth.url, UPSTREAM_CONCURRENCY_MAX: '1' });
    gateway.mint.exchanges(key, payerPrincipal(newId('mer')));
    const pass = asAnsweredBy(gateway.mint.url);
    auth.answer = (request, response) => {
      // The gateway asks for a token of its own there too, to follow the revocations.
      if (request.body.includes(key))
        held.push(() => {
          pass(request, response);
        });
      else pass(request, response);
    };
  });
  afterAll(async () => {
    await gateway.stop();
    await auth.close();
  });

  const connections = async (): Promise<number> =>
    await new Promise((resolve) => {
      gateway.app.getHttpServer().getConnections((_, count) => {
        resolve(count);
      });
    });

  it('keeps no place', async () => {
    const path = '/payments/pay_1/status';
    const headers = { authorization: `Bearer ${key}` };
    const leaving = httpRequest({ host: '127.0.0.1', port: gateway.port, path, headers });
    leaving.on('error', () => undefined);
    leaving.end();
    await eventually(() => expect(held).toHaveLength(1));
    leaving.destroy();
    await eventually(async () => expect(await connections()).toBe(0));
    for (const pass of held.splice(0)) pass();
    const call = async (): Promise<number> => {
      const answer = fetch(gateway.url + path, { headers });
      await eventually(() => expect(held.length + gateway.payment.received.length).toBeGreaterThan(0));
      for (const pass of held.splice(0)) pass();
      return (await answer).status;
    };
    expect(await call()).toBe(200);
    expect(await call()).toBe(200);
  });
});
