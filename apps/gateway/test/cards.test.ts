import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { authorizePaymentSchema, createTokenSchema, swappedCardIn, tokenSchema } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { requestIdOf } from '@payflow/service';

import { type LoopbackService, type RunningGateway, startGateway } from './running-gateway.js';

const NUMBER = '4242424242424242';
const card = { number: NUMBER, expMonth: 12, expYear: 2030, cvc: '123', holderName: 'Ada' };

let gateway: RunningGateway;
let authorization: string;

/** The vault, as its contract describes it: it checks the request, and its answer is one that the contract allows. */
const vault = (service: LoopbackService): void => {
  service.answer = (request, response) => {
    const { card: stored } = createTokenSchema.parse(JSON.parse(request.body));
    const token = tokenSchema.parse({
      tokenId: newId('tok'),
      status: 'ACTIVE',
      brand: 'visa',
      last4: stored.number.slice(-4),
      bin: stored.number.slice(0, 6),
      expMonth: stored.expMonth,
      expYear: stored.expYear,
      fingerprint: `fp_${stored.number.slice(-4)}`,
      holderName: stored.holderName ?? null,
      reusable: false,
      merchantId: newId('mer'),
      userId: null,
      metadata: {},
      createdAt: new Date().toISOString(),
      expiresAt: null,
    });
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(token));
  };
};

beforeAll(async () => {
  gateway = await startGateway();
  authorization = await gateway.merchant();
  vault(gateway.tokenization);
  gateway.payment.answers(201, { paymentId: 'pay_1' });
});

afterEach(() => {
  gateway.payment.received.length = 0;
  gateway.tokenization.received.length = 0;
  vault(gateway.tokenization);
});

afterAll(async () => {
  await gateway.stop();
});

const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: JSON.parse(text) as Record<string, unknown>,
  };
};

