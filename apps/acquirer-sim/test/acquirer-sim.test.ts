import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BookLine, type TestCard, TEST_CARDS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { dumpOf, encodingsOf } from '@payflow/testing';
import pg from 'pg';

import { type Answered, authorization, cardNumbered, RunningAcquirer } from './running-acquirer.js';

let sim: RunningAcquirer;

beforeAll(async () => {
  sim = await RunningAcquirer.start({ SILENCE_MS: '50' });
});
afterAll(async () => {
  await sim.stop();
});

const authorize = async (body?: object): Promise<Answered> => await sim.authorize(body);
const authorized = async (amount = 1000): Promise<string> => await sim.authorized({ amount });
const change: RunningAcquirer['change'] = async (...parameters) => await sim.change(...parameters);
const bookOf = async (filter: Record<string, string>): Promise<readonly BookLine[]> => await sim.bookOf(filter);
const call: RunningAcquirer['call'] = async (...parameters) => await sim.call(...parameters);

describe('an authorization', () => {
  it('is approved for a good card, and found again by its reference', async () => {
    const request = authorization();
    const { status, body } = await authorize(request);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      reference: request.reference,
      operation: 'authorize',
      outcome: 'approved',
      amount: 1000,
      currency: 'USD',
    });
    const inquiry = await call('GET', `/acquirers/sim/operations/${request.reference}`);
    expect(inquiry).toMatchObject({ status: 200, body });
  });

  it.each(
    TEST_CARDS.filter(({ behaviour }) => behaviour === 'approved' || behaviour === 'declined').map(
      ({ number, outcome, declineCode }) => [number, outcome, declineCode] as const,
    ),
  )('of test card %s is %s (%s), whatever its expiry', async (number, outcome, declineCode) => {
    const { body } = await authorize(authorization({ card: { number, expMonth: 12, expYear: 2025 } }));
    expect(body.outcome).toBe(outcome);
    expect(body.declineCode ?? null).toBe(declineCode);
    expect(body.authorizationId === null).toBe(outcome === 'declined');
  });

  it('has one effect and one answer, however many twins arrive at once and whatever comes later', async () => {
    const request = authorization();
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await authorize(request)));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await bookOf({ paymentId: request.paymentId })).toHaveLength(1);
    // The vault no longer has the CVC when it sends again.
    // The holder has corrected the expiry meanwhile.
    const card = { number: '4242424242424242', expMonth: 1, expYear: 2035 };
    expect(await authorize({ ...request, card })).toMatchObject({
      status: 201,
      replayed: true,
      body: answers[0]?.body,
    });
  });

  it('keeps a decline as the answer to its reference', async () => {
    const request = authorization({ card: { number: '4000000000009995', expMonth: 12, expYear: 2034 } });
    const first = await authorize(request);
    expect(first.body).toMatchObject({ outcome: 'declined', declineCode: 'insufficient_funds' });
    expect(await authorize(request)).toEqual({ ...first, replayed: true });
  });

  it.each([
    ['amount', { amount: 1001 }],
    ['currency', { currency: 'EUR' }],
    ['payment', { paymentId: newId('pay') }],
    ['card', { card: { number: '5555555555554444', expMonth: 12, expYear: 2034 } }],
  ])('refuses a reference that comes again with another %s', async (_, other) => {
    const request = authorization();
    await authorize(request);
    const again = await call<{ code: string }>('POST', '/acquirers/sim/authorizations', { ...request, ...other });
    expect(again).toMatchObject({ status: 409, body: { code: 'reference_taken' } });
    expect(await bookOf({ reference: request.reference })).toHaveLength(1);
  });
});

