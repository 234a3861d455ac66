import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { paymentDetailSchema, paymentSchema, refundResultSchema, refundSchema } from '@payflow/contracts';
import { newId } from '@payflow/kernel';

import { CARDS } from './acquirer-fake.js';
import { ADMIN, freshKey, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const ask = (merchant: ReturnType<PaymentUnderTest['merchant']>) => ({ as: merchant.principal, key: freshKey() });

describe('a card payment', () => {
  it('is authorized, captured, refunded, and tells each step once, without a gap', async () => {
    const merchant = service.merchant();
    const authorized = await service.authorize(merchant, {
      metadata: { orderId: 'ord_123' },
      reference: 'order-1',
      userId: 'usr_of_the_merchant',
    });
    expect(authorized.status).toBe(201);
    expect(paymentSchema.parse(authorized.body)).toMatchObject({
      status: 'AUTHORIZED',
      authorizedAmount: 1000,
      capturableAmount: 1000,
      currency: 'USD',
      acquirer: 'sim',
      paymentMethod: { type: 'card', token: merchant.token, brand: 'visa', last4: '4242' },
      metadata: { orderId: 'ord_123' },
    });
    const paymentId = authorized.body['paymentId'] as string;
    expect(authorized.headers.get('etag')).toBe('"3"');

    const capture = { amount: 600, metadata: { notes: 'finalize order' } };
    const captured = await service.post(`/payments/${paymentId}/capture`, capture, ask(merchant));
    expect(captured.status).toBe(200);
    expect(paymentSchema.parse(captured.body)).toMatchObject({
      status: 'CAPTURED',
      capturedAmount: 600,
      capturableAmount: 0,
      feeAmount: 47,
      netAmount: 553,
      metadata: { orderId: 'ord_123', notes: 'finalize order' },
    });

    const refund = { amount: 200, reason: 'customer_request', metadata: { ticket: '7' } };
    const refunded = await service.post(`/payments/${paymentId}/refund`, refund, ask(merchant));
    expect(refunded.status).toBe(200);
    expect(refundResultSchema.parse(refunded.body)).toMatchObject({
      paymentId,
      status: 'REFUNDED',
      refundStatus: 'SUCCEEDED',
      paymentStatus: 'PARTIALLY_REFUNDED',
      refundedAmount: 200,
      reason: 'customer_request',
      metadata: { ticket: '7' },
    });
    const rest = await service.post('/refunds', { paymentId }, ask(merchant));
    expect(rest.body).toMatchObject({ status: 'REFUNDED', paymentStatus: 'REFUNDED', refundedAmount: 400 });
    const refundId = rest.body['refundId'] as string;
    const read = await service.get(`/refunds/${refundId}`, merchant.principal);
    expect(refundSchema.parse(read.body)).toMatchObject({ refundId, status: 'SUCCEEDED', amount: 400, failure: null });

    const events = await service.published(paymentId);
    expect(events.map(({ type }) => type)).toEqual([
      'payment.created.v1',
      'payment.authorized.v1',
      'payment.captured.v1',
      'payment.refunded.v1',
      'payment.refunded.v1',
    ]);
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(events[2]?.payload).toMatchObject({ amount: 600, fee: 47, released: 1000, capturedTotal: 600, final: true });
    expect(events[4]).toMatchObject({
      merchantId: merchant.id,
      previousSequence: 4,
      payload: { refundId, amount: 400, refundedTotal: 600 },
    });

    const operations = await service.operations(paymentId);
    expect(operations.map((id) => service.acquirer.arrivalsOf(id))).toEqual([1, 1, 1, 1]);
  });

  it('is captured in one call when `capture` is true', async () => {
    const merchant = service.merchant();
    const sale = await service.authorize(merchant, { capture: true });
    expect(sale.status).toBe(201);
    expect(sale.body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000, feeAmount: 59, netAmount: 941 });
  });

  it('is captured in parts while not final, and a cancel releases the rest', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const part = await service.post(`/payments/${paymentId}/capture`, { amount: 300, final: false }, ask(merchant));
    expect(part.body).toMatchObject({ status: 'PARTIALLY_CAPTURED', capturedAmount: 300, capturableAmount: 700 });
    const more = await service.post(`/payments/${paymentId}/capture`, { amount: 300, final: false }, ask(merchant));
    expect(more.body).toMatchObject({ status: 'PARTIALLY_CAPTURED', capturedAmount: 600, feeAmount: 47 });
    const canceled = await service.post(`/payments/${paymentId}/cancel`, { reason: 'out of stock' }, ask(merchant));
    expect(canceled.body).toMatchObject({ status: 'CAPTURED', capturedAmount: 600, capturableAmount: 0 });
    const events = await service.published(paymentId);
    expect(events.at(-1)).toMatchObject({
      type: 'payment.canceled.v1',
      payload: { released: 400, acquirer: 'sim', reason: 'out of stock' },
    });
  });

  it('is canceled, and then neither captured, canceled nor refunded', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const canceled = await service.post(`/payments/${paymentId}/cancel`, {}, ask(merchant));
    expect(canceled).toMatchObject({ status: 200, body: { status: 'CANCELED', capturableAmount: 0 } });
    for (const [route, code] of [
      ['capture', 'payment_not_capturable'],
      ['cancel', 'payment_not_cancelable'],
      ['refund', 'payment_not_refundable'],
    ] as const) {
      const refused = await service.post(`/payments/${paymentId}/${route}`, {}, ask(merchant));
      expect(refused).toMatchObject({ status: 409, body: { code, paymentStatus: 'CANCELED' } });
    }
  });

  it.each([
    [CARDS.declined, 'generic_decline'],
    [CARDS.insufficientFunds, 'insufficient_funds'],
  ])('that the issuer declines exists, FAILED, with the decline code (%s)', async (number, declineCode) => {
    const merchant = service.merchant();
    const token = service.vault.token(merchant.id, { number });
    const declined = await service.authorize(merchant, { paymentMethod: { type: 'card', token }, capture: true });
    expect(declined.status).toBe(201);
    expect(declined.body).toMatchObject({
      status: 'FAILED',
      authorizedAmount: 0,
      lastError: { code: 'card_declined', declineCode, adviceCode: 'do_not_try_again' },
    });
    const paymentId = declined.body['paymentId'] as string;
    expect((await service.published(paymentId)).at(-1)).toMatchObject({
      type: 'payment.failed.v1',
      payload: { code: 'card_declined', declineCode },
    });
    expect(await service.operations(paymentId)).toHaveLength(1);
  });

  it('keeps its amount when the acquirer declines a capture or a cancel, and says so', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('capture', 'decline');
    const refused = await service.post(`/payments/${paymentId}/capture`, {}, ask(merchant));
    expect(refused).toMatchObject({ status: 422, body: { code: 'capture_declined', declineCode: 'processing_error' } });
    service.acquirer.next('void', 'decline');
    const kept = await service.post(`/payments/${paymentId}/cancel`, {}, ask(merchant));
    expect(kept).toMatchObject({ status: 422, body: { code: 'cancel_declined' } });
    const captured = await service.post(`/payments/${paymentId}/capture`, {}, ask(merchant));
    expect(captured).toMatchObject({ status: 200, body: { status: 'CAPTURED', lastError: null } });
  });

  it('has the amount refundable again when a refund fails, and the refund says FAILED', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    service.acquirer.next('refund', 'decline');
    const failed = await service.post(`/payments/${paymentId}/refund`, { amount: 1000 }, ask(merchant));
    expect(failed).toMatchObject({
      status: 200,
      body: { status: 'FAILED', refundStatus: 'FAILED', paymentStatus: 'CAPTURED' },
    });
    const payment = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(payment.body).toMatchObject({ refundedAmount: 0, refundableAmount: 1000 });
    expect((await service.published(paymentId)).at(-1)).toMatchObject({ type: 'refund.failed.v1' });
    const again = await service.post(`/payments/${paymentId}/refund`, {}, ask(merchant));
    expect(again.body).toMatchObject({ status: 'REFUNDED', paymentStatus: 'REFUNDED' });
  });

  it('waits as an intent without an acquirer, may be changed, and is authorized or processed by its id', async () => {
    const merchant = service.merchant();
    const created = await service.post('/payments', { amount: 500, currency: 'JPY' }, ask(merchant));
    expect(created).toMatchObject({ status: 201, body: { status: 'PENDING', amount: 500, authorizedAmount: 0 } });
    const paymentId = created.body['paymentId'] as string;
    expect(created.body['clientSecret']).toMatch(new RegExp(`^${paymentId}_secret_`));
    expect(await service.operations(paymentId)).toEqual([]);

    const changes = { amount: 700, metadata: { cart: '9' }, description: 'Two tickets' };
    const changed = await service.ask('PATCH', `/payments/${paymentId}`, changes, ask(merchant));
    expect(changed).toMatchObject({ status: 200, body: { amount: 700, version: 2, metadata: { cart: '9' } } });
    expect(changed.text).not.toContain('_secret_');

    const paymentMethod = { type: 'card', token: merchant.token };
    const authorized = await service.post(`/payments/${paymentId}/authorize`, { paymentMethod }, ask(merchant));
    expect(authorized).toMatchObject({ status: 200, body: { status: 'AUTHORIZED', authorizedAmount: 700 } });
    const late = await service.ask('PATCH', `/payments/${paymentId}`, { amount: 1 }, ask(merchant));
    expect(late).toMatchObject({ status: 409, body: { code: 'payment_not_modifiable' } });

    const other = await service.post('/payments', { amount: 800, currency: 'USD' }, ask(merchant));
    const otherId = other.body['paymentId'] as string;
    const processed = await service.post(`/payments/${otherId}/process`, { paymentMethod }, ask(merchant));
    expect(processed).toMatchObject({ status: 200, body: { status: 'CAPTURED', capturedAmount: 800 } });
    const twice = await service.post(`/payments/${otherId}/process`, { paymentMethod }, ask(merchant));
    expect(twice).toMatchObject({ status: 409, body: { code: 'payment_not_authorizable', paymentStatus: 'CAPTURED' } });
  });

  it('stores the client secret of an intent as a hash only', async () => {
    const merchant = service.merchant();
    const created = await service.post('/payments', { amount: 500, currency: 'USD' }, { as: merchant.principal });
    const secret = created.body['clientSecret'] as string;
    const rows = await service.database.query<{ text: string }>(
      `SELECT payments::text AS text FROM payments WHERE id = $1
       UNION ALL SELECT payment_events::text FROM payment_events WHERE payment_id = $1
       UNION ALL SELECT outbox::text FROM outbox WHERE aggregate_id = $1`,
      [created.body['paymentId']],
    );
    expect(rows).toHaveLength(3);
    expect(rows.filter(({ text }) => text.includes(secret))).toEqual([]);
  });

  it('is canceled as an intent without an acquirer', async () => {
    const merchant = service.merchant();
    const created = await service.post('/payments', { amount: 500, currency: 'USD' }, ask(merchant));
    const paymentId = created.body['paymentId'] as string;
    const canceled = await service.post(`/payments/${paymentId}/cancel`, undefined, ask(merchant));
    expect(canceled).toMatchObject({ status: 200, body: { status: 'CANCELED' } });
    expect(await service.operations(paymentId)).toEqual([]);
    expect((await service.published(paymentId)).at(-1)).toMatchObject({ payload: { released: 0, acquirer: null } });
  });

  it('says when its hold ends: seven days after it was authorized', async () => {
    const { body } = await service.authorize(service.merchant());
    const lifetimeMs = Date.parse(body['expiresAt'] as string) - Date.parse(body['authorizedAt'] as string);
    // The end is by the clock of the database, the beginning by the service's own.
    expect(Math.round(lifetimeMs / 60_000)).toBe(7 * 24 * 60);
  });

  it('charges what was agreed with the merchant, from then on', async () => {
    const merchant = service.merchant();
    const terms = { currency: 'USD', basisPoints: 100, fixed: 5 };
    const forbidden = await service.ask('PUT', `/merchants/${merchant.id}/fee-terms`, terms, ask(merchant));
    expect(forbidden.status).toBe(403);
    const agreed = await service.ask('PUT', `/merchants/${merchant.id}/fee-terms`, terms, { as: ADMIN });
    expect(agreed).toMatchObject({ status: 200, body: { data: [terms], otherwise: { basisPoints: 290, fixed: 30 } } });
    expect(await service.authorize(merchant, { capture: true })).toMatchObject({ body: { feeAmount: 15 } });
    expect(await service.authorize(merchant, { capture: true, currency: 'EUR' })).toMatchObject({
      body: { feeAmount: 59 },
    });
    expect((await service.get(`/merchants/${merchant.id}/fee-terms`, ADMIN)).body).toEqual(agreed.body);
  });

  it('is shown with its ledger lines, waiting for the events it has published', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const line = { transactionId: newId('ltx'), createdAt: '2026-02-07T15:04:05.000Z' };
    service.ledger.lines = {
      ledgerBalance: 1000,
      entries: [
        { ...line, entryId: newId('le'), type: 'AUTH', amount: 1000 },
        { ...line, entryId: newId('le'), type: 'CAPTURE', amount: 1000 },
      ],
    };
    service.ledger.appliedSequence = 2;
    const lagging = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(lagging).toMatchObject({
      status: 200,
      body: { status: 'CAPTURED', ledgerBalance: null, ledgerEntries: [] },
    });
    service.ledger.appliedSequence = undefined;

    service.ledger.server.down = true;
    const without = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(without).toMatchObject({
      status: 200,
      body: { status: 'CAPTURED', ledgerBalance: null, ledgerEntries: [] },
    });
    service.ledger.server.down = false;

    const read = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(paymentDetailSchema.parse(read.body)).toMatchObject({
      paymentId,
      ledgerBalance: 1000,
      ledgerEntries: [{ type: 'AUTH' }, { type: 'CAPTURE' }],
    });
    expect(service.ledger.asked.at(-1)).toMatchObject({ paymentId, sequence: 3 });
  });

  it('is read without the ledger once all its lines are known, until it publishes again; the past is asked for', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const line = { transactionId: newId('ltx'), createdAt: '2026-02-07T15:04:05.000Z' };
    const auth = { ...line, entryId: newId('le'), type: 'AUTH', amount: 1000 };
    service.ledger.lines = { ledgerBalance: 0, entries: [auth] };
    const asked = () => service.ledger.asked.filter((query) => query.paymentId === paymentId).length;
    const first = await service.get(`/payments/${paymentId}`, merchant.principal);
    const again = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect([again.text, asked()]).toEqual([first.text, 1]);
    const past = `/payments/${paymentId}?asOf=${first.body['updatedAt'] as string}`;
    await service.get(past, merchant.principal);
    await service.get(past, merchant.principal);
    expect(asked()).toBe(3);

    await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal, key: freshKey() });
    const capture = { ...line, entryId: newId('le'), type: 'CAPTURE', amount: 1000 };
    service.ledger.lines = { ledgerBalance: 1000, entries: [auth, capture] };
    const captured = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(captured.body).toMatchObject({
      ledgerBalance: 1000,
      ledgerEntries: [{ type: 'AUTH' }, { type: 'CAPTURE' }],
    });
    expect(asked()).toBe(4);
    const stranger = await service.get(`/payments/${paymentId}`, service.merchant().principal);
    expect(stranger.status).toBe(404);
    service.ledger.lines = { ledgerBalance: 0, entries: [] };
  });

  it('counts by status and decline code in the metrics', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(text).toMatch(/payflow_payments_total\{status="CAPTURED",decline_code="none"\} \d+/);
    expect(text).toMatch(/payflow_payments_total\{status="FAILED",decline_code="insufficient_funds"\} 1/);
  });
});
