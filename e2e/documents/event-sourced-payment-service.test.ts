import { beforeAll, describe, expect, it } from '@jest/globals';

import { authorize, call, CARD_OK, newKey, newMerchant, type TestMerchant } from '../stack.js';

/** Every call that event-sourced-payment-service.md prints (its table of endpoints), in its order. */
describe('the calls of event-sourced-payment-service.md', () => {
  let merchant: TestMerchant;
  beforeAll(async () => {
    merchant = await newMerchant();
  });
  const post = async (path: string, body: unknown) =>
    await call<any>('POST', path, { token: merchant.token, key: newKey(), body });
  const get = async (path: string) => await call<any>('GET', path, { token: merchant.token });
  const intent = async () => await post('/payments', { amount: 1000, currency: 'USD' });

  it('POST /payments creates an intent, and no acquirer is called (R-053)', async () => {
    const created = await intent();
    expect([created.status, created.body.status]).toEqual([201, 'PENDING']);
    expect((await get(`/payments/${created.body.paymentId}/attempts`)).body.data).toEqual([]);
  });

  it('POST /payments/:id/authorize authorizes it (R-054)', async () => {
    const { paymentId } = (await intent()).body;
    const answer = await post(`/payments/${paymentId}/authorize`, { paymentMethod: { type: 'card', card: CARD_OK } });
    expect([answer.status, answer.body.status]).toEqual([200, 'AUTHORIZED']);
  });

  it('POST /payments/:id/capture captures what is authorized (R-046)', async () => {
    const { paymentId } = (await authorize(merchant)).body;
    const answer = await post(`/payments/${paymentId}/capture`, {});
    expect([answer.status, answer.body.status, answer.body.capturedAmount]).toEqual([200, 'CAPTURED', 1000]);
  });

  it('POST /payments/:id/refund refunds what is captured (R-048)', async () => {
    const { paymentId } = (await authorize(merchant, { capture: true })).body;
    const answer = await post(`/payments/${paymentId}/refund`, {});
    expect([answer.status, answer.body.status, answer.body.refundedAmount]).toEqual([200, 'REFUNDED', 1000]);
  });

  it('GET /payments/:id tells how it stands (R-052)', async () => {
    const { paymentId } = (await authorize(merchant)).body;
    const answer = await get(`/payments/${paymentId}`);
    expect([answer.status, answer.body.paymentId, answer.body.status]).toEqual([200, paymentId, 'AUTHORIZED']);
  });

  it('GET /payments/:id/events tells how it came to be, without a gap (R-055)', async () => {
    const { paymentId } = (await authorize(merchant, { capture: true })).body;
    const { status, body } = await get(`/payments/${paymentId}/events`);
    expect(status).toBe(200);
    const versions = body.data.map((event: { version: number }) => event.version);
    expect(versions).toEqual(versions.map((_: number, index: number) => index + 1));
    expect(body.data[0].type).toBe('PaymentCreated');
    for (const event of body.data) expect(event.occurredAt).toMatch(/Z$/);
  });
});
