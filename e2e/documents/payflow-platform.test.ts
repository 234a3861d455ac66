import { describe, expect, it } from '@jest/globals';

import { call, demoMerchantToken, newKey } from '../stack.js';

/** Every call that payflow-platform.md prints (its REST API contracts), with the bodies that it prints, in its order. */
describe('the calls of payflow-platform.md', () => {
  const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
  // An Idempotency-Key is printed as a UUID.
  const post = async (path: string, body: unknown, key = newKey()) =>
    await call<any>('POST', path, { token: await demoMerchantToken(), key, body });
  const get = async (path: string) => await call<any>('GET', path, { token: await demoMerchantToken() });
  const authorize = async (key?: string) =>
    await post(
      '/payments/authorize',
      {
        amount: 1000,
        currency: 'USD',
        paymentMethod: { type: 'card', token: 'tok_abcdef' },
        capture: false,
        metadata: { orderId: 'ord_123' },
      },
      key,
    );
  const capture = async (paymentId: string) =>
    await post(`/payments/${paymentId}/capture`, { amount: 1000, metadata: { notes: 'finalize order' } });
  const refund = async (paymentId: string) =>
    await post(`/payments/${paymentId}/refund`, { amount: 500, reason: 'customer_request', metadata: {} });

  it('POST /payments/authorize holds the money (R-040)', async () => {
    const key = newKey();
    const answer = await authorize(key);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      paymentId: expect.stringMatching(/^pay_/),
      status: 'AUTHORIZED',
      authorizedAmount: 1000,
      currency: 'USD',
      createdAt: expect.stringMatching(TIME),
    });
    expect((await authorize(key)).text).toBe(answer.text);
  });

  it('POST /payments/{id}/capture takes it (R-046)', async () => {
    const { paymentId } = (await authorize()).body;
    const answer = await capture(paymentId);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      paymentId,
      status: 'CAPTURED',
      capturedAmount: 1000,
      capturedAt: expect.stringMatching(TIME),
    });
    expect((await capture(paymentId)).status).toBe(409);
  });

  it('POST /payments/{id}/refund gives half of it back (R-048, R-049)', async () => {
    const { paymentId } = (await authorize()).body;
    await capture(paymentId);
    const answer = await refund(paymentId);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      refundId: expect.stringMatching(/^ref_/),
      paymentId,
      status: 'REFUNDED',
      refundedAmount: 500,
      createdAt: expect.stringMatching(TIME),
    });
    // 500 of 500 are left; the third would be too much.
    expect([(await refund(paymentId)).status, (await refund(paymentId)).status]).toEqual([200, 409]);
  });

  it('GET /payments/{id} tells its state and what the ledger says (R-052)', async () => {
    const { paymentId } = (await authorize()).body;
    await capture(paymentId);
    const { status, body } = await get(`/payments/${paymentId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ paymentId, status: 'CAPTURED', amount: 1000, currency: 'USD', ledgerBalance: 1000 });
    for (const type of ['AUTH', 'CAPTURE']) {
      expect(body.ledgerEntries).toContainEqual(
        expect.objectContaining({
          entryId: expect.stringMatching(/^le_/),
          type,
          amount: 1000,
          createdAt: expect.stringMatching(TIME),
        }),
      );
    }
  });
});
