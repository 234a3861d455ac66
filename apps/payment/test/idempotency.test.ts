import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CARD_FINGERPRINT_HEADER } from '@payflow/service';

import { freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const orderOf = (merchant: Merchant, amount = 1000) => ({
  amount,
  currency: 'USD',
  paymentMethod: { type: 'card', token: merchant.token },
});

const paymentsOf = async (merchant: Merchant): Promise<readonly { readonly paymentId: string }[]> =>
  (await service.get('/payments?limit=100', merchant.principal)).body['data'] as readonly { paymentId: string }[];

describe('a request with an Idempotency-Key', () => {
  it('is answered the same to the byte when it is repeated, and has one effect', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    const first = await service.post('/payments/authorize', orderOf(merchant), asked);
    const second = await service.post('/payments/authorize', orderOf(merchant), asked);
    expect(first.status).toBe(201);
    expect([second.status, second.text]).toEqual([first.status, first.text]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    const [attempt = ''] = await service.operations(first.body['paymentId'] as string);
    expect(service.acquirer.arrivalsOf(attempt)).toBe(1);
    expect(await paymentsOf(merchant)).toHaveLength(1);
  });

  it('has one effect however many twins run at the same moment', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await service.post('/payments/authorize', orderOf(merchant), asked)),
    );
    const created = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(created.length).toBeGreaterThanOrEqual(1);
    expect(new Set(created.map(({ text }) => text)).size).toBe(1);
    for (const { status, body, headers } of refused) {
      expect([status, body['code']]).toEqual([409, 'idempotency_key_in_use']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const [payment, ...others] = await paymentsOf(merchant);
    expect(others).toEqual([]);
    const [attempt = ''] = await service.operations(payment?.paymentId ?? '');
    expect(service.acquirer.arrivalsOf(attempt)).toBe(1);
  });

  it('is replayed after its single-use token was used up by itself; another request may not use it', async () => {
    const merchant = service.merchant();
    const token = service.vault.token(merchant.id, { reusable: false });
    const order = { ...orderOf(merchant), paymentMethod: { type: 'card', token } };
    const asked = { as: merchant.principal, key: freshKey() };
    const first = await service.post('/payments/authorize', order, asked);
    const replay = await service.post('/payments/authorize', order, asked);
    expect([first.status, replay.status, replay.text]).toEqual([201, 201, first.text]);
    const other = await service.post('/payments/authorize', order, { ...asked, key: freshKey() });
    expect(other).toMatchObject({ status: 422, body: { code: 'token_unusable', reason: 'used' } });
  });

  it('is replayed although the vault is gone', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    const first = await service.post('/payments/authorize', orderOf(merchant), asked);
    service.vault.server.down = true;
    const replay = await service.post('/payments/authorize', orderOf(merchant), asked);
    const fresh = await service.post('/payments/authorize', orderOf(merchant), { ...asked, key: freshKey() });
    service.vault.server.down = false;
    expect([replay.status, replay.text]).toEqual([201, first.text]);
    expect(fresh).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
    expect(fresh.headers.get('retry-after')).not.toBeNull();
    expect(await paymentsOf(merchant)).toHaveLength(1);
  });

  it('uses no key up when a part of PayFlow was down before anything happened', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    service.vault.server.down = true;
    const refused = await service.post('/payments/authorize', orderOf(merchant), asked);
    service.vault.server.down = false;
    expect(refused.status).toBe(503);
    expect((await service.post('/payments/authorize', orderOf(merchant), asked)).status).toBe(201);
  });

  it('is the same request when the gateway swapped the same card for another token', async () => {
    const merchant = service.merchant();
    const key = freshKey();
    const send = async (fingerprint: string) => {
      const token = service.vault.token(merchant.id, { reusable: false });
      const order = { ...orderOf(merchant), paymentMethod: { type: 'card', token } };
      const headers = { [CARD_FINGERPRINT_HEADER]: fingerprint };
      return await service.post('/payments/authorize', order, { as: merchant.principal, key, headers });
    };
    const first = await send('fp_4242');
    const second = await send('fp_4242');
    const otherCard = await send('fp_1881');
    expect([first.status, second.text]).toEqual([201, first.text]);
    expect(otherCard).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it('is refused when the key stands for another request, and changes nothing', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    await service.post('/payments/authorize', orderOf(merchant, 1000), asked);
    const other = await service.post('/payments/authorize', orderOf(merchant, 2000), asked);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await paymentsOf(merchant)).toMatchObject([{ amount: 1000 }]);
  });

  it('is independent of the same key of another merchant', async () => {
    const [one, two] = [service.merchant(), service.merchant()];
    const key = freshKey();
    const answers = [
      await service.post('/payments/authorize', orderOf(one), { as: one.principal, key }),
      await service.post('/payments/authorize', orderOf(two), { as: two.principal, key }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0]?.body['paymentId']).not.toBe(answers[1]?.body['paymentId']);
  });

  it('keeps a business refusal as its answer', async () => {
    const merchant = service.merchant();
    const token = service.vault.token(merchant.id, { status: 'expired' });
    const order = { ...orderOf(merchant), paymentMethod: { type: 'card', token } };
    const asked = { as: merchant.principal, key: freshKey() };
    const first = await service.post('/payments/authorize', order, asked);
    const second = await service.post('/payments/authorize', order, asked);
    expect(first).toMatchObject({ status: 422, body: { code: 'token_unusable', reason: 'expired' } });
    expect(first.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect([second.status, second.text]).toEqual([422, first.text]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await paymentsOf(merchant)).toEqual([]);
  });

  it('keeps a decline as its answer', async () => {
    const merchant = service.merchant();
    const token = service.vault.token(merchant.id, { number: '4000000000000002' });
    const order = { ...orderOf(merchant), paymentMethod: { type: 'card', token } };
    const asked = { as: merchant.principal, key: freshKey() };
    const first = await service.post('/payments/authorize', order, asked);
    const second = await service.post('/payments/authorize', order, asked);
    expect(first.body['status']).toBe('FAILED');
    expect([second.status, second.text]).toEqual([201, first.text]);
    expect(await paymentsOf(merchant)).toHaveLength(1);
  });

  it('does not use the key up when it is malformed', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    const wrong = await service.post('/payments/authorize', { ...orderOf(merchant), amount: -5 }, asked);
    const right = await service.post('/payments/authorize', orderOf(merchant), asked);
    expect([wrong.status, right.status]).toEqual([400, 201]);
  });

  it.each([
    ['capture', { amount: 400, final: false }, 'capturedAmount', 400],
    ['cancel', {}, 'capturableAmount', 0],
    ['refund', { amount: 100 }, 'refundedAmount', 100],
  ] as const)('holds for %s as well', async (route, body, member, expected) => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant, { capture: route === 'refund' });
    const asked = { as: merchant.principal, key: freshKey() };
    const first = await service.post(`/payments/${paymentId}/${route}`, body, asked);
    const second = await service.post(`/payments/${paymentId}/${route}`, body, asked);
    expect(first).toMatchObject({ status: 200, body: { [member]: expected } });
    expect([second.status, second.text, second.headers.get('idempotent-replayed')]).toEqual([200, first.text, 'true']);
    const last = (await service.operations(paymentId)).at(-1) ?? '';
    expect(service.acquirer.arrivalsOf(last)).toBe(1);
  });

  it('holds for intents and their changes, the client secret included', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    const order = { amount: 100, currency: 'USD' };
    const [first, second] = [
      await service.post('/payments', order, asked),
      await service.post('/payments', order, asked),
    ];
    expect([first.status, second.text]).toEqual([201, first.text]);
    const path = `/payments/${first.body['paymentId'] as string}`;
    const change = { as: merchant.principal, key: freshKey() };
    const one = await service.ask('PATCH', path, { amount: 200 }, change);
    const two = await service.ask('PATCH', path, { amount: 200 }, change);
    expect([one.status, two.text]).toEqual([200, one.text]);
  });
});

describe('a request without a key', () => {
  it('is taken for an accident when it comes twice within a minute, and names the first one', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal };
    const first = await service.post('/payments/authorize', orderOf(merchant), asked);
    const twin = await service.post('/payments/authorize', orderOf(merchant), asked);
    expect(first.status).toBe(201);
    expect(twin).toMatchObject({
      status: 409,
      body: { code: 'duplicate_request', resource: first.body['paymentId'] },
    });
    expect((await service.post('/payments/authorize', orderOf(merchant, 1001), asked)).status).toBe(201);
    expect((await service.post('/payments/authorize', orderOf(merchant), { ...asked, key: freshKey() })).status).toBe(
      201,
    );
  });

  it('may be sent again after it was refused', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const asked = { as: merchant.principal };
    const early = await service.post(`/payments/${paymentId}/refund`, { amount: 100 }, asked);
    expect(early).toMatchObject({ status: 409, body: { code: 'payment_not_refundable' } });
    await service.post(`/payments/${paymentId}/capture`, {}, asked);
    expect((await service.post(`/payments/${paymentId}/refund`, { amount: 100 }, asked)).status).toBe(200);
  });
});
