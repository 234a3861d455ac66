import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Answered, freshKey, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const atOnce = async (count: number, ask: () => Promise<Answered>): Promise<readonly Answered[]> =>
  await Promise.all(Array.from({ length: count }, ask));

const statuses = (answers: readonly Answered[]): Readonly<Record<string, number>> =>
  answers.reduce<Record<string, number>>((counts, { status }) => {
    counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }, {});

const codesOf = (answers: readonly Answered[]): readonly unknown[] => [
  ...new Set(answers.filter(({ status }) => status >= 400).map(({ body }) => body['code'])),
];

describe('at the same moment', () => {
  it('twenty full captures with different keys take the money once', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const answers = await atOnce(20, async () =>
      service.post(`/payments/${paymentId}/capture`, { amount: 1000 }, { as: merchant.principal, key: freshKey() }),
    );
    expect(statuses(answers)).toEqual({ 200: 1, 409: 19 });
    for (const code of codesOf(answers)) expect(['capture_in_progress', 'payment_not_capturable']).toContain(code);
    const operations = await service.operations(paymentId);
    expect(service.acquirer.approved('capture', operations)).toHaveLength(1);
    expect((await service.published(paymentId)).filter(({ type }) => type === 'payment.captured.v1')).toHaveLength(1);
  });

  it('ten refunds of 100 on 600 give back 600', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant, { amount: 600 });
    const answers = await atOnce(10, async () =>
      service.post(`/payments/${paymentId}/refund`, { amount: 100 }, { as: merchant.principal, key: freshKey() }),
    );
    expect(statuses(answers)).toEqual({ 200: 6, 409: 4 });
    expect(codesOf(answers)).toEqual(['refund_exceeds_captured']);
    const payment = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(payment.body).toMatchObject({ status: 'REFUNDED', refundedAmount: 600, refundableAmount: 0 });
    expect(service.acquirer.approved('refund', await service.operations(paymentId))).toHaveLength(6);
  });

  it('two full refunds give the money back once', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const answers = await atOnce(2, async () =>
      service.post('/refunds', { paymentId, amount: 1000 }, { as: merchant.principal, key: freshKey() }),
    );
    expect(statuses(answers)).toEqual({ 200: 1, 409: 1 });
  });

  it('a capture and a cancel do not both win', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const asked = () => ({ as: merchant.principal, key: freshKey() });
    const answers = await Promise.all([
      service.post(`/payments/${paymentId}/capture`, {}, asked()),
      service.post(`/payments/${paymentId}/cancel`, {}, asked()),
    ]);
    expect(statuses(answers)).toEqual({ 200: 1, 409: 1 });
    const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
    const won = answers[0].status === 200 ? 'CAPTURED' : 'CANCELED';
    expect(body['status']).toBe(won);
  });

  it('twenty authorizations of one intent ask the acquirer once', async () => {
    const merchant = service.merchant();
    const created = await service.post('/payments', { amount: 1000, currency: 'USD' }, { as: merchant.principal });
    const paymentId = created.body['paymentId'] as string;
    const paymentMethod = { type: 'card', token: merchant.token };
    const answers = await atOnce(20, async () =>
      service.post(`/payments/${paymentId}/authorize`, { paymentMethod }, { as: merchant.principal, key: freshKey() }),
    );
    expect(statuses(answers)).toEqual({ 200: 1, 409: 19 });
    expect(codesOf(answers)).toEqual(['payment_not_authorizable']);
    expect(await service.operations(paymentId)).toHaveLength(1);
  });

  it('captures that are not final share the hold to the last cent and never overdraw it', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const answers = await atOnce(15, async () =>
      service.post(
        `/payments/${paymentId}/capture`,
        { amount: 100, final: false },
        { as: merchant.principal, key: freshKey() },
      ),
    );
    expect(statuses(answers)).toEqual({ 200: 10, 409: 5 });
    const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
    // The fees of ten captures are the fee of one over the whole: 2.9 % of 1000 and 30 once.
    expect(body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000, capturableAmount: 0, feeAmount: 59 });
  });

  it('of changes made to the same version, one is made and the others are told', async () => {
    const merchant = service.merchant();
    const created = await service.post('/payments', { amount: 1000, currency: 'USD' }, { as: merchant.principal });
    const path = `/payments/${created.body['paymentId'] as string}`;
    let amount = 1000;
    const answers = await atOnce(8, async () => {
      amount += 1;
      const headers = { 'if-match': created.headers.get('etag') ?? '' };
      return await service.ask('PATCH', path, { amount }, { as: merchant.principal, headers });
    });
    expect(statuses(answers)).toEqual({ 200: 1, 412: 7 });
    expect(codesOf(answers)).toEqual(['precondition_failed']);
    expect((await service.get(path, merchant.principal)).body['version']).toBe(2);
  });
});

describe('If-Match', () => {
  it('refuses a stale version on every command, without using the key up, and takes the current one', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const key = freshKey();
    const capture = async (version: string) =>
      await service.post(
        `/payments/${paymentId}/capture`,
        { amount: 1000 },
        { as: merchant.principal, key, headers: { 'if-match': version } },
      );
    expect(await capture('"2"')).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    const read = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(await capture(read.headers.get('etag') ?? '')).toMatchObject({ status: 200, body: { status: 'CAPTURED' } });
    for (const route of ['cancel', 'refund']) {
      const asked = { as: merchant.principal, headers: { 'if-match': '"3"' } };
      expect((await service.post(`/payments/${paymentId}/${route}`, {}, asked)).status).toBe(412);
    }
  });
});
