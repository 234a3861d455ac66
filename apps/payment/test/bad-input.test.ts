import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemSchema } from '@payflow/contracts';
import { newId } from '@payflow/kernel';

import {
  ADMIN,
  type Answered,
  freshKey,
  type Merchant,
  PaymentUnderTest,
  START_TIMEOUT_MS,
} from './payment-under-test.js';

let service: PaymentUnderTest;
let merchant: Merchant;
/** A payment of the merchant that the commands below are aimed at, and must leave alone. */
let paymentId: string;
let before: string;

beforeAll(async () => {
  service = await PaymentUnderTest.start();
  merchant = service.merchant();
  paymentId = await service.authorizedId(merchant);
  before = (await service.get(`/payments/${paymentId}`, merchant.principal)).text;
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const SECRETS = /select |insert |pg_|node_modules|\.ts:|at .+\(.+\)/i;

/** Every refusal is a problem document with a stable code that leaks nothing, and nothing is half done. */
const expectRefused = async (answer: Answered, status: number, code: string, pointer?: string): Promise<void> => {
  expect([answer.status, answer.body['code']]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = problemSchema.parse(answer.body);
  if (pointer !== undefined) expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  expect(answer.text).not.toMatch(SECRETS);
  const { body } = await service.get('/payments?limit=100', merchant.principal);
  expect(body['data']).toHaveLength(1);
  expect((await service.get(`/payments/${paymentId}`, merchant.principal)).text).toBe(before);
};

const authorize = async (members: object): Promise<Answered> =>
  await service.post(
    '/payments/authorize',
    { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', token: merchant.token }, ...members },
    { as: merchant.principal, key: freshKey() },
  );

const send = async (path: string, body: unknown): Promise<Answered> =>
  await service.post(path, body, { as: merchant.principal, key: freshKey() });

describe('an authorization that cannot be understood is refused with 400 and a pointer', () => {
  it.each([
    ['a negative amount', { amount: -5 }, '/amount'],
    ['nothing', { amount: 0 }, '/amount'],
    ['a fraction of a cent', { amount: 10.5 }, '/amount'],
    ['more than any payment may be', { amount: 100_000_000_000_000 }, '/amount'],
    ['an amount beyond exact numbers', { amount: 1e300 }, '/amount'],
    ['an amount as text', { amount: '1000' }, '/amount'],
    ['no amount', { amount: undefined }, '/amount'],
    ['a null amount', { amount: null }, '/amount'],
    ['a list for an amount', { amount: [1000] }, '/amount'],
    ['an unknown currency', { currency: 'XYZ' }, '/currency'],
    ['a currency in lower case', { currency: 'usd' }, '/currency'],
    ['a precious metal', { currency: 'XAU' }, '/currency'],
    ['no currency', { currency: undefined }, '/currency'],
    ['no payment method', { paymentMethod: undefined }, '/paymentMethod'],
    ['an unknown kind of method', { paymentMethod: { type: 'cash' } }, '/paymentMethod/type'],
    ['a card without a token', { paymentMethod: { type: 'card' } }, '/paymentMethod/token'],
    [
      'a token that is no token',
      { paymentMethod: { type: 'card', token: "tok_'; DROP TABLE payments;--" } },
      '/paymentMethod/token',
    ],
    ['an unknown field', { amonut: 5 }, '/amonut'],
    ['an unknown field inside', { paymentMethod: { type: 'card', token: 'tok_abcdef', pin: 1 } }, '/paymentMethod/pin'],
    ['a card number in a payment', { card: { number: '4242424242424242' } }, '/card'],
    ['capture as text', { capture: 'yes' }, '/capture'],
    ['metadata that is no object', { metadata: 'x' }, '/metadata'],
    ['metadata that is no text', { metadata: { a: { b: 1 } } }, '/metadata/a'],
    ['NUL in metadata', { metadata: { a: 'x\u0000y' } }, '/metadata/a'],
    ['half a surrogate pair in metadata', { metadata: { a: 'x\ud800y' } }, '/metadata/a'],
    ['a control character in a reference', { reference: 'a\r\nSet-Cookie: x' }, '/reference'],
    ['a script for an address', { returnUrl: 'javascript:alert(1)' }, '/returnUrl'],
    ['a statement that is not ASCII', { statementDescriptor: 'Müller' }, '/statementDescriptor'],
    ['a merchant id that is none', { merchantId: 'mer_1' }, '/merchantId'],
  ])('%s', async (_what, members, pointer) => {
    await expectRefused(await authorize(members), 400, 'validation_failed', pointer);
  });

  it.each([
    ['broken JSON', '{"amount": 1000,'],
    ['no object', '[1]'],
    ['a key twice', '{"amount": 1, "amount": 1000, "currency": "USD"}'],
    ['nothing at all', ''],
    ['JSON nested without end', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`],
  ])('%s', async (_what, text) => {
    const answer = await service.post('/payments/authorize', text, { as: merchant.principal });
    expect(answer.status).toBe(400);
    await expectRefused(answer, 400, String(answer.body['code']));
  });
});

describe('an authorization that breaks a rule is refused with 422', () => {
  it('a currency that is not enabled', async () => {
    await expectRefused(await authorize({ currency: 'SEK' }), 422, 'currency_not_enabled', '/currency');
  });

  it.each(['wallet'])('a method that is not enabled: %s', async (type) => {
    const paymentMethod = type === 'wallet' ? { type, walletId: 'wal_1' } : { type };
    await expectRefused(await authorize({ paymentMethod }), 422, 'payment_method_not_enabled', '/paymentMethod/type');
  });

  it.each([
    ['of nobody', () => 'tok_abcdef', 'unknown'],
    ['of another merchant', () => service.vault.token(newId('mer')), 'unknown'],
    ['of another user', () => service.vault.token(merchant.id, { userId: 'usr_other' }), 'unknown'],
    ['that has expired', () => service.vault.token(merchant.id, { status: 'expired' }), 'expired'],
    ['that was deleted', () => service.vault.token(merchant.id, { status: 'deleted' }), 'deleted'],
    ['of an expired card', () => service.vault.token(merchant.id, { status: 'card_expired' }), 'card_expired'],
  ])('a token %s', async (_what, token, reason) => {
    const answer = await authorize({ paymentMethod: { type: 'card', token: token() } });
    await expectRefused(answer, 422, 'token_unusable', '/paymentMethod/token');
    expect(answer.body['reason']).toBe(reason);
  });

  it('staff who name no merchant', async () => {
    const body = { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', token: merchant.token } };
    await expectRefused(await service.post('/payments/authorize', body, { as: ADMIN }), 422, 'merchant_required');
  });

  it("another merchant's id, which only staff may name, with 403", async () => {
    await expectRefused(await authorize({ merchantId: newId('mer') }), 403, 'insufficient_scope', '/merchantId');
  });
});

describe('a command on a payment', () => {
  it.each([
    ['capture', { amount: 0 }, '/amount'],
    ['capture', { amount: -1 }, '/amount'],
    ['capture', { amount: 1.5 }, '/amount'],
    ['capture', { amount: '10' }, '/amount'],
    ['capture', { final: 'no' }, '/final'],
    ['capture', { fianl: true }, '/fianl'],
    ['refund', { amount: 0 }, '/amount'],
    ['refund', { amount: 1e15 }, '/amount'],
    ['refund', { reason: 'a\u0007b' }, '/reason'],
    ['cancel', { reason: 5 }, '/reason'],
    ['authorize', {}, '/paymentMethod'],
    ['process', { capture: true, paymentMethod: { type: 'card', token: 'tok_abcdef' } }, '/capture'],
  ] as const)('%s %j is refused with 400', async (route, body, pointer) => {
    await expectRefused(await send(`/payments/${paymentId}/${route}`, body), 400, 'validation_failed', pointer);
  });

  it('takes no more than is held', async () => {
    const answer = await send(`/payments/${paymentId}/capture`, { amount: 1001 });
    await expectRefused(answer, 422, 'capture_exceeds_authorization');
    expect(answer.body['capturable']).toBe(1000);
  });

  it.each([
    ['of nobody', () => newId('pay')],
    ['that is none', () => 'pay_nonsense'],
    ['of another kind', () => newId('mer')],
    ['that is SQL', () => encodeURIComponent("' OR '1'='1")],
    ['that is a path', () => '..%2f..%2fetc%2fpasswd'],
    ['that is too long', () => 'pay_'.padEnd(90, '0')],
  ])('with an id %s is refused with 404', async (_what, id) => {
    for (const route of ['/capture', '/cancel', '/refund']) {
      await expectRefused(await send(`/payments/${id()}${route}`, {}), 404, 'payment_not_found');
    }
    await expectRefused(await service.get(`/payments/${id()}`, merchant.principal), 404, 'payment_not_found');
    await expectRefused(await service.get(`/payments/${id()}/events`, merchant.principal), 404, 'payment_not_found');
  });

  it("is refused with 404 for another merchant's payment, and changes nothing", async () => {
    const other = service.merchant();
    const asked = () => ({ as: other.principal, key: freshKey() });
    const paymentMethod = { type: 'card', token: other.token };
    for (const [route, body] of Object.entries({
      capture: {},
      cancel: {},
      refund: {},
      authorize: { paymentMethod },
      process: { paymentMethod },
    })) {
      const answer = await service.post(`/payments/${paymentId}/${route}`, body, asked());
      await expectRefused(answer, 404, 'payment_not_found');
    }
    await expectRefused(
      await service.ask('PATCH', `/payments/${paymentId}`, { amount: 1 }, asked()),
      404,
      'payment_not_found',
    );
    await expectRefused(await service.post('/refunds', { paymentId }, asked()), 404, 'payment_not_found');
  });

  it.each([
    ['a bad payment id', { paymentId: 'pay_x' }, '/paymentId'],
    ['no payment id', {}, '/paymentId'],
  ])('refund by body: %s', async (_what, body, pointer) => {
    await expectRefused(await send('/refunds', body), 400, 'validation_failed', pointer);
  });
});

describe('what surrounds the body', () => {
  it('a key that is too long', async () => {
    const asked = { as: merchant.principal, key: 'k'.repeat(256) };
    await expectRefused(await service.post('/payments', { amount: 1, currency: 'USD' }, asked), 400, 'invalid_header');
  });

  it('a media type that is not JSON', async () => {
    const asked = { as: merchant.principal, headers: { 'content-type': 'text/plain' } };
    await expectRefused(await service.post('/payments/authorize', '{}', asked), 415, 'unsupported_media_type');
  });

  it.each([
    ['limit=0', '?limit'],
    ['limit=101', '?limit'],
    ['limit=x', '?limit'],
    ['status=PAID', '?status'],
    ['from=yesterday', '?from'],
    ['cursor=abc', '?cursor'],
    ['cursor=%27', '?cursor'],
    ['colour=blue', '?colour'],
    ['metadata[]=1', '?metadata[]'],
    ["metadata[a'b]=1", "?metadata[a'b]"],
    ['metadata[a]=1&metadata[a]=2', '?metadata[a]'],
  ])('a list asked for with %s', async (query, pointer) => {
    await expectRefused(await service.get(`/payments?${query}`, merchant.principal), 400, 'validation_failed', pointer);
  });

  it('a time that is none', async () => {
    const answer = await service.get(`/payments/${paymentId}?asOf=tomorrow`, merchant.principal);
    await expectRefused(answer, 400, 'validation_failed', '?asOf');
  });
});

describe('text that would be code elsewhere', () => {
  it.each([
    "'; DROP TABLE payments;--",
    '{"$ne": null}',
    '${jndi:ldap://x}',
    '<script>alert(1)</script>',
    '\u202e\u{1F4B3}',
  ])('is kept and found as it is: %s', async (text) => {
    const own = service.merchant();
    const created = await service.authorize(own, { reference: text, description: text, metadata: { note: text } });
    expect(created).toMatchObject({
      status: 201,
      body: { reference: text, description: text, metadata: { note: text } },
    });
    for (const query of [{ reference: text }, { 'metadata[note]': text }]) {
      const found = await service.get(`/payments?${new URLSearchParams(query).toString()}`, own.principal);
      expect(found.body['data']).toMatchObject([{ paymentId: created.body['paymentId'] }]);
    }
  });
});
