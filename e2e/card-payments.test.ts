import { beforeAll, describe, expect, it } from '@jest/globals';

import {
  authorize,
  call,
  CARD_OK,
  cardNumbered,
  demo,
  demoMerchantToken,
  newKey,
  newMerchant,
  type TestMerchant,
} from './stack.js';

describe('a card payment, through everything', () => {
  let merchant: TestMerchant;
  beforeAll(async () => {
    merchant = await newMerchant();
  });
  const post = async (path: string, body: unknown = {}, key = newKey()) =>
    await call('POST', path, { token: merchant.token, key, body });
  const get = async (path: string) => await call('GET', path, { token: merchant.token });

  it('is authorized in one call as the document prints it (R-040)', async () => {
    const answer = await call('POST', '/payments/authorize', {
      token: await demoMerchantToken(),
      key: newKey(),
      body: {
        amount: 1000,
        currency: 'USD',
        paymentMethod: { type: 'card', token: 'tok_abcdef' },
        capture: false,
        metadata: { orderId: 'ord_123' },
      },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      status: 'AUTHORIZED',
      authorizedAmount: 1000,
      currency: 'USD',
      merchantId: demo().merchant.merchantId,
    });
    expect(answer.body['paymentId']).toMatch(/^pay_[0-9a-z]{26}$/);
    expect(answer.body['createdAt']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('is authorized and captured in one call (R-041)', async () => {
    const sale = await authorize(merchant, { capture: true });
    expect(sale.status).toBe(201);
    expect(sale.body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000, feeAmount: 59, netAmount: 941 });
    const read = await get(`/payments/${sale.body.paymentId}`);
    const types = read.body.ledgerEntries.map((entry: { type: string }) => entry.type);
    expect(types).toEqual(expect.arrayContaining(['AUTH', 'CAPTURE', 'FEE']));
  });

  it('is captured in part, the rest of the hold is released, and a second capture is refused (R-046, R-047)', async () => {
    const { body: payment } = await authorize(merchant);
    const capture = await post(`/payments/${payment.paymentId}/capture`, { amount: 600, metadata: { notes: 'x' } });
    expect(capture.status).toBe(200);
    expect(capture.body).toMatchObject({ paymentId: payment.paymentId, status: 'CAPTURED', capturedAmount: 600 });
    expect(capture.body['capturedAt']).toMatch(/Z$/);
    expect((await post(`/payments/${payment.paymentId}/capture`)).body).toMatchObject({
      status: 409,
      code: 'payment_not_capturable',
    });
    expect((await post(`/payments/pay_01kxyz6w3hf8btq2v9m4n7r5sd/capture`)).body).toMatchObject({
      status: 404,
      code: 'payment_not_found',
    });
  });

  it('is never captured above what was authorized (R-047)', async () => {
    const { body: payment } = await authorize(merchant);
    expect((await post(`/payments/${payment.paymentId}/capture`, { amount: 1001 })).body).toMatchObject({
      status: 422,
      code: 'capture_exceeds_authorization',
    });
  });

  it('is captured several times while `final` is false (spec §2)', async () => {
    const { body: payment } = await authorize(merchant);
    expect((await post(`/payments/${payment.paymentId}/capture`, { amount: 300, final: false })).body).toMatchObject({
      status: 'PARTIALLY_CAPTURED',
      capturableAmount: 700,
    });
    expect((await post(`/payments/${payment.paymentId}/capture`, { amount: 700, final: false })).body).toMatchObject({
      status: 'CAPTURED',
      capturedAmount: 1000,
      feeAmount: 59,
    });
  });

  it('is refunded in part, then the rest, never more (R-048, R-049, R-050)', async () => {
    const { body: payment } = await authorize(merchant, { capture: true });
    const refund = await post(`/payments/${payment.paymentId}/refund`, {
      amount: 500,
      reason: 'customer_request',
      metadata: {},
    });
    expect(refund.status).toBe(200);
    expect(refund.body).toMatchObject({
      paymentId: payment.paymentId,
      status: 'REFUNDED',
      refundStatus: 'SUCCEEDED',
      refundedAmount: 500,
      paymentStatus: 'PARTIALLY_REFUNDED',
    });
    expect(refund.body['refundId']).toMatch(/^ref_/);
    expect((await get(`/payments/${payment.paymentId}`)).body).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refundableAmount: 500,
      ledgerBalance: 500,
    });
    expect((await post(`/payments/${payment.paymentId}/refund`, { amount: 501 })).body).toMatchObject({
      status: 409,
      code: 'refund_exceeds_captured',
    });
    const rest = await post('/refunds', { paymentId: payment.paymentId });
    expect(rest.body).toMatchObject({ refundedAmount: 500, paymentStatus: 'REFUNDED' });
    expect((await get(`/refunds/${rest.body['refundId']}`)).body).toMatchObject({ status: 'SUCCEEDED', amount: 500 });
  });

  it('is read with its ledger summary in the very next call, a hundred times (R-052, R-098)', async () => {
    for (let round = 0; round < 100; round += 1) {
      const { body: payment } = await authorize(merchant);
      const { body: read } = await get(`/payments/${payment.paymentId}`);
      expect(read.ledgerBalance).toBe(0);
      expect(read.ledgerEntries).toHaveLength(1);
      expect(read.ledgerEntries[0]).toMatchObject({ type: 'AUTH', amount: 1000 });
      expect(read.ledgerEntries[0].entryId).toMatch(/^le_/);
    }
  }, 400_000);

  it('starts as an intent, is changed, authorized later and processed at once (R-053, R-054, R-058)', async () => {
    const intent = await post('/payments', { amount: 700, currency: 'EUR', reference: 'order-1' });
    expect(intent.status).toBe(201);
    expect(intent.body).toMatchObject({ status: 'PENDING', authorizedAmount: 0 });
    expect(intent.body['clientSecret']).toEqual(expect.any(String));
    const changed = await call('PATCH', `/payments/${intent.body['paymentId']}`, {
      token: merchant.token,
      key: newKey(),
      body: { amount: 800 },
    });
    expect(changed.body).toMatchObject({ amount: 800 });
    const authorized = await post(`/payments/${intent.body['paymentId']}/authorize`, {
      paymentMethod: { type: 'card', card: CARD_OK },
    });
    expect(authorized.body).toMatchObject({ status: 'AUTHORIZED', authorizedAmount: 800 });
    const other = await post('/payments', { amount: 700, currency: 'JPY' });
    expect(
      (await post(`/payments/${other.body['paymentId']}/process`, { paymentMethod: { type: 'card', card: CARD_OK } }))
        .body,
    ).toMatchObject({ status: 'CAPTURED' });
    expect(
      (await post(`/payments/${other.body['paymentId']}/process`, { paymentMethod: { type: 'card', card: CARD_OK } }))
        .status,
    ).toBe(409);
  });

  it('is canceled before it is captured, and its hold goes back (R-062)', async () => {
    const { body: payment } = await authorize(merchant);
    expect((await post(`/payments/${payment.paymentId}/cancel`, { reason: 'out of stock' })).body).toMatchObject({
      status: 'CANCELED',
      capturableAmount: 0,
    });
    const { body: read } = await get(`/payments/${payment.paymentId}`);
    expect(read.ledgerEntries.map((entry: { type: string }) => entry.type)).toEqual(['AUTH', 'AUTH_RELEASE']);
    expect((await post(`/payments/${payment.paymentId}/capture`)).status).toBe(409);
  });

  it.each([
    ['4000000000000002', 'generic_decline'],
    ['4000000000009995', 'insufficient_funds'],
    ['4000000000000069', 'expired_card'],
    ['4000000000000127', 'incorrect_cvc'],
    ['4000000000000119', 'processing_error'],
  ])('with card …%s is declined as %s: the payment exists and FAILED (R-086)', async (number, declineCode) => {
    const declined = await authorize(merchant, { paymentMethod: { type: 'card', card: cardNumbered(number) } });
    expect(declined.status).toBe(201);
    expect(declined.body).toMatchObject({
      status: 'FAILED',
      authorizedAmount: 0,
      lastError: { code: 'card_declined', declineCode },
    });
    expect((await get(`/payments/${declined.body.paymentId}`)).body).toMatchObject({
      status: 'FAILED',
      ledgerBalance: 0,
      ledgerEntries: [],
    });
  });

  it('has a history without a gap, and stands as it stood at any time (R-055, R-068)', async () => {
    const { body: payment } = await authorize(merchant);
    const between = new Date().toISOString();
    await post(`/payments/${payment.paymentId}/capture`);
    const { body: history } = await get(`/payments/${payment.paymentId}/events`);
    expect(history.data.map((event: { version: number }) => event.version)).toEqual(
      history.data.map((_: unknown, index: number) => index + 1),
    );
    expect((await get(`/payments/${payment.paymentId}?asOf=${between}`)).body).toMatchObject({
      status: 'AUTHORIZED',
      capturedAmount: 0,
    });
    expect((await get(`/payments/${payment.paymentId}`)).body).toMatchObject({
      status: 'CAPTURED',
      capturedAmount: 1000,
    });
  });

  it('is found by status, reference, user and metadata, newest first, page by page (R-059, R-063, R-064)', async () => {
    const own = await newMerchant();
    for (let index = 0; index < 5; index += 1)
      await authorize(own, {
        reference: `order-${index % 2}`,
        userId: 'shopper-1',
        metadata: { orderId: `ord_${index}` },
      });
    const list = async (query: string) => (await call('GET', `/payments?${query}`, { token: own.token })).body;
    const first = await list('limit=2');
    expect(first.data).toHaveLength(2);
    const second = await list(`limit=2&cursor=${first.nextCursor}`);
    const third = await list(`limit=2&cursor=${second.nextCursor}`);
    expect(third).toMatchObject({ nextCursor: null });
    const all = [...first.data, ...second.data, ...third.data].map(
      (payment: { metadata: { orderId: string } }) => payment.metadata.orderId,
    );
    expect(all).toEqual(['ord_4', 'ord_3', 'ord_2', 'ord_1', 'ord_0']);
    expect((await list('reference=order-0')).data).toHaveLength(3);
    expect((await list('metadata%5BorderId%5D=ord_3')).data).toHaveLength(1);
    expect((await list('userId=shopper-1&status=AUTHORIZED')).data).toHaveLength(5);
    expect((await list('status=CAPTURED')).data).toHaveLength(0);
  });

  it('of another merchant does not exist (R-172)', async () => {
    const { body: payment } = await authorize(merchant);
    const stranger = await newMerchant();
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/events'],
      ['POST', '/capture'],
      ['POST', '/cancel'],
      ['POST', '/refund'],
    ] as const) {
      const answer = await call(method, `/payments/${payment.paymentId}${path}`, {
        token: stranger.token,
        key: newKey(),
        ...(method === 'POST' ? { body: {} } : {}),
      });
      expect(answer.body).toMatchObject({ status: 404, code: 'payment_not_found' });
    }
    expect((await call('GET', '/payments', { token: stranger.token })).body).toMatchObject({ data: [] });
  });

  it('keeps the exponent of its currency: JPY 0, BHD 3', async () => {
    const yen = await authorize(merchant, { currency: 'JPY', capture: true });
    expect(yen.body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000, currency: 'JPY' });
    const dinar = await authorize(merchant, { currency: 'BHD', capture: true });
    expect(dinar.body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000, currency: 'BHD' });
  });
});
