import { request } from 'node:http';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { authorize, call, CARD_OK, cardNumbered, demo, newKey, newMerchant, type TestMerchant } from './stack.js';

const valid = { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', card: CARD_OK } };
const json = JSON.stringify(valid);

/** What fetch would refuse to send: header values as raw bytes. */
const rawCall = async (
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<{ status: number; text: string }> =>
  await new Promise((resolve, reject) => {
    const url = new URL(`${demo().gateway}/payments/authorize`);
    const outgoing = request(
      { host: url.hostname, port: url.port, path: url.pathname, method: 'POST', insecureHTTPParser: true, headers },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });

describe('bad input gets a problem that tells what to change, and does nothing', () => {
  let merchant: TestMerchant;
  beforeAll(async () => {
    merchant = await newMerchant();
  });

  const paymentsOf = async (): Promise<number> =>
    (await call('GET', '/payments?limit=100', { token: merchant.token })).body['data'].length as number;

  const bodies: readonly [string, unknown, number, string, string | undefined][] = [
    ['a negative amount', { ...valid, amount: -5 }, 400, 'validation_failed', '/amount'],
    ['an amount of zero', { ...valid, amount: 0 }, 400, 'validation_failed', '/amount'],
    ['a fractional amount', { ...valid, amount: 10.5 }, 400, 'validation_failed', '/amount'],
    ['a huge amount', { ...valid, amount: 1e15 }, 400, 'validation_failed', '/amount'],
    ['an amount as text', { ...valid, amount: '1000' }, 400, 'validation_failed', '/amount'],
    ['no amount', { ...valid, amount: undefined }, 400, 'validation_failed', '/amount'],
    [
      'a decimal of a currency without decimals',
      { ...valid, amount: 10.5, currency: 'JPY' },
      400,
      'validation_failed',
      '/amount',
    ],
    ['an unknown currency', { ...valid, currency: 'ABC' }, 400, 'validation_failed', '/currency'],
    ['a lower-case currency', { ...valid, currency: 'usd' }, 400, 'validation_failed', '/currency'],
    ['an unknown field', { ...valid, surprise: 1 }, 400, 'validation_failed', '/surprise'],
    [
      'an unknown payment method',
      { ...valid, paymentMethod: { type: 'cash' } },
      400,
      'validation_failed',
      '/paymentMethod/type',
    ],
    [
      'a card that fails the Luhn check',
      { ...valid, paymentMethod: { type: 'card', card: cardNumbered('4242424242424241') } },
      400,
      'validation_failed',
      '/paymentMethod/card/number',
    ],
    [
      'an expired card',
      { ...valid, paymentMethod: { type: 'card', card: { ...cardNumbered('4716461583322103'), expYear: 2020 } } },
      400,
      'validation_failed',
      '/paymentMethod/card/expYear',
    ],
    [
      'an unknown token',
      { ...valid, paymentMethod: { type: 'card', token: 'tok_01kxyz6w3hf8btq2v9m4n7r5sd' } },
      422,
      'token_unusable',
      undefined,
    ],
    [
      'a token that is SQL',
      { ...valid, paymentMethod: { type: 'card', token: "tok_x'; DROP TABLE payments; --" } },
      400,
      'validation_failed',
      '/paymentMethod/token',
    ],
    [
      'a control character in the reference',
      { ...valid, reference: 'a\u0007b' },
      400,
      'validation_failed',
      '/reference',
    ],
    [
      'a header injection in the reference',
      { ...valid, reference: 'a\r\nset-cookie: x=1' },
      400,
      'validation_failed',
      '/reference',
    ],
    ['a NUL in metadata', { ...valid, metadata: { note: 'a\u0000b' } }, 400, 'validation_failed', '/metadata/note'],
    [
      'metadata that is not text',
      { ...valid, metadata: { note: { $ne: null } } },
      400,
      'validation_failed',
      '/metadata/note',
    ],
    [
      'a return address that is a script',
      { ...valid, returnUrl: 'javascript:alert(1)' },
      400,
      'validation_failed',
      '/returnUrl',
    ],
    [
      'a card number in metadata',
      { ...valid, metadata: { note: 'card 4242 4242 4242 4242' } },
      400,
      'validation_failed',
      '/metadata/note',
    ],
    ['a card number as the user', { ...valid, userId: '5555555555554444' }, 400, 'validation_failed', '/userId'],
    ['a list', [valid], 400, 'validation_failed', undefined],
    [
      'a foreign merchant',
      { ...valid, merchantId: 'mer_01kxyz6w3hf8btq2v9m4n7r5sd' },
      404,
      'merchant_not_found',
      undefined,
    ],
  ];

  it.each(bodies)('%s', async (_name, body, status, code, pointer) => {
    const key = newKey();
    const answer = await call('POST', '/payments/authorize', { token: merchant.token, key, body });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status, code, requestId: expect.any(String), docUrl: expect.any(String) });
    expect(answer.status).toBe(status);
    if (pointer !== undefined)
      expect(answer.body['errors'].map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    // A refused key is not used up: the corrected request goes through with it.
    if (status === 400) expect((await authorize(merchant, {}, key)).status).toBe(201);
  });

  const raws: readonly [string, string, Readonly<Record<string, string>>, number, string][] = [
    ['broken JSON', '{"amount": 1000,', {}, 400, 'malformed_json'],
    ['no JSON at all', 'hello', {}, 400, 'malformed_json'],
    ['duplicate keys', json.replace('"amount":1000', '"amount":1000,"amount":1'), {}, 400, 'malformed_json'],
    ['duplicate keys inside', json.replace('"type":"card"', '"type":"card","type":"card"'), {}, 400, 'malformed_json'],
    ['JSON nested a thousand deep', `{"metadata":${'['.repeat(1000)}${']'.repeat(1000)}}`, {}, 400, 'malformed_json'],
    ['a prototype as a key', json.replace('"currency"', '"__proto__":{"x":1},"currency"'), {}, 400, 'malformed_json'],
    [
      'a body that is too large',
      JSON.stringify({ ...valid, description: 'x'.repeat(200_000) }),
      {},
      413,
      'body_too_large',
    ],
    ['XML', '<payment/>', { 'content-type': 'application/xml' }, 415, 'unsupported_media_type'],
    ['a key that is too long', json, { 'idempotency-key': 'k'.repeat(256) }, 400, 'invalid_header'],
  ];

  it.each(raws)('%s', async (_name, raw, headers, status, code) => {
    const answer = await call('POST', '/payments/authorize', {
      token: merchant.token,
      headers: { 'idempotency-key': newKey(), ...headers },
      raw,
    });
    expect(answer.body).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
  });

  it.each([
    ['not ASCII', 'schl\u00fcssel'],
    ['empty', ''],
    ['a card number', 'order-4242424242424242'],
  ])('an idempotency key that is %s', async (_name, key) => {
    const answer = await rawCall(
      { authorization: `Bearer ${merchant.token}`, 'content-type': 'application/json', 'idempotency-key': key },
      json,
    );
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'invalid_header' });
  });

  it.each([
    ['no token', undefined, 'authentication_required'],
    ['nonsense', 'nonsense', 'invalid_token'],
    ['an unsigned token', `${btoa('{"alg":"none"}')}.${btoa('{"sub":"usr_1"}')}.`, 'invalid_token'],
  ])('%s: 401 with WWW-Authenticate (R-009)', async (_name, token, code) => {
    const answer = await call('GET', '/payments', { token });
    expect(answer.body).toMatchObject({ status: 401, code });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  it('an altered signature: 401', async () => {
    const altered = merchant.token.slice(0, -4) + (merchant.token.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    expect((await call('GET', '/payments', { token: altered })).status).toBe(401);
  });

  it.each([
    ['/payments/not-an-id', [400, 404]],
    [`/payments/${encodeURIComponent("pay_' OR 1=1 --")}`, [400, 404]],
    ['/payments/pay_%00', [400, 404]],
    ['/payments?limit=0', [400]],
    ['/payments?limit=abc', [400]],
    ['/payments?cursor=%27%3B--', [400]],
    ['/payments?from=yesterday', [400]],
    ['/nowhere', [404]],
    ['/internal/payments/x/entries', [404]],
    ['/payments/..%2finternal/x', [400, 404]],
    ['//internal/events/x', [404]],
  ])('GET %s is answered with a problem', async (path, statuses) => {
    const answer = await call('GET', path, { token: merchant.token });
    expect(statuses).toContain(answer.status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('leaves no payment behind', async () => {
    const stranger = await newMerchant();
    const before = await paymentsOf();
    for (const [, body] of bodies)
      await call('POST', '/payments/authorize', { token: stranger.token, key: newKey(), body });
    expect((await call('GET', '/payments', { token: stranger.token })).body['data']).toEqual([]);
    expect(await paymentsOf()).toBe(before);
  });
});
