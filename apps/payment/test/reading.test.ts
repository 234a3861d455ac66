import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { paymentAttemptsSchema, paymentEventsSchema, paymentPageSchema, type Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { userPrincipal } from '@payflow/testing';

import { PaymentMoments } from '../src/application/payment-moments.js';
import { findPaymentMoments } from '../src/store/payments.js';
import { ADMIN, freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const idsOf = async (path: string, as: Principal): Promise<readonly string[]> => {
  const { status, body } = await service.get(path, as);
  expect(status).toBe(200);
  return paymentPageSchema.parse(body).data.map(({ paymentId }) => paymentId);
};

const ask = (merchant: Merchant) => ({ as: merchant.principal, key: freshKey() });

/** A payer with a card of his own at this merchant. */
const payerOf = (merchant: Merchant) => {
  const principal = userPrincipal(newId('usr'));
  const token = service.vault.token(merchant.id, { userId: principal.id });
  return { principal, members: { userId: principal.id, paymentMethod: { type: 'card', token } } };
};

describe('the past', () => {
  it('of a payment is its events up to that moment', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    await service.post(`/payments/${paymentId}/capture`, { amount: 600 }, ask(merchant));
    await service.post(`/payments/${paymentId}/refund`, { amount: 100 }, ask(merchant));
    const { body } = await service.get(`/payments/${paymentId}/events`, merchant.principal);
    const events = paymentEventsSchema.parse(body).data;
    expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ type }) => type)).toEqual([
      'PaymentCreated',
      'AuthorizationRequested',
      'PaymentAuthorized',
      'CaptureRequested',
      'PaymentCaptured',
      'RefundRequested',
      'RefundSucceeded',
    ]);
    expect(events[4]?.data).toMatchObject({ amount: 600, fee: 47, released: 1000, final: true });
    expect(JSON.stringify(events)).not.toContain('clientSecret');

    const asOf = events.find(({ type }) => type === 'PaymentAuthorized')?.occurredAt ?? '';
    const past = await service.get(`/payments/${paymentId}?asOf=${asOf}`, merchant.principal);
    expect(past).toMatchObject({ status: 200, body: { status: 'AUTHORIZED', capturedAmount: 0, version: 3 } });
    expect(service.ledger.asked.at(-1)).toMatchObject({ paymentId, asOf });
    const then = await service.get(`/payments/${paymentId}/events?asOf=${asOf}`, merchant.principal);
    expect(then.body['data']).toHaveLength(3);

    const createdAt = Date.parse(events[0]?.occurredAt ?? '');
    const earlier = new Date(createdAt - 1).toISOString();
    const never = await service.get(`/payments/${paymentId}?asOf=${earlier}`, merchant.principal);
    expect(never).toMatchObject({ status: 404, body: { code: 'payment_not_found' } });
    const later = await service.get(`/payments/${paymentId}?asOf=2999-01-01T00:00:00.000Z`, merchant.principal);
    const now = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(later.text).toBe(now.text);
  });

  it('at the acquirer is the list of attempts', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    await service.post(`/payments/${paymentId}/cancel`, {}, ask(merchant));
    const { body } = await service.get(`/payments/${paymentId}/attempts`, merchant.principal);
    expect(paymentAttemptsSchema.parse(body).data).toMatchObject([
      { acquirer: 'sim', operation: 'authorize', amount: 1000, outcome: 'approved' },
      { acquirer: 'sim', operation: 'void', amount: 1000, outcome: 'approved' },
    ]);
  });
});

