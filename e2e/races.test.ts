import { beforeAll, describe, expect, it } from '@jest/globals';

import { authorize, call, CARD_OK, newKey, newMerchant, type TestMerchant } from './stack.js';

const countOf = (statuses: readonly number[]): Readonly<Record<number, number>> =>
  Object.fromEntries(
    [...new Set(statuses)].sort().map((status) => [status, statuses.filter((other) => other === status).length]),
  );

describe('at the same moment', () => {
  let merchant: TestMerchant;
  beforeAll(async () => {
    merchant = await newMerchant();
  });
  const together = async (count: number, request: (index: number) => Promise<{ status: number }>) =>
    countOf(
      (await Promise.all(Array.from({ length: count }, (_, index) => request(index)))).map((answer) => answer.status),
    );

  it('twenty captures of one authorization: one 200, nineteen 409 (R-077)', async () => {
    const { body: payment } = await authorize(merchant);
    const answers = await together(
      20,
      async () =>
        await call('POST', `/payments/${payment.paymentId}/capture`, {
          token: merchant.token,
          key: newKey(),
          body: {},
        }),
    );
    expect(answers).toEqual({ 200: 1, 409: 19 });
    const { body: read } = await call('GET', `/payments/${payment.paymentId}`, { token: merchant.token });
    expect(read).toMatchObject({ capturedAmount: 1000, ledgerBalance: 1000 });
    expect(read.ledgerEntries.filter((entry: { type: string }) => entry.type === 'CAPTURE')).toHaveLength(1);
  });

  it('ten refunds of 100 on 600: six 200, four 409 (R-050)', async () => {
    const { body: payment } = await authorize(merchant, { amount: 600, capture: true });
    const answers = await together(
      10,
      async () =>
        await call('POST', `/payments/${payment.paymentId}/refund`, {
          token: merchant.token,
          key: newKey(),
          body: { amount: 100 },
        }),
    );
    expect(answers).toEqual({ 200: 6, 409: 4 });
    expect((await call('GET', `/payments/${payment.paymentId}`, { token: merchant.token })).body).toMatchObject({
      status: 'REFUNDED',
      refundedAmount: 600,
      ledgerBalance: 0,
    });
  });

  it('twenty twins with one key: one payment, and byte-equal answers for each that got one (R-069, R-075)', async () => {
    const key = newKey();
    const reference = `twins-${key}`;
    const body = { amount: 1000, currency: 'USD', reference, paymentMethod: { type: 'card', card: CARD_OK } };
    const twins = await Promise.all(
      Array.from(
        { length: 20 },
        async () => await call('POST', '/payments/authorize', { token: merchant.token, key, body }),
      ),
    );
    const answered = twins.filter((twin) => twin.status === 201);
    expect(answered.length).toBeGreaterThanOrEqual(1);
    for (const twin of twins.filter((other) => other.status !== 201)) {
      expect(twin.body).toMatchObject({ status: 409, code: 'idempotency_key_in_use' });
      expect(twin.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    const repeated = await call('POST', '/payments/authorize', { token: merchant.token, key, body });
    expect(repeated.headers.get('idempotent-replayed')).toBe('true');
    expect(new Set([...answered, repeated].map((twin) => twin.text)).size).toBe(1);
    expect(
      (await call('GET', `/payments?reference=${reference}`, { token: merchant.token })).body['data'],
    ).toHaveLength(1);
  });

  it('the same key with another body is refused, and the first payment stays (R-073)', async () => {
    const key = newKey();
    const first = await authorize(merchant, { amount: 1000 }, key);
    const other = await authorize(merchant, { amount: 2000 }, key);
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect((await call('GET', `/payments/${first.body.paymentId}`, { token: merchant.token })).body).toMatchObject({
      amount: 1000,
    });
  });

  it('the same request without a key is refused as a duplicate that names the first (R-045)', async () => {
    const body = { amount: 4321, currency: 'USD', paymentMethod: { type: 'card', card: CARD_OK } };
    const first = await call('POST', '/payments/authorize', { token: merchant.token, body });
    expect(first.status).toBe(201);
    const second = await call('POST', '/payments/authorize', { token: merchant.token, body });
    expect(second.body).toMatchObject({ status: 409, code: 'duplicate_request', resource: first.body['paymentId'] });
    expect((await call('POST', '/payments/authorize', { token: merchant.token, key: newKey(), body })).status).toBe(
      201,
    );
  });

  it('amounts and ledger lines of a payment tell of one moment, while it is being refunded', async () => {
    const { body: payment } = await authorize(merchant, { capture: true });
    const path = `/payments/${payment.paymentId}`;
    const reads: { readonly captured: number; readonly refunded: number; readonly ledger: number | null }[] = [];
    const refunding = (async (): Promise<void> => {
      while (reads.length < 20)
        await call('POST', `${path}/refund`, { token: merchant.token, key: newKey(), body: { amount: 1 } });
    })();
    while (reads.length < 20) {
      const { body } = await call('GET', path, { token: merchant.token });
      reads.push({ captured: body['capturedAmount'], refunded: body['refundedAmount'], ledger: body['ledgerBalance'] });
    }
    await refunding;
    expect(reads.at(-1)?.refunded).toBeGreaterThan(0);
    expect(reads.filter(({ captured, refunded, ledger }) => ledger !== null && ledger !== captured - refunded)).toEqual(
      [],
    );
  });

  it('a decline is replayed as it was', async () => {
    const key = newKey();
    const card = { ...CARD_OK, number: '4000000000000002' };
    const first = await authorize(merchant, { paymentMethod: { type: 'card', card } }, key);
    const again = await authorize(merchant, { paymentMethod: { type: 'card', card } }, key);
    expect(first.body).toMatchObject({ status: 'FAILED' });
    expect(again.text).toBe(first.text);
  });

  it('a stale If-Match is refused with 412 (R-076)', async () => {
    const { body: payment } = await authorize(merchant);
    const stale = await call('POST', `/payments/${payment.paymentId}/capture`, {
      token: merchant.token,
      key: newKey(),
      headers: { 'if-match': '"1"' },
      body: {},
    });
    expect(stale.body).toMatchObject({ status: 412, code: 'precondition_failed' });
    const read = await call('GET', `/payments/${payment.paymentId}`, { token: merchant.token });
    const current = await call('POST', `/payments/${payment.paymentId}/capture`, {
      token: merchant.token,
      key: newKey(),
      headers: { 'if-match': read.headers.get('etag') ?? '' },
      body: {},
    });
    expect(current.status).toBe(200);
  });
});
