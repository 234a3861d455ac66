import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { userPrincipal } from '@payflow/testing';

import { type RunningGateway, startGateway } from './running-gateway.js';

/** A demo's staff have the simulated acquirers and the bank do what is rarely seen. */
let demo: RunningGateway;
let live: RunningGateway;

beforeAll(async () => {
  demo = await startGateway({ DEMO_MODE: 'true' });
  live = await startGateway();
});
afterAll(async () => {
  await demo.stop();
  await live.stop();
});

const post = async (gateway: RunningGateway, path: string, body: unknown, role: 'admin' | 'finance' = 'admin') => {
  const authorization = await gateway.authorization(userPrincipal(newId('usr'), role));
  const response = await fetch(`${gateway.url}/test-helpers/${path}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('test helpers', () => {
  it.each([
    ['disputes', { paymentId: 'pay_1', reason: 'fraudulent' }, '/acquirers/sim/disputes'],
    ['acquirer-mode', { acquirer: 'sim2', mode: 'declined', operation: 'refund' }, '/acquirers/sim2/mode'],
    ['bank-mode', { mode: 'slow', latencyMs: 5 }, '/banks/sim/mode'],
    [
      'payout-returns',
      { payoutId: 'po_01kxyz6w3hf8btq2v9m4n7r5sd' },
      '/banks/sim/payouts/po_01kxyz6w3hf8btq2v9m4n7r5sd/return',
    ],
  ])('%s reach the simulator, without the name of whom they are for', async (path, body, at) => {
    demo.acquirerSim.answers(200, { done: true });
    const answer = await post(demo, path, body);
    expect(answer).toEqual({ status: 200, body: { done: true } });
    expect(demo.acquirerSim.last.url).toBe(at);
    expect(demo.acquirerSim.last.headers.authorization).toBeUndefined();
    const sent = JSON.parse(demo.acquirerSim.last.body) as Record<string, unknown>;
    expect(Object.keys(sent)).not.toEqual(expect.arrayContaining(['acquirer']));
  });

  it('are for admins, take only what the simulator knows, and pass its refusal on', async () => {
    expect((await post(demo, 'disputes', { paymentId: 'pay_1' }, 'finance')).status).toBe(403);
    expect((await post(demo, 'bank-mode', { mode: 'no such mode' })).status).toBe(400);
    expect((await post(demo, 'acquirer-mode', { acquirer: '../ledger', mode: 'declined' })).status).toBe(400);
    expect((await fetch(`${demo.url}/test-helpers/disputes`, { method: 'POST' })).status).toBe(401);
  });

  it('are not there outside demo mode', async () => {
    expect(await post(live, 'disputes', { paymentId: 'pay_1' })).toMatchObject({
      status: 404,
      body: { code: 'route_not_found' },
    });
    expect(live.acquirerSim.received).toEqual([]);
  });
});
