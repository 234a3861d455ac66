import { beforeAll, describe, expect, it } from '@jest/globals';

import { approvedIn, bookOf, choose, replayWebhooks } from './acquirer.js';
import {
  authorize,
  call,
  CARD_OK,
  cardNumbered,
  demo,
  demoMerchantToken,
  eventually,
  newKey,
  newMerchant,
  type TestMerchant,
} from './stack.js';

const TIMEOUT_MS = 180_000;

let merchant: TestMerchant;
beforeAll(async () => {
  merchant = await newMerchant();
});

const post = async (path: string, body: unknown = {}) =>
  await call('POST', path, { token: merchant.token, key: newKey(), body });
const get = async (path: string) => await call('GET', path, { token: merchant.token });
const cardOf = (number: string) => ({ paymentMethod: { type: 'card', card: cardNumbered(number) } });
/** The payment when it has come to this status. */
const until = async (paymentId: string, status: string) =>
  await eventually(async () => {
    const { body } = await get(`/payments/${paymentId}`);
    expect(body['status']).toBe(status);
    return body;
  }, TIMEOUT_MS);
const attemptsOf = async (paymentId: string): Promise<readonly Record<string, any>[]> =>
  (await get(`/payments/${paymentId}/attempts`)).body['data'] as readonly Record<string, any>[];

describe('a 3-D Secure challenge', () => {
  const CHALLENGE = cardOf('4000002500003155');

  it('is answered by the payer, and then the sale is captured', async () => {
    const answer = await authorize(merchant, {
      ...CHALLENGE,
      capture: true,
      returnUrl: 'https://shop.example/done?o=1',
    });
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'REQUIRES_ACTION', nextAction: { type: 'redirect' } },
    });
    const { paymentId } = answer.body;
    const back = await choose(answer.body.nextAction.redirectUrl, 'complete');
    const returned = await fetch(String(back), { redirect: 'manual' });
    expect(returned.status).toBe(303);
    const shop = new URL(returned.headers.get('location') ?? '');
    expect(shop.origin + shop.pathname).toBe('https://shop.example/done');
    expect(Object.fromEntries(shop.searchParams)).toMatchObject({ o: '1', paymentId });
    const paid = await until(paymentId, 'CAPTURED');
    expect(paid).toMatchObject({ nextAction: null, capturedAmount: 1000, ledgerBalance: 1000 });
    expect(approvedIn(await bookOf(paymentId), 'capture')).toBe(1);
  });

  it('that the payer does not pass fails the payment, and holds nothing', async () => {
    const { body } = await authorize(merchant, CHALLENGE);
    await choose(body.nextAction.redirectUrl, 'fail');
    const failed = await until(body.paymentId, 'FAILED');
    expect(failed['lastError']).toMatchObject({ code: 'card_declined' });
    expect(approvedIn(await bookOf(body.paymentId), 'authorize')).toBe(0);
  });

  it('can be canceled while the payer is away, and his late answer changes nothing', async () => {
    const { body } = await authorize(merchant, CHALLENGE);
    expect(await post(`/payments/${body.paymentId}/cancel`)).toMatchObject({
      status: 200,
      body: { status: 'CANCELED' },
    });
    await fetch(body.nextAction.redirectUrl, { method: 'POST', body: new URLSearchParams({ choice: 'complete' }) });
    expect((await post(`/payments/${body.paymentId}/sync`)).body).toMatchObject({
      status: 'CANCELED',
      authorizedAmount: 0,
    });
  });

  it('cannot be gone around by authorizing again', async () => {
    const intent = await post('/payments', { amount: 1000, currency: 'USD' });
    const { paymentId } = intent.body;
    expect((await post(`/payments/${paymentId}/authorize`, CHALLENGE)).status).toBe(202);
    expect(await post(`/payments/${paymentId}/authorize`, cardOf(CARD_OK.number))).toMatchObject({
      status: 409,
      body: { code: 'payment_not_authorizable' },
    });
  });
});

