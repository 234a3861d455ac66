import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createServiceApp } from '@payflow/service';
import { eventually } from '@payflow/testing';

import { RoutingRulesCache } from '../src/application/routing-rules.js';
import { PaymentModule } from '../src/payment.module.js';
import { AcquirerFake } from './acquirer-fake.js';
import { ADMIN, type Answered, freshKey, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

const FAILURES_UNTIL_OPEN = 10;
const CONNECTION_TRIES = 3;

let second: AcquirerFake;
let service: PaymentUnderTest;
beforeAll(async () => {
  second = new AcquirerFake();
  // One place at each acquirer and no queue, so that a test can fill it.
  const settings = { ACQUIRER_CONCURRENCY_MAX: '1', ACQUIRER_QUEUE_MAX: '0' };
  service = await PaymentUnderTest.start(settings, { sim2: second });
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(second.server.violations).toEqual([]);
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
  await second.server.close();
});

const set = async (rules: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answered> =>
  await service.ask('PUT', '/routing/rules', rules, { as: ADMIN, key: freshKey(), headers });
const explain = async (question: Readonly<Record<string, unknown>> = {}): Promise<Answered> =>
  await service.post(
    '/routing/explain',
    { amount: 1000, currency: 'USD', paymentMethodType: 'card', brand: 'visa', ...question },
    { as: ADMIN },
  );
const DEFAULT = { rules: [], otherwise: ['sim', 'sim2'] };
const breakerOf = async (name: string): Promise<string | undefined> => {
  const { acquirers } = (await explain()).body as { acquirers: readonly { name: string; breaker: string }[] };
  return acquirers.find((acquirer) => acquirer.name === name)?.breaker;
};
/** The acquirers that the payment was tried at, in order. */
const triedAt = async (paymentId: unknown): Promise<readonly string[]> =>
  (
    await service.database.query<{ acquirer: string }>(
      `SELECT acquirer FROM payment_attempts WHERE payment_id = $1 AND operation = 'authorize' ORDER BY position`,
      [paymentId],
    )
  ).map(({ acquirer }) => acquirer);

describe('routing rules', () => {
  it('are, before anything is set, all acquirers in the order of the settings', async () => {
    const answer = await service.get('/routing/rules', ADMIN);
    expect(answer).toMatchObject({ status: 200, body: { version: 0, ...DEFAULT, disabled: [], createdBy: null } });
    expect(answer.headers.get('etag')).toBe('"0"');
    expect((await explain()).body).toMatchObject({
      route: ['sim', 'sim2'],
      rule: null,
      acquirers: [
        { name: 'sim', healthy: true, breaker: 'closed' },
        { name: 'sim2', healthy: true, breaker: 'closed' },
      ],
    });
  });

  it('get a version with each change, and a change of what somebody else has changed since is refused', async () => {
    const rules = {
      rules: [{ id: 'yen', when: { currencies: ['JPY'] }, acquirers: ['sim2'] }],
      otherwise: ['sim', 'sim2'],
    };
    const before = (await service.get('/routing/rules', ADMIN)).body['version'] as number;
    const first = await set(rules, { 'if-match': `"${String(before)}"` });
    expect(first).toMatchObject({ status: 200, body: { version: before + 1, ...rules, createdBy: ADMIN.id } });
    expect(first.headers.get('etag')).toBe(`"${String(before + 1)}"`);
    expect(await set(DEFAULT, { 'if-match': `"${String(before)}"` })).toMatchObject({ status: 412 });
    expect((await service.get('/routing/rules', ADMIN)).body).toEqual(first.body);
    expect((await explain({ currency: 'JPY' })).body).toMatchObject({
      route: ['sim2'],
      rule: 'yen',
      version: before + 1,
    });
  });

  it('are changed once by a request and its repetition', async () => {
    const asked = { as: ADMIN, key: freshKey() };
    const first = await service.ask('PUT', '/routing/rules', DEFAULT, asked);
    const again = await service.ask('PUT', '/routing/rules', DEFAULT, asked);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('hold on every other instance soon', async () => {
    const other = await createServiceApp({ name: 'payment', module: PaymentModule, environment: service.environment });
    await other.init();
    try {
      await other.get(RoutingRulesCache).current();
      const { version } = (await set(DEFAULT)).body;
      await eventually(async () => {
        expect((await other.get(RoutingRulesCache).current()).version).toBe(version);
      });
    } finally {
      await other.close();
    }
  });

  it.each<[string, unknown, readonly string[]]>([
    [
      'an acquirer that there is not',
      { rules: [{ id: 'a', when: {}, acquirers: ['sim', 'simm'] }], otherwise: ['sim'] },
      ['/rules/0/acquirers/1'],
    ],
    ['no acquirer otherwise', { rules: [], otherwise: [] }, ['/otherwise']],
    ['an acquirer twice', { rules: [], otherwise: ['sim', 'sim'] }, ['/otherwise']],
    [
      'an amount without its currency',
      { rules: [{ id: 'a', when: { amountMin: 5 }, acquirers: ['sim'] }], otherwise: ['sim'] },
      ['/rules/0/when/currencies'],
    ],
    [
      'a range that ends before it begins',
      {
        rules: [{ id: 'a', when: { currencies: ['USD'], amountMin: 5, amountMax: 4 }, acquirers: ['sim'] }],
        otherwise: ['sim'],
      },
      ['/rules/0/when/amountMax'],
    ],
    [
      'two rules of one name',
      {
        rules: [
          { id: 'a', when: {}, acquirers: ['sim'] },
          { id: 'a', when: {}, acquirers: ['sim'] },
        ],
        otherwise: ['sim'],
      },
      ['/rules'],
    ],
    [
      'an unknown condition',
      { rules: [{ id: 'a', when: { weekday: 1 }, acquirers: ['sim'] }], otherwise: ['sim'] },
      ['/rules/0/when/weekday'],
    ],
  ])('with %s are refused, and it is said where', async (_, rules, pointers) => {
    const before = await service.get('/routing/rules', ADMIN);
    const answer = await set(rules);
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    const errors = answer.body['errors'] as readonly { readonly pointer: string }[];
    expect(errors.map(({ pointer }) => pointer)).toEqual(pointers);
    expect((await service.get('/routing/rules', ADMIN)).body).toEqual(before.body);
  });

  it('are not for merchants, and cannot be changed behind their back', async () => {
    const { principal } = service.merchant();
    expect((await service.get('/routing/rules', principal)).status).toBe(403);
    expect((await service.ask('PUT', '/routing/rules', DEFAULT, { as: principal, key: freshKey() })).status).toBe(403);
    await expect(service.database.execute("UPDATE routing_rules SET rules = '{}'")).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('a payment', () => {
  beforeEach(async () => {
    await set(DEFAULT);
  });

  it('is tried at the next acquirer after one that could not process it, with its single-use token', async () => {
    const merchant = service.merchant();
    const token = service.vault.token(merchant.id, { reusable: false });
    service.acquirer.next('authorize', 'technical decline');
    const answer = await service.authorize(merchant, { paymentMethod: { type: 'card', token } });
    expect(answer).toMatchObject({ status: 201, body: { status: 'AUTHORIZED', acquirer: 'sim2' } });
    expect(await triedAt(answer.body['paymentId'])).toEqual(['sim', 'sim2']);
    expect(service.vault.forwarded.slice(-2).map(({ acquirer, keepCvc }) => [acquirer, keepCvc])).toEqual([
      ['sim', true],
      ['sim2', false],
    ]);
    const captured = await service.post(
      `/payments/${String(answer.body['paymentId'])}/capture`,
      {},
      { as: merchant.principal, key: freshKey() },
    );
    expect(captured).toMatchObject({ status: 200, body: { status: 'CAPTURED' } });
  });

  it.each([['silent after effect'], ['silent without effect']] as const)(
    'is never tried elsewhere after silence (%s)',
    async (mood) => {
      service.acquirer.next('authorize', mood);
      const answer = await service.authorize(service.merchant());
      expect(answer).toMatchObject({ status: 202, body: { status: 'PROCESSING', acquirer: 'sim' } });
      expect(await triedAt(answer.body['paymentId'])).toEqual(['sim']);
    },
  );

  it('is not tried elsewhere when the issuer says no', async () => {
    service.acquirer.next('authorize', 'decline');
    const answer = await service.authorize(service.merchant());
    expect(answer).toMatchObject({ status: 201, body: { status: 'FAILED' } });
    expect(await triedAt(answer.body['paymentId'])).toEqual(['sim']);
  });

  it('goes to another acquirer when all places at the first are taken', async () => {
    const held = service.acquirer.hold('authorize');
    const waiting = service.authorize(service.merchant());
    await held.arrived;
    const answer = await service.authorize(service.merchant());
    expect(answer).toMatchObject({ status: 201, body: { status: 'AUTHORIZED', acquirer: 'sim2' } });
    held.open();
    expect(await waiting).toMatchObject({ status: 201, body: { acquirer: 'sim' } });
  });

  it('gets no acquirer that is disabled, and none at all when there is no other', async () => {
    await set({ ...DEFAULT, disabled: ['sim'] });
    expect((await service.authorize(service.merchant())).body).toMatchObject({ acquirer: 'sim2' });
    await set({ ...DEFAULT, disabled: ['sim', 'sim2'] });
    expect(await service.authorize(service.merchant())).toMatchObject({
      status: 422,
      body: { code: 'payment_not_routable' },
    });
  });

  it('goes to the second acquirer first while the first is left alone, and back once that answers', async () => {
    for (let failure = 0; failure < FAILURES_UNTIL_OPEN; failure += 1) {
      service.vault.next(...Array.from({ length: CONNECTION_TRIES }, () => 'not sent' as const));
      expect((await service.authorize(service.merchant())).body).toMatchObject({ acquirer: 'sim2' });
    }
    expect((await explain()).body).toMatchObject({
      route: ['sim2', 'sim'],
      reasons: expect.arrayContaining(['sim goes last: its breaker is open']),
      acquirers: expect.arrayContaining([{ name: 'sim', healthy: false, breaker: 'open' }]),
    });
    const meanwhile = await service.authorize(service.merchant());
    expect(await triedAt(meanwhile.body['paymentId'])).toEqual(['sim2']);
    await eventually(async () => {
      expect(await breakerOf('sim')).toBe('half_open');
    });
    expect((await service.authorize(service.merchant())).body).toMatchObject({ acquirer: 'sim' });
    expect(await breakerOf('sim')).toBe('closed');
  });
});

describe('the metrics of acquirers', () => {
  it('tell orders by outcome, how long they take, breakers and places', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(text).toMatch(/payflow_acquirer_requests_total\{acquirer="sim",outcome="approved"\} \d+/);
    expect(text).toMatch(/payflow_acquirer_requests_total\{acquirer="sim",outcome="not_sent"\} \d+/);
    expect(text).toMatch(/payflow_acquirer_request_duration_seconds_count\{acquirer="sim2"\} \d+/);
    expect(text).toContain('payflow_acquirer_breaker_state{acquirer="sim"} 0');
    expect(text).toContain('payflow_acquirer_places_in_use{acquirer="sim"} 0');
  });
});