describe('a list of payments', () => {
  it('is newest first, in pages without a gap or a repetition', async () => {
    const merchant = service.merchant();
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift(await service.authorizedId(merchant, { amount: 100 + n }));
    const seen: string[] = [];
    let path = '/payments?limit=2';
    for (let page = 0; page < 3; page += 1) {
      const { data, nextCursor } = paymentPageSchema.parse((await service.get(path, merchant.principal)).body);
      seen.push(...data.map(({ paymentId }) => paymentId));
      path = `/payments?limit=2&cursor=${nextCursor ?? 'none'}`;
      expect(nextCursor === null).toBe(page === 2);
    }
    expect(seen).toEqual(made);
  });

  it('is filtered by status, reference, user, metadata and time', async () => {
    const merchant = service.merchant();
    const { principal: payer, members } = payerOf(merchant);
    const held = await service.authorizedId(merchant, { reference: 'r-1', metadata: { orderId: 'ord_1', shop: 'a' } });
    const taken = await service.capturedId(merchant, { ...members, metadata: { orderId: 'ord_2', shop: 'a' } });
    const { principal } = merchant;
    expect(await idsOf('/payments', principal)).toEqual([taken, held]);
    expect(await idsOf('/payments?status=AUTHORIZED', principal)).toEqual([held]);
    expect(await idsOf('/payments?status=CAPTURED', principal)).toEqual([taken]);
    expect(await idsOf('/payments?reference=r-1', principal)).toEqual([held]);
    expect(await idsOf(`/payments?userId=${payer.id}`, principal)).toEqual([taken]);
    expect(await idsOf('/payments?metadata[orderId]=ord_1', principal)).toEqual([held]);
    expect(await idsOf('/payments?metadata[shop]=a&metadata[orderId]=ord_2', principal)).toEqual([taken]);
    expect(await idsOf('/payments?metadata[shop]=b', principal)).toEqual([]);
    const createdAt = (await service.get(`/payments/${taken}`, principal)).body['createdAt'] as string;
    expect(await idsOf(`/payments?from=${createdAt}`, principal)).toEqual([taken]);
    expect(await idsOf(`/payments?to=${createdAt}`, principal)).toEqual([held]);
  });

  it('uses the index of the merchant and the status', async () => {
    const plan = await service.database.transaction(async (tx) => {
      await tx.execute('SET LOCAL enable_seqscan = off');
      return await tx.query<Record<string, string>>(
        "EXPLAIN SELECT * FROM payments WHERE merchant_id = 'mer_x' AND status = 'CAPTURED'",
      );
    });
    expect(JSON.stringify(plan)).toContain('payments_merchant');
  });
});

describe('payments that are read at once', () => {
  it('share one statement, which is sent behind the last who asks', async () => {
    const merchant = service.merchant();
    const [first, second] = [await service.authorizedId(merchant), await service.authorizedId(merchant)];
    const moments = new PaymentMoments(service.database);
    const query = jest.spyOn(service.database, 'query');
    try {
      const read = await Promise.all([first, second, newId('pay'), first].map(async (id) => await moments.of(id)));
      expect(read.map((moment) => moment?.row.id)).toEqual([first, second, undefined, first]);
      // The service's own timers ask the same database.
      expect(query.mock.calls.filter(([text]) => text.includes('publication_sequences'))).toHaveLength(1);
    } finally {
      query.mockRestore();
    }
  });

  it('are planned once for a connection and not for each statement', async () => {
    const paymentId = await service.authorizedId(service.merchant());
    const [planned] = await service.database.transaction(async (tx) => {
      // Postgres makes up its mind after five.
      for (let n = 0; n < 8; n += 1) expect((await findPaymentMoments(tx, [paymentId])).size).toBe(1);
      return await tx.query<{ generic_plans: bigint }>(
        `SELECT generic_plans FROM pg_prepared_statements
          WHERE statement LIKE '%JOIN publication_sequences%' AND statement NOT LIKE '%pg_prepared_statements%'`,
      );
    });
    expect(planned?.generic_plans).toBeGreaterThan(0n);
  });

  it('show each caller his own, and whatever was answered before he asked', async () => {
    const [mine, theirs] = [service.merchant(), service.merchant()];
    const paymentId = await service.authorizedId(mine);
    const others = await Promise.all(Array.from({ length: 8 }, async () => await service.authorizedId(theirs)));
    const see = async (ids: readonly string[], as: Principal) =>
      await Promise.all(
        ids.map(async (id) => {
          const { status, body } = await service.get(`/payments/${id}`, as);
          return status === 200 ? `${body['paymentId'] as string} ${body['status'] as string}` : status;
        }),
      );
    const strangers = [see([...others, newId('pay')], mine.principal), see([paymentId], theirs.principal)];
    const capture = service.post(`/payments/${paymentId}/capture`, {}, ask(mine));
    const busy = see([...others, ...others], theirs.principal);
    expect((await capture).status).toBe(200);
    expect(await see([paymentId], mine.principal)).toEqual([`${paymentId} CAPTURED`]);
    expect(await busy).toEqual([...others, ...others].map((id) => `${id} AUTHORIZED`));
    expect((await Promise.all(strangers)).flat()).toEqual(Array<number>(10).fill(404));
  });
});

