import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';
import { Webhook } from 'standardwebhooks';

import { type Merchant, PaymentUnderTest, START_TIMEOUT_MS, WEBHOOK_SECRET } from './payment-under-test.js';

let service: PaymentUnderTest;

beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);

afterAll(async () => {
  await service.stop();
});

interface Sent {
  readonly id?: string;
  readonly at?: Date;
  readonly path?: string;
  readonly type?: string;
}

/** What the acquirer sends about an operation; what it says of it is not believed, so it says nothing true. */
const webhook = async (reference: string, sent: Sent = {}): Promise<number> => {
  const { id = newId('req'), at = new Date(), path = '/webhooks/psp/sim', type = 'operation.updated' } = sent;
  const body = JSON.stringify({
    type,
    createdAt: at.toISOString(),
    data: {
      reference,
      operation: 'authorize',
      outcome: 'declined',
      authorizationId: null,
      amount: 1,
      currency: 'XTS',
      message: 'Said in passing.',
      createdAt: at.toISOString(),
    },
  });
  const response = await fetch(service.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(WEBHOOK_SECRET).sign(id, at, body),
    },
    body,
  });
  return response.status;
};

const attemptOf = async (paymentId: string): Promise<string> => (await service.operations(paymentId))[0] ?? '';
const statusOf = async (paymentId: string, merchant: Merchant): Promise<unknown> =>
  (await service.get(`/payments/${paymentId}`, merchant.principal)).body['status'];
const rowOf = async (reference: string) =>
  (
    await service.database.query<{ state: string; reason: string | null; tries: number }>(
      'SELECT state, reason, tries FROM psp_webhooks WHERE operation_id = $1',
      [reference],
    )
  )[0];

/** A payment that the acquirer has not decided yet. */
const pending = async (merchant: Merchant): Promise<{ readonly paymentId: string; readonly reference: string }> => {
  service.acquirer.next('authorize', 'pending');
  const { body } = await service.authorize(merchant, { capture: true });
  const paymentId = String(body['paymentId']);
  return { paymentId, reference: await attemptOf(paymentId) };
};

describe('a webhook', () => {
  it('makes the payment ask, and what the acquirer answers is recorded', async () => {
    const merchant = service.merchant();
    const { paymentId, reference } = await pending(merchant);
    service.acquirer.decide(reference, 'approved');
    expect(await webhook(reference)).toBe(200);
    await eventually(async () => {
      expect(await statusOf(paymentId, merchant)).toBe('CAPTURED');
    });
    await eventually(async () => {
      expect(await rowOf(reference)).toMatchObject({ state: 'done' });
    });
  });

  it('that comes ten times at once is one message with one effect', async () => {
    const merchant = service.merchant();
    const { paymentId, reference } = await pending(merchant);
    service.acquirer.decide(reference, 'approved');
    const id = newId('req');
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => await webhook(reference, { id })));
    expect(new Set(statuses)).toEqual(new Set([200]));
    await eventually(async () => {
      expect(await statusOf(paymentId, merchant)).toBe('CAPTURED');
    });
    const operations = await service.operations(paymentId);
    expect(service.acquirer.approved('capture', operations)).toHaveLength(1);
  });

  it('of other words about the same operation changes nothing that has ended', async () => {
    const merchant = service.merchant();
    const { body } = await service.authorize(merchant);
    const paymentId = String(body['paymentId']);
    const reference = await attemptOf(paymentId);
    const before = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(await webhook(reference, { at: new Date(Date.now() - 86_400_000) })).toBe(200);
    await eventually(async () => {
      expect(await rowOf(reference)).toMatchObject({ state: 'done' });
    });
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).text).toBe(before.text);
  });

  it('waits and asks again when the acquirer does not answer', async () => {
    const merchant = service.merchant();
    const { reference } = await pending(merchant);
    service.acquirer.next('inquiry', 'server error');
    expect(await webhook(reference)).toBe(200);
    await eventually(async () => {
      expect(service.acquirer.inquiries).toContain(reference);
      expect(await rowOf(reference)).toMatchObject({ state: 'waiting', tries: 1 });
    });
  });

  it('is not given up while nothing else would tell of an approval that came too late', async () => {
    const merchant = service.merchant();
    service.acquirer.next('authorize', 'decline');
    const { body } = await service.authorize(merchant);
    const reference = await attemptOf(String(body['paymentId']));
    service.acquirer.decide(reference, 'approved');
    service.acquirer.next('inquiry', 'server error', 'server error');
    const due = async (tries: number): Promise<void> => {
      await service.database.execute(
        'UPDATE psp_webhooks SET tries = $2, next_try_at = now() WHERE operation_id = $1',
        [reference, tries],
      );
    };
    expect(await webhook(reference)).toBe(200);
    await eventually(async () => {
      expect(await rowOf(reference)).toMatchObject({ state: 'waiting', tries: 1 });
    });
    await due(2_000);
    await eventually(async () => {
      expect(service.acquirer.inquiries.filter((asked) => asked === reference)).toHaveLength(2);
      expect(await rowOf(reference)).toMatchObject({ state: 'waiting', tries: 2_001 });
    });
    await due(2_001);
    await eventually(async () => {
      expect(service.acquirer.held([reference])).toEqual([]);
      expect(await rowOf(reference)).toMatchObject({ state: 'done', reason: null });
    });
  });

  it.each([
    ['an operation that nobody ordered', newId('att'), {}, 'unknown_reference'],
    ['a payment id', newId('pay'), {}, 'unknown_reference'],
  ])('about %s is kept and ignored, so that it is not sent for ever', async (_what, reference, sent, reason) => {
    expect(await webhook(reference, sent)).toBe(200);
    expect(await rowOf(reference)).toMatchObject({ state: 'ignored', reason });
  });

  it('finds its provider by its signature where it cannot name it', async () => {
    const merchant = service.merchant();
    const { paymentId, reference } = await pending(merchant);
    service.acquirer.decide(reference, 'declined');
    expect(await webhook(reference, { path: '/webhook' })).toBe(200);
    await eventually(async () => {
      expect(await statusOf(paymentId, merchant)).toBe('FAILED');
    });
  });
});

describe('what is no webhook of a provider', () => {
  const post = async (path: string, headers: Record<string, string>, body: string | null = '{}') =>
    await fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });

  it.each([
    ['/webhooks/psp/sim', {}, 401, 'webhook_not_authentic'],
    ['/webhook', {}, 401, 'webhook_not_authentic'],
    [
      '/webhooks/psp/sim',
      { 'webhook-id': 'x', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AA' },
      401,
      'webhook_not_authentic',
    ],
    ['/webhooks/psp/nobody', {}, 404, 'webhook_provider_unknown'],
  ])('%s %j is refused with %i %s, and nothing is written', async (path, headers, status, code) => {
    const count = async () =>
      (await service.database.query<{ n: bigint }>('SELECT count(*) AS n FROM psp_webhooks'))[0]?.n;
    const before = await count();
    const answer = await post(path, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
    expect(await count()).toBe(before);
  });
});