describe('captures, refunds and voids', () => {
  it('capture in parts up to the amount, and not one unit more', async () => {
    const id = await authorized(250);
    expect((await change(id, 'captures')).body.outcome).toBe('approved');
    expect((await change(id, 'captures')).body.outcome).toBe('approved');
    expect((await change(id, 'captures')).body).toMatchObject({
      outcome: 'declined',
      declineCode: 'capture_exceeds_authorization',
    });
    expect((await change(id, 'captures', { amount: 50 })).body.outcome).toBe('approved');
    expect((await change(id, 'captures', { amount: 1 })).body.declineCode).toBe('authorization_closed');
  });

  it('release the rest with a final capture', async () => {
    const id = await authorized();
    expect((await change(id, 'captures', { final: true })).body.outcome).toBe('approved');
    expect((await change(id, 'captures')).body.declineCode).toBe('authorization_closed');
  });

  it('never capture more than was authorized when twenty race', async () => {
    const id = await authorized(1000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await change(id, 'captures', { amount: 300 })),
    );
    expect(answers.filter(({ body }) => body.outcome === 'approved')).toHaveLength(3);
    expect(answers.filter(({ body }) => body.outcome === 'declined')).toHaveLength(17);
  });

  it('never refund more than was captured when ten race', async () => {
    const id = await authorized(600);
    await change(id, 'captures', { amount: 600 });
    const answers = await Promise.all(Array.from({ length: 10 }, async () => await change(id, 'refunds')));
    expect(answers.filter(({ body }) => body.outcome === 'approved')).toHaveLength(6);
    expect(answers.find(({ body }) => body.outcome === 'declined')?.body.declineCode).toBe('refund_exceeds_capture');
  });

  it('refund nothing of what was only authorized', async () => {
    expect((await change(await authorized(), 'refunds')).body.declineCode).toBe('refund_exceeds_capture');
  });

  it('void what is not captured, once', async () => {
    const id = await authorized();
    expect((await change(id, 'voids')).body).toMatchObject({ outcome: 'approved', amount: 1000, currency: 'USD' });
    expect((await change(id, 'voids')).body.declineCode).toBe('authorization_closed');
    expect((await change(id, 'captures')).body.declineCode).toBe('authorization_closed');
  });

  it('do not void what is captured', async () => {
    const id = await authorized();
    await change(id, 'captures', { amount: 1000 });
    expect((await change(id, 'voids')).body.declineCode).toBe('authorization_closed');
  });

  it('refuse another currency', async () => {
    expect((await change(await authorized(), 'captures', { currency: 'EUR' })).body).toMatchObject({
      outcome: 'declined',
      declineCode: 'currency_mismatch',
      currency: 'EUR',
    });
  });

  it.each(['captures', 'refunds', 'voids'] as const)('have one effect for twins of %s', async (what) => {
    const id = await authorized();
    if (what === 'refunds') await change(id, 'captures', { amount: 1000 });
    const reference = newId('cap');
    const twins = await Promise.all(Array.from({ length: 10 }, async () => await change(id, what, { reference })));
    expect(new Set(twins.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(twins[0]?.body.outcome).toBe('approved');
    expect(await bookOf({ reference })).toHaveLength(1);
  });

  it('refuse a reference that is used for two authorizations at once', async () => {
    const ids = await Promise.all([authorized(), authorized()]);
    const reference = newId('cap');
    const answers = await Promise.all(ids.map(async (id) => await change(id, 'captures', { reference })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(await bookOf({ reference })).toHaveLength(1);
  });

  it('answer 404 for an authorization that does not exist, and write nothing', async () => {
    const reference = newId('cap');
    const { status } = await change('sim_00000000-0000-4000-8000-000000000000', 'captures', { reference });
    expect(status).toBe(404);
    expect(await bookOf({ reference })).toHaveLength(0);
  });
});

describe('the book', () => {
  it('lists the operations of a payment, newest first, page by page', async () => {
    const request = authorization();
    const { body } = await authorize(request);
    for (let count = 0; count < 4; count += 1) await change(body.authorizationId ?? '', 'captures');
    const paymentId = request.paymentId;
    const seen: BookLine[] = [];
    let cursor: string | null = null;
    do {
      const url: string = `/acquirers/sim/operations?paymentId=${paymentId}&limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
      const page: Answered<{ data: BookLine[]; nextCursor: string | null }> = await call('GET', url);
      expect(page.body.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.body.data);
      cursor = page.body.nextCursor;
    } while (cursor !== null);
    expect(seen.map(({ operation }) => operation)).toEqual(['capture', 'capture', 'capture', 'capture', 'authorize']);
    expect(seen[0]).toMatchObject({ paymentId, cardBin: '424242', cardLast4: '4242' });
  });

  it('answers 404 for a reference that never arrived, and for an acquirer it does not simulate', async () => {
    expect((await call('GET', `/acquirers/sim/operations/${newId('att')}`)).status).toBe(404);
    expect((await call('GET', '/acquirers/nobody/operations')).status).toBe(404);
    expect((await call('POST', '/acquirers/nobody/authorizations', authorization())).status).toBe(404);
  });

  it('cannot be rewritten by the service', async () => {
    const client = new pg.Client({ connectionString: sim.database.runtimeUrl });
    await client.connect();
    await expect(client.query("UPDATE operations SET currency = 'EUR'")).rejects.toMatchObject({ code: '42501' });
    await expect(client.query("UPDATE operation_results SET outcome = 'approved'")).rejects.toMatchObject({
      code: '42501',
    });
    await expect(client.query('DELETE FROM operations')).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });
});

describe('bad input', () => {
  const card = { number: '4242424242424242', expMonth: 12, expYear: 2034 };
  it.each<[string, Record<string, unknown>, string]>([
    ['a reference of another kind', { reference: 'pay_01h455vb4pex5vsknk084sn02q' }, '/reference'],
    ['an amount of zero', { amount: 0 }, '/amount'],
    ['a negative amount', { amount: -1 }, '/amount'],
    ['a fraction', { amount: 1.5 }, '/amount'],
    ['an amount as text', { amount: '1000' }, '/amount'],
    ['a huge amount', { amount: 1e17 }, '/amount'],
    ['an unknown currency', { currency: 'XYZ' }, '/currency'],
    ['a number that fails Luhn', { card: { ...card, number: '4242424242424241' } }, '/card/number'],
    ['a number with letters', { card: { ...card, number: '4242x24242424242' } }, '/card/number'],
    ['a thirteenth month', { card: { ...card, expMonth: 13 } }, '/card/expMonth'],
    ['an unknown field', { surprise: true }, '/surprise'],
    ['a control character', { statementDescriptor: 'a\u0007b' }, '/statementDescriptor'],
    ['an injection', { merchantId: "x'; DROP TABLE operations; --" }, '/merchantId'],
  ])('%s is refused with a pointer and leaves nothing in the book', async (_, over, pointer) => {
    const request = authorization(over);
    const { status, body } = await call<{ code: string; errors: readonly { pointer: string }[] }>(
      'POST',
      '/acquirers/sim/authorizations',
      request,
    );
    expect(status).toBe(400);
    expect(body.code).toBe('validation_failed');
    expect([...new Set(body.errors.map((error) => error.pointer))]).toEqual([pointer]);
    expect(JSON.stringify(body)).not.toContain('42424242');
    expect(await bookOf({ paymentId: request.paymentId })).toHaveLength(0);
  });

  it.each(['x', '-1', '99999999999999999999', '%00'])('cursor %s is refused', async (cursor) => {
    expect((await call('GET', `/acquirers/sim/operations?cursor=${cursor}`)).status).toBe(400);
  });
});

describe('GET /test-cards', () => {
  it('lists every test card with its outcome, for anyone, and may be cached', async () => {
    const response = await sim.fetch('/test-cards');
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toContain('max-age=');
    const { data } = (await response.json()) as { data: readonly TestCard[] };
    expect(data).toContainEqual(expect.objectContaining({ number: '4242424242424242', outcome: 'approved' }));
    expect(data).toContainEqual(
      expect.objectContaining({ number: '4000000000000002', outcome: 'declined', declineCode: 'generic_decline' }),
    );
  });
});

describe('the description', () => {
  it('has every route of the contract', async () => {
    const { paths } = (await (await sim.fetch('/openapi.json')).json()) as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replace('/acquirers/{acquirer}', '')}`),
    );
    expect(routes.sort()).toEqual([
      'delete /banks/{bank}/mode',
      'delete /mode',
      'get /banks/{bank}/book',
      'get /banks/{bank}/mode',
      'get /banks/{bank}/payouts',
      'get /banks/{bank}/payouts/{reference}',
      'get /banks/{bank}/statements',
      'get /banks/{bank}/statements/{reportId}',
      'get /challenges/{token}',
      'get /chargebacks',
      'get /disputes',
      'get /disputes/{disputeId}',
      'get /mode',
      'get /operations',
      'get /operations/{reference}',
      'get /settlement-reports',
      'get /settlement-reports/{reportId}',
      'get /test-bank-accounts',
      'get /test-cards',
      'post /authorizations',
      'post /authorizations/{authorizationId}/captures',
      'post /authorizations/{authorizationId}/refunds',
      'post /authorizations/{authorizationId}/voids',
      'post /banks/{bank}/mode',
      'post /banks/{bank}/payouts',
      'post /banks/{bank}/payouts/{reference}/cancel',
      'post /banks/{bank}/payouts/{reference}/return',
      'post /banks/{bank}/statements/errors',
      'post /challenges/{token}',
      'post /disputes',
      'post /disputes/{disputeId}/accept',
      'post /disputes/{disputeId}/decision',
      'post /disputes/{disputeId}/evidence',
      'post /mode',
      'post /redirects',
      'post /reversals',
      'post /settlement-reports/errors',
      'post /webhooks/replay',
    ]);
  });
});

describe('card numbers', () => {
  it('are in no table, in any encoding', async () => {
    await Promise.all(
      TEST_CARDS.map(async ({ number }) => await authorize(authorization({ card: cardNumbered(number) }))),
    );
    const dump = await dumpOf(sim.database.ownerUrl);
    expect(dump).toContain('424242');
    for (const { number } of TEST_CARDS) {
      for (const encoded of encodingsOf(number)) expect(dump).not.toContain(encoded);
    }
  });
});
