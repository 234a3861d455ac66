import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { CARD_FINGERPRINT_HEADER } from '@payflow/service';

import { CARDS } from './acquirer-fake.js';
import { freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

const CUSTOMER = newId('usr');
const PARTNER = newId('mer');

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start({
    EXTERNAL_REFERENCES: JSON.stringify({ users: { '12345': CUSTOMER }, merchants: { '67890': PARTNER } }),
  });
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

/** The body of the document as the gateway sends it on: its card is a token. */
const printed = (merchant: Merchant, members: Readonly<Record<string, unknown>> = {}) => ({
  user_id: '12345',
  merchant_id: merchant.id,
  amount: '1000',
  currency: 'USD',
  payment_method: { type: 'card', token: merchant.token },
  ...members,
});

const post = async (merchant: Merchant, members: Readonly<Record<string, unknown>> = {}, key?: string) =>
  await service.post('/payments', printed(merchant, members), {
    as: merchant.principal,
    ...(key === undefined ? {} : { key }),
  });

describe('a payment as the documents print it', () => {
  it('is created, authorized and captured in one call, and answered in their words', async () => {
    const merchant = service.merchant();
    const answer = await post(merchant, { idempotency_key: freshKey() });
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        payment_id: expect.stringMatching(/^pay_/),
        status: 'completed',
        state: 'CAPTURED',
        user_id: CUSTOMER,
        merchant_id: merchant.id,
        amount: '1000.00',
        currency: 'USD',
        next_action: null,
        error: null,
        created_at: expect.any(String),
      },
    ]);
    const read = await service.get(`/payments/${answer.body['payment_id'] as string}`, merchant.principal);
    expect(read.body).toMatchObject({ status: 'CAPTURED', amount: 100_000, capturedAmount: 100_000, userId: CUSTOMER });
  });

  it('that is declined is failed, with the reason', async () => {
    const merchant = service.merchant();
    const token = service.vault.token(merchant.id, { number: CARDS.declined });
    const answer = await post(merchant, { payment_method: { type: 'card', token }, idempotency_key: freshKey() });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ status: 'failed', state: 'FAILED', error: { code: 'card_declined' } });
  });

  it('whose acquirer is silent is processing, with 202', async () => {
    const merchant = service.merchant();
    service.vault.next('no answer after effect');
    const answer = await post(merchant, { idempotency_key: freshKey() });
    expect([answer.status, answer.body['status'], answer.body['state']]).toEqual([202, 'processing', 'PROCESSING']);
  });

  it('is one payment however often it is sent with the key in its body, though the gateway makes a token each time', async () => {
    const merchant = service.merchant();
    const key = freshKey();
    const headers = { [CARD_FINGERPRINT_HEADER]: 'fp:12/2030' };
    const send = async (members: Readonly<Record<string, unknown>>, asked = headers) =>
      await service.post('/payments', printed(merchant, members), { as: merchant.principal, headers: asked });
    const first = await send({ idempotency_key: key });
    const again = { idempotency_key: key, payment_method: { type: 'card', token: service.vault.token(merchant.id) } };
    const second = await send(again);
    expect([second.status, second.text]).toEqual([201, first.text]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    // The key in the header is the same key.
    const third = await service.post('/payments', printed(merchant), {
      as: merchant.principal,
      key,
      headers,
    });
    expect(third.text).toBe(first.text);
    expect((await send({ ...again, amount: '999' })).body['code']).toBe('idempotency_key_reused');
  });

  it('is refused as a duplicate without any key', async () => {
    const merchant = service.merchant();
    const first = await post(merchant);
    const second = await post(merchant);
    expect([first.status, second.status, second.body['code']]).toEqual([201, 409, 'duplicate_request']);
    expect(second.body['resource']).toBe(first.body['payment_id']);
  });

  it.each([
    ['dollars and cents', 'USD', '10.05', 1005, '10.05'],
    ['yen', 'JPY', '10', 10, '10'],
    ['dinars', 'BHD', '1.5', 1500, '1.500'],
  ])('reads %s exactly', async (_, currency, amount, minor, shown) => {
    const merchant = service.merchant();
    const answer = await post(merchant, { currency, amount }, freshKey());
    expect(answer.body['amount']).toBe(shown);
    const read = await service.get(`/payments/${answer.body['payment_id'] as string}`, merchant.principal);
    expect(read.body['amount']).toBe(minor);
  });

  it.each([
    ['a number for an amount', { amount: 1000 }, '/amount'],
    ['too many decimals', { amount: '10.005' }, '/amount'],
    ['decimals of yen', { currency: 'JPY', amount: '10.5' }, '/amount'],
    ['nothing', { amount: '0.00' }, '/amount'],
    ['less than nothing', { amount: '-1' }, '/amount'],
    ['an exponent', { amount: '1e3' }, '/amount'],
    ['no amount', { amount: undefined }, '/amount'],
    ['a currency that is none', { currency: 'usd' }, '/currency'],
    ['a card that was not swapped', { payment_method: { type: 'card', details: {} } }, '/payment_method/token'],
    ['members of the intent', { capture: true }, '/capture'],
    ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
  ])('is refused with %s', async (_, members, pointer) => {
    const answer = await post(service.merchant(), members);
    expect([answer.status, answer.body['code']]).toEqual([400, 'validation_failed']);
    expect(answer.body['errors']).toEqual(expect.arrayContaining([expect.objectContaining({ pointer })]));
  });

  it('is refused when header and body have different keys', async () => {
    const answer = await post(service.merchant(), { idempotency_key: freshKey() }, freshKey());
    expect([answer.status, answer.body['errors']]).toEqual([
      400,
      [expect.objectContaining({ pointer: '/idempotency_key' })],
    ]);
  });

  it.each([
    ['user', { user_id: '99999' }, '/user_id'],
    ['user called like a member of every object', { user_id: 'constructor' }, '/user_id'],
    ['merchant', { merchant_id: '99999' }, '/merchant_id'],
  ])('is refused with a %s that nobody knows', async (_, members, pointer) => {
    const answer = await post(service.merchant(), members);
    expect([answer.status, answer.body['code'], answer.body['errors']]).toEqual([
      422,
      'party_not_known',
      [expect.objectContaining({ pointer })],
    ]);
  });

  it('is refused for another merchant than the caller’s', async () => {
    const answer = await post(service.merchant(), { merchant_id: '67890' });
    expect([answer.status, answer.body['code']]).toEqual([403, 'insufficient_scope']);
  });

  it('is not an intent: that one keeps its own fields and its own refusals', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    expect((await service.post('/payments', { amount: 1000, currency: 'USD' }, asked)).body['status']).toBe('PENDING');
    const wrong = await service.post('/payments', { amount: 'abc' }, asked);
    expect(wrong.body['errors']).toEqual([
      expect.objectContaining({ pointer: '/amount' }),
      expect.objectContaining({ pointer: '/currency', code: 'required' }),
    ]);
  });
});

describe('POST /refunds', () => {
  it('takes the payment in either spelling, as the same request', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const asked = { as: merchant.principal, key: freshKey() };
    const first = await service.post('/refunds', { payment_id: paymentId, amount: 400 }, asked);
    expect(first.body).toMatchObject({ paymentId, status: 'REFUNDED', refundedAmount: 400 });
    expect((await service.post('/refunds', { paymentId, amount: 400 }, asked)).text).toBe(first.text);
  });

  it.each([
    ['no payment', () => ({}), '/paymentId'],
    ['both spellings', (id: string) => ({ paymentId: id, payment_id: id }), '/payment_id'],
    ['another object', () => ({ payment_id: newId('ref') }), '/payment_id'],
  ])('is refused with %s', async (_, bodyOf, pointer) => {
    const merchant = service.merchant();
    const answer = await service.post('/refunds', bodyOf(newId('pay')), { as: merchant.principal });
    expect([answer.status, answer.body['errors']]).toEqual([400, [expect.objectContaining({ pointer })]]);
  });
});