describe('the browser of a payer', () => {
  it('confirms with the publishable key and the client secret, card and challenge included', async () => {
    const intent = await call('POST', '/payments', {
      token: await demoMerchantToken(),
      key: newKey(),
      body: { amount: 2500, currency: 'EUR', capture: true },
    });
    const { paymentId, clientSecret } = intent.body;
    const token = demo().merchant.publishableKey;
    const confirmed = await call('POST', `/payments/${paymentId}/confirm`, {
      token,
      key: newKey(),
      body: { ...cardOf('4000002500003155'), clientSecret },
    });
    expect(confirmed).toMatchObject({ status: 202, body: { paymentId, status: 'REQUIRES_ACTION' } });
    expect(confirmed.body['merchantId']).toBeUndefined();
    const back = await choose(confirmed.body['nextAction'].redirectUrl, 'complete');
    expect((await fetch(String(back))).headers.get('content-type')).toContain('text/html');
    await eventually(async () => {
      const headers = { 'x-client-secret': clientSecret };
      const seen = await call('GET', `/payments/${paymentId}/status`, { token, headers });
      expect(seen).toMatchObject({ status: 200, body: { status: 'CAPTURED', amount: 2500 } });
    });
    for (const path of [`/payments/${paymentId}`, '/payments', '/tokens', `/payments/${paymentId}/events`])
      expect((await call('GET', path, { token })).status).toBe(403);
    expect((await call('GET', `/payments/${paymentId}/status`, { token })).status).toBe(404);
  });
});

describe('an acquirer that does not simply answer', () => {
  it.each([
    ['4000009900000012', 'after the effect'],
    ['4000009900000020', 'before any effect'],
  ])(
    'silence of %s, %s: PROCESSING, then AUTHORIZED with one authorization in the book',
    async (number) => {
      const answer = await authorize(merchant, cardOf(number));
      expect(answer).toMatchObject({ status: 202, body: { status: 'PROCESSING' } });
      const { paymentId } = answer.body;
      expect((await get(`/payments/${paymentId}`)).body['processing']).toMatchObject({ reason: 'no_answer' });
      await until(paymentId, 'AUTHORIZED');
      expect(approvedIn(await bookOf(paymentId), 'authorize')).toBe(1);
      expect(await post(`/payments/${paymentId}/capture`)).toMatchObject({ status: 200 });
    },
    2 * TIMEOUT_MS,
  );

  it.each([
    ['4000009900000046', 'after the effect'],
    ['4000009900000038', 'before any effect'],
  ])(
    'an error of %s, %s, is no answer either',
    async (number) => {
      const { body, status } = await authorize(merchant, cardOf(number));
      expect(status).toBe(202);
      await until(body.paymentId, 'AUTHORIZED');
      expect(approvedIn(await bookOf(body.paymentId), 'authorize')).toBe(1);
    },
    2 * TIMEOUT_MS,
  );

  it('answers when it is asked to by /sync', async () => {
    const { body } = await authorize(merchant, cardOf('4000009900000046'));
    const synced = await post(`/payments/${body.paymentId}/sync`);
    expect(synced).toMatchObject({ status: 200, body: { status: 'AUTHORIZED' } });
  });

  it('cannot process it: the second acquirer does, and only that one holds the money', async () => {
    const { body, status } = await authorize(merchant, { ...cardOf('4000009900000053'), capture: true });
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'CAPTURED', acquirer: 'sim2' });
    expect(await attemptsOf(body.paymentId)).toMatchObject([
      { acquirer: 'sim', outcome: 'declined' },
      { acquirer: 'sim2', outcome: 'approved' },
      { acquirer: 'sim2', operation: 'capture', outcome: 'approved' },
    ]);
    expect(approvedIn(await bookOf(body.paymentId), 'authorize')).toBe(1);
  });

  it('answers later, yes', async () => {
    const { body, status } = await authorize(merchant, { ...cardOf('4000009900000079'), capture: true });
    expect(status).toBe(202);
    await until(body.paymentId, 'CAPTURED');
  });

  it('answers later, no', async () => {
    const { body, status } = await authorize(merchant, cardOf('4000009900000087'));
    expect(status).toBe(202);
    await until(body.paymentId, 'FAILED');
  });

  it('approves after it had declined: late_success, reversed, and the payment stays FAILED', async () => {
    const { body } = await authorize(merchant, cardOf('4000009900000061'));
    expect(body['status']).toBe('FAILED');
    await eventually(async () => {
      expect(await attemptsOf(body.paymentId)).toMatchObject([
        { operation: 'authorize', outcome: 'late_success' },
        { operation: 'void', outcome: 'approved' },
      ]);
    });
    expect((await get(`/payments/${body.paymentId}`)).body).toMatchObject({ status: 'FAILED', ledgerBalance: 0 });
  });

  it('approves half of it: refused, and given back', async () => {
    const { body } = await authorize(merchant, cardOf('4000009900000095'));
    expect(body).toMatchObject({ status: 'FAILED', authorizedAmount: 0, lastError: { code: 'partial_approval' } });
    await eventually(async () => {
      expect(approvedIn(await bookOf(body.paymentId), 'void')).toBe(1);
    });
  });
});

