import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { dumpOf, payerPrincipal } from '@payflow/testing';

import { type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;

beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);

afterAll(async () => {
  await service.stop();
});

interface Intent {
  readonly paymentId: string;
  readonly clientSecret: string;
}

const intentOf = async (merchant: Merchant, more: object = {}): Promise<Intent> => {
  const { body } = await service.post(
    '/payments',
    { amount: 1000, currency: 'USD', metadata: { margin: '40' }, ...more },
    { as: merchant.principal, key: newId('req') },
  );
  return { paymentId: String(body['paymentId']), clientSecret: String(body['clientSecret']) };
};

const confirm = async (merchant: Merchant, { paymentId }: Intent, clientSecret: string | undefined, more = {}) =>
  await service.post(
    `/payments/${paymentId}/confirm`,
    {
      paymentMethod: { type: 'card', token: merchant.token },
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...more,
    },
    { as: payerPrincipal(merchant.id), key: newId('req') },
  );

describe('the browser of a payer', () => {
  it('confirms the payment whose secret it has, and sees nothing that is the merchant’s', async () => {
    const merchant = service.merchant();
    const intent = await intentOf(merchant);
    const answer = await confirm(merchant, intent, intent.clientSecret);
    expect(answer).toMatchObject({ status: 200, body: { status: 'AUTHORIZED', amount: 1000, nextAction: null } });
    expect(Object.keys(answer.body).sort()).toEqual(
      ['amount', 'currency', 'description', 'lastError', 'nextAction', 'paymentId', 'status'].sort(),
    );
  });

  it('has its payer’s email kept by nobody where no fraud judges', async () => {
    const merchant = service.merchant();
    const email = 'kept-by-nobody@example.com';
    const intent = await intentOf(merchant, { email });
    expect(await dumpOf(service.databases.ownerUrl)).not.toContain(email);
    expect((await confirm(merchant, intent, intent.clientSecret, { email })).body).toMatchObject({
      status: 'AUTHORIZED',
    });
    expect(await dumpOf(service.databases.ownerUrl)).not.toContain(email);
  });

  it('pays at once where the intent says so', async () => {
    const merchant = service.merchant();
    const intent = await intentOf(merchant, { capture: true });
    expect((await confirm(merchant, intent, intent.clientSecret)).body).toMatchObject({ status: 'CAPTURED' });
  });

  it('cannot make a hold of a sale, nor a sale of a hold', async () => {
    const merchant = service.merchant();
    const intent = await intentOf(merchant);
    expect(await confirm(merchant, intent, intent.clientSecret, { capture: true })).toMatchObject({ status: 400 });
  });

  it('is told alike of a wrong secret, another payment’s secret, no secret, and a payment that is not there', async () => {
    const merchant = service.merchant();
    const intent = await intentOf(merchant);
    const another = await intentOf(merchant);
    const answers = [
      await confirm(merchant, intent, `${intent.clientSecret}x`),
      await confirm(merchant, intent, another.clientSecret),
      await confirm(merchant, intent, undefined),
      await confirm(merchant, { paymentId: newId('pay'), clientSecret: '' }, intent.clientSecret),
      await confirm(service.merchant(), intent, intent.clientSecret),
    ];
    for (const answer of answers) expect(answer).toMatchObject({ status: 404, body: { code: 'payment_not_found' } });
    expect((await service.get(`/payments/${intent.paymentId}`, merchant.principal)).body).toMatchObject({
      status: 'PENDING',
    });
  });

  it('may do nothing else', async () => {
    const merchant = service.merchant();
    const { paymentId } = await intentOf(merchant);
    const as = payerPrincipal(merchant.id);
    expect(await service.get(`/payments/${paymentId}`, as)).toMatchObject({ status: 403 });
    expect(await service.get('/payments', as)).toMatchObject({ status: 403 });
    for (const route of ['capture', 'cancel', 'refund', 'authorize', 'process'])
      expect(await service.post(`/payments/${paymentId}/${route}`, {}, { as })).toMatchObject({ status: 403 });
  });
});

describe('a merchant', () => {
  it('confirms without the secret, and sees all of his payment', async () => {
    const merchant = service.merchant();
    const { paymentId } = await intentOf(merchant);
    const answer = await service.post(
      `/payments/${paymentId}/confirm`,
      { paymentMethod: { type: 'card', token: merchant.token }, returnUrl: 'https://shop.example/done' },
      { as: merchant.principal, key: newId('req') },
    );
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'AUTHORIZED', metadata: { margin: '40' }, returnUrl: 'https://shop.example/done' },
    });
  });
});