describe('who sees what', () => {
  it('a merchant sees his own payments and refunds, and the others as if they were not there', async () => {
    const [mine, theirs] = [service.merchant(), service.merchant()];
    const paymentId = await service.capturedId(theirs);
    const refund = await service.post(`/payments/${paymentId}/refund`, { amount: 100 }, ask(theirs));
    const refundId = refund.body['refundId'] as string;
    for (const path of [`/payments/${paymentId}`, `/payments/${paymentId}/events`, `/payments/${paymentId}/attempts`]) {
      expect(await service.get(path, mine.principal)).toMatchObject({
        status: 404,
        body: { code: 'payment_not_found' },
      });
      expect((await service.get(path, theirs.principal)).status).toBe(200);
    }
    expect((await service.get(`/refunds/${refundId}`, mine.principal)).status).toBe(404);
    expect(await idsOf('/payments', mine.principal)).toEqual([]);
    expect(await idsOf(`/payments?merchantId=${theirs.id}`, mine.principal)).toEqual([]);
    expect((await service.get('/refunds', mine.principal)).body).toEqual({ data: [], nextCursor: null });
    expect((await service.get('/refunds', theirs.principal)).body).toMatchObject({ data: [{ refundId, amount: 100 }] });
  });

  it('a payer sees what he pays, and writes nothing', async () => {
    const merchant = service.merchant();
    const { principal: payer, members } = payerOf(merchant);
    const paymentId = await service.authorizedId(merchant, members);
    const other = await service.authorizedId(merchant);
    expect(await idsOf('/payments', payer)).toEqual([paymentId]);
    expect((await service.get(`/payments/${paymentId}`, payer)).status).toBe(200);
    expect((await service.get(`/payments/${other}`, payer)).status).toBe(404);
    const capture = await service.post(`/payments/${paymentId}/capture`, {}, { as: payer });
    expect(capture).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });

  it('staff see all, and act for a merchant that they name', async () => {
    const merchant = service.merchant();
    const order = {
      amount: 1000,
      currency: 'USD',
      merchantId: merchant.id,
      paymentMethod: { type: 'card', token: merchant.token },
    };
    const made = await service.post('/payments/authorize', order, { as: ADMIN, key: freshKey() });
    expect(made).toMatchObject({ status: 201, body: { merchantId: merchant.id } });
    expect(await idsOf(`/payments?merchantId=${merchant.id}`, ADMIN)).toEqual([made.body['paymentId']]);
    expect((await service.get(`/payments/${made.body['paymentId'] as string}`, ADMIN)).status).toBe(200);
  });

  it('the history of a user is his, the staff’s, and each merchant’s part of it', async () => {
    const [one, two] = [service.merchant(), service.merchant()];
    const { principal: payer, members } = payerOf(one);
    const token = service.vault.token(two.id, { userId: payer.id });
    const first = await service.authorizedId(one, members);
    const second = await service.authorizedId(two, { userId: payer.id, paymentMethod: { type: 'card', token } });
    for (const path of [`/users/${payer.id}/payments`, `/payments/${payer.id}/history`]) {
      expect(await idsOf(path, payer)).toEqual([second, first]);
      expect(await idsOf(path, ADMIN)).toEqual([second, first]);
      expect(await idsOf(path, one.principal)).toEqual([first]);
      const stranger = await service.get(path, userPrincipal(newId('usr')));
      expect(stranger).toMatchObject({ status: 404, body: { code: 'user_not_found' } });
    }
    const hint = await service.get(`/payments/${first}/history`, one.principal);
    expect(hint).toMatchObject({ status: 404, body: { detail: expect.stringContaining('/events') } });
  });

  it('nobody without a token', async () => {
    const response = await fetch(`${service.url}/payments`);
    expect(response.status).toBe(401);
  });
});

describe('the description', () => {
  it('lists every route', async () => {
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes).toEqual(
      expect.arrayContaining([
        'post /payments',
        'post /payments/authorize',
        'patch /payments/{paymentId}',
        'post /payments/{paymentId}/authorize',
        'post /payments/{paymentId}/process',
        'post /payments/{paymentId}/capture',
        'post /payments/{paymentId}/cancel',
        'post /payments/{paymentId}/refund',
        'post /refunds',
        'get /refunds',
        'get /refunds/{refundId}',
        'get /payments',
        'get /payments/{paymentId}',
        'get /payments/{paymentId}/events',
        'get /payments/{paymentId}/attempts',
        'get /payments/{userId}/history',
        'get /users/{userId}/payments',
        'get /merchants/{merchantId}/fee-terms',
        'put /merchants/{merchantId}/fee-terms',
      ]),
    );
  });
});
