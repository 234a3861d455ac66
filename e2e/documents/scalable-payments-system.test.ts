import { describe, expect, it } from '@jest/globals';

import { adminToken, authorize, call, customerToken, demo, demoMerchantToken, newKey, newMerchant } from '../stack.js';

/** The body of POST /payments to the letter, but for the key: a key is used once. */
const printedBody = (key: string) => `{
  "user_id": "12345",
  "merchant_id": "67890",
  "amount": "1000",
  "currency": "USD",
  "payment_method": {
    "type": "card",
    "details": {
      "card_number": "4111111111111111",
      "expiry_date": "12/25",
      "cvv": "123"
    }
  },
  "idempotency_key": "${key}"
}`;

/** Every call that scalable-payments-system.md prints, in its order. */
describe('the calls of scalable-payments-system.md', () => {
  const post = async (key: string) =>
    await call<any>('POST', '/payments', { token: await demoMerchantToken(), raw: printedBody(key) });

  it('POST /payments takes the printed body with its card and its key, and is one payment however often it is sent (R-056)', async () => {
    const key = newKey();
    const answer = await post(key);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      payment_id: expect.stringMatching(/^pay_/),
      status: 'completed',
      state: 'CAPTURED',
      merchant_id: demo().merchant.merchantId,
      amount: '1000.00',
      currency: 'USD',
    });
    const again = await post(key);
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, answer.text, 'true']);
  });

  it('POST /payments with the key that is printed is answered the same for ever', async () => {
    const [first, second] = [await post('unique-key-uuid'), await post('unique-key-uuid')];
    expect([first.status, second.text]).toEqual([201, first.text]);
  });

  it('the payer that it names sees it, and nobody else’s', async () => {
    const { payment_id: paymentId } = (await post(newKey())).body;
    const token = await customerToken();
    expect((await call<any>('GET', `/payments/${paymentId}`, { token })).body).toMatchObject({
      amount: 100_000,
      capturedAmount: 100_000,
    });
    const other = await authorize(await newMerchant());
    expect((await call('GET', `/payments/${other.body.paymentId}`, { token })).status).toBe(404);
  });

  it('POST /payments is refused for parties that nobody knows, and for a mixture of two dialects', async () => {
    const send = async (raw: string, path = '/payments') =>
      await call<any>('POST', path, { token: await demoMerchantToken(), raw });
    const unknown = await send(printedBody(newKey()).replace('12345', '99999'));
    expect([unknown.status, unknown.body.code, unknown.body.errors[0].pointer]).toEqual([
      422,
      'party_not_known',
      '/user_id',
    ]);
    const mixed = await send(printedBody(newKey()).replace('"user_id": "12345"', '"userId": "12345"'));
    expect([mixed.status, mixed.body.code]).toEqual([400, 'validation_failed']);
    const both = await send(printedBody(newKey()), '/payments?fromUser=U1&toUser=U2&amount=10');
    expect(both.status).toBeGreaterThanOrEqual(400);
    const mistyped = await send(printedBody(newKey()).replace('4111111111111111', '4111111111111112'));
    expect([mistyped.status, mistyped.body.errors[0].pointer]).toEqual([400, '/payment_method/details/card_number']);
    expect(mistyped.text).not.toContain('4111');
  });

  it('GET /payments/{id} tells how it stands', async () => {
    const { payment_id: paymentId } = (await post(newKey())).body;
    const answer = await call<any>('GET', `/payments/${paymentId}`, { token: await demoMerchantToken() });
    expect([answer.status, answer.body.status]).toEqual([200, 'CAPTURED']);
  });

  it('POST /refunds refunds it, in either spelling (R-051)', async () => {
    const { payment_id: paymentId } = (await post(newKey())).body;
    const refund = async (body: unknown) =>
      await call<any>('POST', '/refunds', { token: await demoMerchantToken(), key: newKey(), body });
    const part = await refund({ payment_id: paymentId, amount: 40_000, reason: 'customer_request' });
    expect([part.status, part.body.status, part.body.refundStatus]).toEqual([200, 'REFUNDED', 'SUCCEEDED']);
    const rest = await refund({ paymentId });
    expect([rest.status, rest.body.refundedAmount, rest.body.paymentStatus]).toEqual([200, 60_000, 'REFUNDED']);
    const object = await call<any>('GET', `/refunds/${rest.body.refundId}`, { token: await demoMerchantToken() });
    expect(object.body.status).toBe('SUCCEEDED');
  });

  it('POST /webhook takes what a provider has signed, and nothing else (R-061)', async () => {
    const answer = await call<any>('POST', '/webhook', {
      body: { type: 'payment.succeeded', payment_id: 'txn-78901' },
    });
    expect([answer.status, answer.body.code]).toEqual([401, 'webhook_not_authentic']);
  });

  it('GET /ledger shows everybody what is his (R-100, C23)', async () => {
    const { payment_id: paymentId } = (await post(newKey())).body;
    const ledger = async (token: string) => await call<any>('GET', `/ledger?paymentId=${paymentId}`, { token });
    // The ledger hears of it by an event; reading the payment waits for that.
    await call('GET', `/payments/${paymentId}`, { token: await demoMerchantToken() });
    const [staff, merchant, other] = [
      await ledger(await adminToken()),
      await ledger(await demoMerchantToken()),
      await ledger((await newMerchant()).token),
    ];
    expect([staff.status, merchant.status]).toEqual([200, 200]);
    expect(merchant.body.data.length).toBeGreaterThan(0);
    expect(staff.body.data.length).toBeGreaterThanOrEqual(merchant.body.data.length);
    expect(other.body.data).toEqual([]);
    expect((await call<any>('GET', '/ledger', { token: await customerToken() })).status).toBe(200);
  });
});
