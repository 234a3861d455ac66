import type { ServerResponse } from 'node:http';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import { type RunningGateway, startGateway } from './running-gateway.js';

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
});
