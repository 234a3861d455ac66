import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import { ExpireAuthorizations } from '../src/application/expire-authorizations.js';
import { ADMIN, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start({ AUTHORIZATION_LIFETIME_SECONDS: '1' });
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const paymentOf = async (merchant: Merchant, paymentId: string) =>
  (await service.get(`/payments/${paymentId}`, merchant.principal)).body;

/** When its time is over by the clock of the database, and it was looked after. */
const runOut = async (paymentId: string): Promise<void> => {
  await eventually(async () => {
    await service.app.get(ExpireAuthorizations).pass();
    const due = 'SELECT 1 FROM payments WHERE id = $1 AND expiry_due_at IS NOT NULL';
    expect(await service.database.query(due, [paymentId])).toEqual([]);
  });
};

describe('an authorization whose time is over', () => {
  it('is voided at the acquirer and EXPIRED', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    expect(await paymentOf(merchant, paymentId)).toMatchObject({ status: 'AUTHORIZED' });
    await runOut(paymentId);
    expect(await paymentOf(merchant, paymentId)).toMatchObject({
      status: 'EXPIRED',
      capturableAmount: 0,
      expiredAt: expect.any(String) as unknown,
    });
    expect((await service.published(paymentId)).at(-1)).toMatchObject({
      type: 'payment.expired.v1',
      payload: { released: 1000 },
    });
    expect(service.acquirer.held(await service.operations(paymentId))).toEqual([]);
    const capture = await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal });
    expect(capture.status).toBe(409);
  });

  it('keeps what was captured', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const part = { amount: 600, final: false };
    await service.post(`/payments/${paymentId}/capture`, part, { as: merchant.principal });
    await runOut(paymentId);
    expect(await paymentOf(merchant, paymentId)).toMatchObject({
      status: 'CAPTURED',
      capturedAmount: 600,
      capturableAmount: 0,
    });
    expect((await service.published(paymentId)).at(-1)).toMatchObject({ payload: { released: 400 } });
  });

  it('is voided once, however many instances look after it', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const expiry = service.app.get(ExpireAuthorizations);
    await eventually(async () => {
      await Promise.all(Array.from({ length: 8 }, async () => await expiry.pass()));
      expect(await paymentOf(merchant, paymentId)).toMatchObject({ status: 'EXPIRED' });
    });
    const operations = await service.operations(paymentId);
    expect(operations.map((id) => service.acquirer.arrivalsOf(id))).toEqual([1, 1]);
  });

  it('stays an order to void when the acquirer is silent, and is found voided', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('void', 'silent after effect');
    await runOut(paymentId);
    expect(await paymentOf(merchant, paymentId)).toMatchObject({ status: 'PROCESSING' });
    await service.recover(paymentId);
    expect(await paymentOf(merchant, paymentId)).toMatchObject({ status: 'EXPIRED' });
    const operations = await service.operations(paymentId);
    expect(operations.map((id) => service.acquirer.arrivalsOf(id))).toEqual([1, 1]);
  });

  it('is for people when the acquirer declines the void, and not voided again', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('void', 'decline');
    await runOut(paymentId);
    expect(await service.app.get(ExpireAuthorizations).pass()).toBe(0);
    const { body } = await service.get(`/payment-exceptions?paymentId=${paymentId}`, ADMIN);
    expect(body['data']).toMatchObject([{ kind: 'void_declined', detail: { cause: 'expiry' } }]);
  });
});