describe('a refund', () => {
  it('that is pending becomes final later', async () => {
    const { body } = await authorize(merchant, { ...cardOf('4000000000007726'), capture: true });
    const refund = await post(`/payments/${body.paymentId}/refund`, { amount: 400 });
    expect(refund).toMatchObject({ status: 202, body: { status: 'PENDING' } });
    await eventually(async () => {
      expect((await get(`/refunds/${refund.body['refundId']}`)).body).toMatchObject({ status: 'SUCCEEDED' });
    });
    expect((await get(`/payments/${body.paymentId}`)).body).toMatchObject({ ledgerBalance: 600 });
  });

  it('that succeeded and fails later is taken back in the ledger, and its amount is refundable again', async () => {
    const { body } = await authorize(merchant, { ...cardOf('4000000000005126'), capture: true });
    const refund = await post(`/payments/${body.paymentId}/refund`, { amount: 400 });
    expect(refund).toMatchObject({ status: 200, body: { status: 'REFUNDED' } });
    await eventually(async () => {
      expect((await get(`/refunds/${refund.body['refundId']}`)).body).toMatchObject({ status: 'FAILED' });
    });
    const after = await get(`/payments/${body.paymentId}`);
    expect(after.body).toMatchObject({ status: 'CAPTURED', refundableAmount: 1000, ledgerBalance: 1000 });
    expect(after.body['ledgerEntries'].map((entry: { type: string }) => entry.type)).toEqual(
      expect.arrayContaining(['REFUND', 'REFUND_REVERSAL']),
    );
  });
});

describe('a bank redirect', () => {
  const BANK = { paymentMethod: { type: 'bank_redirect', bank: 'demo-bank' } };

  it('is paid at the bank, captured, and can be refunded', async () => {
    const { body, status } = await authorize(merchant, BANK);
    expect(status).toBe(202);
    await choose(body['nextAction'].redirectUrl, 'complete');
    const paid = await until(body.paymentId, 'CAPTURED');
    expect(paid).toMatchObject({ paymentMethod: { type: 'bank_redirect', bank: 'demo-bank' }, ledgerBalance: 1000 });
    expect(await post(`/payments/${body.paymentId}/refund`)).toMatchObject({ body: { status: 'REFUNDED' } });
  });

  it('that the payer rejects fails', async () => {
    const { body } = await authorize(merchant, BANK);
    await choose(body['nextAction'].redirectUrl, 'fail');
    await until(body.paymentId, 'FAILED');
  });
});

describe('webhooks of an acquirer', () => {
  it('that come ten times, shuffled, or a day late have one effect', async () => {
    const { body } = await authorize(merchant, { ...cardOf('4000009900000079'), capture: true });
    await until(body.paymentId, 'CAPTURED');
    const before = await get(`/payments/${body.paymentId}`);
    const [attempt] = await attemptsOf(body.paymentId);
    const reference = attempt?.['attemptId'];
    await replayWebhooks('sim', { reference, times: 10, shuffle: true });
    await replayWebhooks('sim', { reference, timestampOffsetSeconds: -86_400 });
    await post(`/payments/${body.paymentId}/sync`);
    const after = await get(`/payments/${body.paymentId}`);
    expect(after.body).toEqual(before.body);
    expect(approvedIn(await bookOf(body.paymentId), 'capture')).toBe(1);
  });

  it.each(['/webhooks/psp/sim', '/webhook'])('without a good signature are refused at %s', async (path) => {
    const { body } = await authorize(merchant, cardOf('4000002500003155'));
    const [attempt] = await attemptsOf(body.paymentId);
    const forged = {
      type: 'operation.updated',
      createdAt: new Date().toISOString(),
      data: {
        reference: attempt?.['attemptId'],
        operation: 'authorize',
        outcome: 'approved',
        authorizationId: 'sim_forged',
        amount: 1000,
        currency: 'USD',
        message: 'Approved.',
        createdAt: new Date().toISOString(),
      },
    };
    const headers = {
      'webhook-id': 'msg_forged',
      'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
      'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
    };
    const answer = await call('POST', path, { headers, body: forged });
    expect(answer).toMatchObject({ status: 401, body: { code: 'webhook_not_authentic' } });
    expect((await get(`/payments/${body.paymentId}`)).body).toMatchObject({ status: 'REQUIRES_ACTION' });
  });

  it('of a provider that nobody has are not taken', async () => {
    expect(await call('POST', '/webhooks/psp/nobody', { body: {} })).toMatchObject({
      status: 404,
      body: { code: 'webhook_provider_unknown' },
    });
  });
});