describe('an inline card', () => {
  it.each(['/payments/authorize', '/payments/pay_1/authorize', '/payments/pay_1/process', '/payments'])(
    'at POST %s becomes a single-use token of the caller before the payment service sees the request',
    async (path) => {
      const answer = await post(
        path,
        { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', card } },
        { 'idempotency-key': 'k-1' },
      );
      expect(answer.status).toBe(201);
      expect(gateway.tokenization.last).toMatchObject({ method: 'POST', url: '/tokens' });
      expect(gateway.tokenization.last.headers.authorization).toBe(authorization);
      expect(JSON.parse(gateway.tokenization.last.body)).toEqual({ card, reusable: false });
      const seen = JSON.parse(gateway.payment.last.body) as { paymentMethod: unknown };
      expect(seen.paymentMethod).toEqual({ type: 'card', token: expect.stringMatching(/^tok_/) });
      expect(gateway.payment.last.headers).toMatchObject({
        authorization,
        'idempotency-key': 'k-1',
        'x-payflow-card-fingerprint': 'fp_4242:12/2030',
        'x-payflow-swapped-card': expect.any(String),
        'content-length': String(Buffer.byteLength(gateway.payment.last.body)),
      });
      const told = swappedCardIn(String(gateway.payment.last.headers['x-payflow-swapped-card']));
      expect(told).toMatchObject({ brand: 'visa', last4: '4242', fingerprint: 'fp_4242', userId: null });
      expect(seen.paymentMethod).toMatchObject({ token: told?.tokenId });
      expect(JSON.stringify(gateway.payment.last)).not.toContain(NUMBER);
    },
  );

  it('makes a request that the payment contract takes', async () => {
    await post('/payments/authorize', { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', card } });
    expect(authorizePaymentSchema.safeParse(JSON.parse(gateway.payment.last.body)).success).toBe(true);
  });

  it('leaves every other byte of the body as it was', async () => {
    const rest = '{ "amount":1.0e3,  "metadata":{"a":"\\u00fc/"}, "paymentMethod": ';
    await post('/payments/authorize', `${rest}{"type":"card","card":${JSON.stringify(card)}}  , "currency":"USD"}`);
    expect(gateway.payment.last.body.startsWith(rest)).toBe(true);
    expect(gateway.payment.last.body.endsWith('  , "currency":"USD"}')).toBe(true);
  });

  it('has the same fingerprint in a repetition, though the token is another', async () => {
    const body = { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', card } };
    await post('/payments/authorize', body);
    await post('/payments/authorize', body);
    const [first, second] = gateway.payment.received;
    expect(first?.body).not.toBe(second?.body);
    expect(first?.headers['x-payflow-card-fingerprint']).toBe(second?.headers['x-payflow-card-fingerprint']);
  });

  it('of staff belongs to the merchant that they act for', async () => {
    const merchantId = newId('mer');
    await post('/payments/authorize', {
      merchantId,
      amount: 1,
      currency: 'USD',
      paymentMethod: { type: 'card', card },
    });
    expect(JSON.parse(gateway.tokenization.last.body)).toMatchObject({ merchantId });
  });

  it.each([
    ['a wrong check digit', { ...card, number: '4242424242424241' }, '/paymentMethod/card/number'],
    ['letters', { ...card, number: '4242abcd42424242' }, '/paymentMethod/card/number'],
    ['month 13', { ...card, expMonth: 13 }, '/paymentMethod/card/expMonth'],
    ['no year', { number: NUMBER, expMonth: 1 }, '/paymentMethod/card/expYear'],
    ['a long CVC', { ...card, cvc: '12345' }, '/paymentMethod/card/cvc'],
    ['an unknown field', { ...card, pin: '1234' }, '/paymentMethod/card/pin'],
  ])('with %s is refused here, pointing at it and not repeating it', async (_, wrong, pointer) => {
    const answer = await post('/payments/authorize', {
      amount: 1,
      currency: 'USD',
      paymentMethod: { type: 'card', card: wrong },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ pointer }] } });
    expect(answer.text).not.toContain(wrong.number);
    expect(gateway.tokenization.received).toEqual([]);
    expect(gateway.payment.received).toEqual([]);
  });

  it('that the vault refuses is refused with the vault’s words, pointing into the body that was sent', async () => {
    gateway.tokenization.answer = (request, response) => {
      const requestId = requestIdOf(request.headers['x-request-id']);
      const page = 'http://gateway.test/docs/problems/validation_failed';
      response.writeHead(400, { 'content-type': 'application/problem+json' }).end(
        JSON.stringify({
          type: page,
          title: 'x',
          status: 400,
          code: 'validation_failed',
          requestId,
          docUrl: page,
          errors: [{ pointer: '/card/expYear', code: 'expired', message: 'has expired' }],
        }),
      );
    };
    const answer = await post('/payments/authorize', {
      paymentMethod: { type: 'card', card: { ...card, expYear: 2020 } },
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'validation_failed', errors: [{ pointer: '/paymentMethod/card/expYear', code: 'expired' }] },
    });
    expect(gateway.payment.received).toEqual([]);
  });

  it('is 503 while the vault is away, and nothing of the payment happened', async () => {
    await gateway.tokenization.close();
    try {
      const answer = await post('/payments/authorize', { paymentMethod: { type: 'card', card } });
      expect(answer).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(gateway.payment.received).toEqual([]);
    } finally {
      await gateway.tokenization.listen();
    }
  });

  it.each([
    '{',
    '{"paymentMethod":{"type":"card"},"paymentMethod":{"type":"card"}}',
    `{"amount":1,"amount":2,"paymentMethod":{"type":"card","card":${JSON.stringify(card)}}}`,
    `${'['.repeat(30)}${']'.repeat(30)}`,
    '{"a":\u0000}',
  ])('is not looked for in %s', async (text) => {
    const answer = await post('/payments/authorize', text);
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
    expect(gateway.payment.received).toEqual([]);
  });

  it('anywhere else is refused before any service sees it', async () => {
    const answer = await post('/payments/authorize', { amount: 1, card: { number: NUMBER } });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/card/number', code: 'card_not_allowed' }] },
    });
    expect(answer.text).not.toContain(NUMBER);
    expect(gateway.payment.received).toEqual([]);
  });
});

describe('a token', () => {
  it('passes as it is, and a forged fingerprint does not', async () => {
    const body = '{"amount":1,"paymentMethod":{"type":"card","token":"tok_abcdef"}}';
    await post('/payments/authorize', body, {
      'x-payflow-card-fingerprint': 'forged',
      'x-payflow-swapped-card': 'forged',
    });
    expect(gateway.payment.last.body).toBe(body);
    expect(gateway.payment.last.headers).not.toHaveProperty('x-payflow-card-fingerprint');
    expect(gateway.payment.last.headers).not.toHaveProperty('x-payflow-swapped-card');
    expect(gateway.tokenization.received).toEqual([]);
  });
});
