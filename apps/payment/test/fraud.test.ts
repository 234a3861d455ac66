import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FRAUD_EVENTS, paymentDetailSchema } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { dumpOf, eventually, userPrincipal } from '@payflow/testing';

import { SendOrders } from '../src/application/send-orders.js';
import { WatchReviews } from '../src/application/watch-reviews.js';
import { FraudDecisionsController } from '../src/events/fraud-decisions.controller.js';
import {
  ADMIN,
  type Answered,
  freshKey,
  type Merchant,
  PaymentUnderTest,
  START_TIMEOUT_MS,
} from './payment-under-test.js';

/** Long enough for a busy machine; a fraud that hangs costs each test so much. */
const BUDGET_MS = 300;
const RISK = userPrincipal(newId('usr'), 'risk');

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.startWithFraud({
    FRAUD_BUDGET_MS: String(BUDGET_MS),
    FRAUD_DOWN_ALLOW_MAX: '5000',
  });
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

let merchant: Merchant;
beforeEach(() => {
  merchant = service.merchant();
});

const idOf = ({ body }: Answered): string => body['paymentId'] as string;

const readBy = async (paymentId: string, as = merchant.principal) =>
  paymentDetailSchema.parse((await service.get(`/payments/${paymentId}`, as)).body);

const publishedTypes = async (paymentId: string) => (await service.published(paymentId)).map(({ type }) => type);

const underReview = async (members: Readonly<Record<string, unknown>> = {}): Promise<string> => {
  service.fraud.next('REVIEW');
  const answer = await service.authorize(merchant, members);
  expect(answer).toMatchObject({ status: 202, body: { status: 'IN_REVIEW', lastError: null, acquirer: null } });
  return idOf(answer);
};

type Said = 'ALLOW' | 'BLOCK';

const decidedPayload = (paymentId: string, outcome: Said, decidedBy: string = RISK.id) => {
  const { decisionId, reviewId, score, reasons, rulesVersion } = service.fraud.decisionOn(paymentId);
  const subject = { paymentId, merchantId: merchant.id, userId: null, amount: 1000, currency: 'USD' };
  return { ...subject, decisionId, reviewId, score, reasons, rulesVersion, outcome, stage: 'review', decidedBy };
};

/** By Kafka, as fraud tells it. */
const tell = async (paymentId: string, outcome: Said, decidedBy?: string): Promise<void> => {
  const payload = decidedPayload(paymentId, outcome, decidedBy);
  await service.database.transaction(
    async (tx) =>
      await service.app.get(Outbox).publish(tx, [
        {
          definition: FRAUD_EVENTS.decided,
          aggregateId: payload.decisionId,
          merchantId: merchant.id,
          key: merchant.id,
          payload,
          occurredAt: new Date(),
        },
      ]),
  );
};

/** The same, but at once and without the inbox: for what has to happen at the same moment. */
const deliver = async (paymentId: string, outcome: Said): Promise<void> => {
  const envelope = {
    eventId: newId('evt'),
    type: FRAUD_EVENTS.decided.type,
    occurredAt: new Date().toISOString(),
    aggregateId: service.fraud.decisionOn(paymentId).decisionId,
    sequence: 2,
    previousSequence: null,
    merchantId: merchant.id,
    correlationId: 'req_test',
    causationId: 'req_test',
    payload: decidedPayload(paymentId, outcome),
  };
  const delivery = { envelope, topic: FRAUD_EVENTS.decided.topic, partition: 0, offset: 0n, headers: {} };
  await service.database.transaction(
    async (tx) => await service.app.get(FraudDecisionsController).decide([delivery], tx),
  );
};

/** As if it were time to look at the review. */
const lookAt = async (paymentId: string, { overdue = false } = {}): Promise<void> => {
  const due = await service.database.execute(
    `UPDATE payment_reviews SET next_look_at = now()${overdue ? `, decide_by = now() - interval '1 second'` : ''}
      WHERE payment_id = $1 AND next_look_at IS NOT NULL`,
    [paymentId],
  );
  if (due !== 1) throw new Error(`given: ${paymentId} is not under review`);
  await service.app.get(WatchReviews).pass();
  await service.app.get(SendOrders).settled();
};

const setPolicy = async (policy: object): Promise<void> => {
  const asked = { as: RISK, key: freshKey() };
  const answer = await service.ask('PUT', `/merchants/${merchant.id}/fraud-policy`, policy, asked);
  expect(answer.status).toBe(200);
};

describe('what fraud lets through', () => {
  it('is authorized, and its history tells the decision before the order', async () => {
    const answer = await service.authorize(merchant);
    expect(answer).toMatchObject({ status: 201, body: { status: 'AUTHORIZED' } });
    const { body } = await service.get(`/payments/${idOf(answer)}/events`, merchant.principal);
    expect((body['data'] as { type: string }[]).map(({ type }) => type)).toEqual([
      'PaymentCreated',
      'FraudDecided',
      'AuthorizationRequested',
      'PaymentAuthorized',
    ]);
  });

  it('was asked about with the card that the vault names, and never with its number', async () => {
    const paymentId = idOf(await service.authorize(merchant, { userId: 'usr_4711' }));
    expect(service.fraud.questionsAbout(paymentId)).toMatchObject([
      {
        subject: 'payment',
        merchantId: merchant.id,
        userId: 'usr_4711',
        amount: 1000,
        currency: 'USD',
        method: { type: 'card', brand: 'visa', bin: '424242', last4: '4242', fingerprint: 'fp_4242' },
        ip: null,
      },
    ]);
  });

  it('shows its decision to the merchant, and the reasons to staff only', async () => {
    const paymentId = idOf(await service.authorize(merchant));
    const { decisionId } = service.fraud.decisionOn(paymentId);
    const toMerchant = await readBy(paymentId);
    expect(toMerchant.fraud).toEqual({ decisionId, outcome: 'ALLOW', reviewId: null, decideBy: null, policy: null });
    expect((await readBy(paymentId, ADMIN)).fraud).toMatchObject({
      decisionId,
      score: 5,
      reasons: [{ effect: 'ALLOW' }],
    });
    const history = await service.get(`/payments/${paymentId}/events`, merchant.principal);
    expect(history.text).not.toContain('fake rule');
    expect((await service.get(`/payments/${paymentId}/events`, ADMIN)).text).toContain('fake rule');
  });

  it('is asked about once, however often the request is repeated', async () => {
    const key = freshKey();
    const body = { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', token: merchant.token } };
    const before = service.fraud.asked.length;
    const first = await service.post('/payments/authorize', body, { as: merchant.principal, key });
    const again = await service.post('/payments/authorize', body, { as: merchant.principal, key });
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(service.fraud.asked).toHaveLength(before + 1);
  });

  it('is an intent too: judged when it is confirmed, with the address and the country of the payer who confirms it', async () => {
    const created = await service.post(
      '/payments',
      { amount: 1000, currency: 'USD' },
      { as: merchant.principal, key: freshKey() },
    );
    const paymentId = idOf(created);
    expect(service.fraud.questionsAbout(paymentId)).toEqual([]);
    const payer = userPrincipal(newId('usr'), 'customer');
    const body = {
      paymentMethod: { type: 'card', token: merchant.token },
      clientSecret: created.body['clientSecret'],
    };
    const confirmed = await service.post(`/payments/${paymentId}/confirm`, body, {
      as: payer,
      key: freshKey(),
      headers: { 'x-forwarded-for': '203.0.113.9', 'x-payflow-client-country': 'DE' },
    });
    expect(confirmed).toMatchObject({ status: 200, body: { status: 'AUTHORIZED' } });
    expect(service.fraud.questionsAbout(paymentId)).toMatchObject([{ ip: '203.0.113.9', ipCountry: 'DE' }]);
  });

  it.each([
    ['the token cannot be used', { paymentMethod: { type: 'card', token: 'tok_01kxyz6w3hf8btq2v9m4n7r5sd' } }, {}],
    ['another version was meant', {}, { 'if-match': '"7"' }],
  ])('is not asked about when %s', async (_why, members, headers) => {
    const created = await service.post(
      '/payments',
      { amount: 1000, currency: 'USD' },
      { as: merchant.principal, key: freshKey() },
    );
    const body = { paymentMethod: { type: 'card', token: merchant.token }, ...members };
    const asked = { as: merchant.principal, key: freshKey(), headers };
    const answer = await service.post(`/payments/${idOf(created)}/authorize`, body, asked);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(service.fraud.questionsAbout(idOf(created))).toEqual([]);
  });
});

describe('the email of a payer', () => {
  const send = async (path: string, body: object, key = freshKey()) =>
    await service.post(path, body, { as: merchant.principal, key });
  const card = () => ({ paymentMethod: { type: 'card', token: merchant.token } });
  const asked = (paymentId: string) => service.fraud.questionsAbout(paymentId).map(({ email }) => email);
  const intent = async (members: object = {}) => await send('/payments', { amount: 1000, currency: 'USD', ...members });
  /** With a token that cannot do what a merchant's server can. */
  const confirmAsPayer = async ({ body }: Answered, members: object) =>
    await service.post(
      `/payments/${body['paymentId'] as string}/confirm`,
      { ...card(), clientSecret: body['clientSecret'], ...members },
      { as: userPrincipal(newId('usr'), 'customer'), key: freshKey() },
    );

  it('is for fraud, whichever route authorizes the payment', async () => {
    const atOnce = await service.authorize(merchant, { email: 'Ann@example.com' });
    expect(asked(idOf(atOnce))).toEqual(['Ann@example.com']);
    for (const route of ['authorize', 'process', 'confirm']) {
      const paymentId = idOf(await intent());
      const answer = await send(`/payments/${paymentId}/${route}`, { ...card(), email: 'ben@example.com' });
      expect([answer.status, asked(paymentId)]).toEqual([200, ['ben@example.com']]);
    }
    const paymentId = idOf(await intent({ email: 'cleo@example.com' }));
    await send(`/payments/${paymentId}/authorize`, card());
    expect(asked(paymentId)).toEqual(['cleo@example.com']);
  });

  it('is what the merchant says, last with the authorization, and what a browser says where he said nothing', async () => {
    const told = await intent({ email: 'cleo@example.com' });
    expect(await confirmAsPayer(told, { email: 'mallory@example.com' })).toMatchObject({ status: 200 });
    expect(asked(idOf(told))).toEqual(['cleo@example.com']);
    const untold = await intent();
    expect(await confirmAsPayer(untold, { email: 'dora@example.com' })).toMatchObject({ status: 200 });
    expect(asked(idOf(untold))).toEqual(['dora@example.com']);
    const corrected = idOf(await intent({ email: 'old@example.com' }));
    await send(`/payments/${corrected}/authorize`, { ...card(), email: 'new@example.com' });
    expect(asked(corrected)).toEqual(['new@example.com']);
  });

  it('belongs to the request: the same key with another email is refused, with the same one it is repeated', async () => {
    const key = freshKey();
    const body = { amount: 1000, currency: 'USD', ...card() };
    const first = await send('/payments/authorize', { ...body, email: 'ann@example.com' }, key);
    expect(await send('/payments/authorize', { ...body, email: 'ben@example.com' }, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    expect(await send('/payments/authorize', body, key)).toMatchObject({ status: 422 });
    const again = await send('/payments/authorize', { ...body, email: 'ann@example.com' }, key);
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(asked(idOf(first))).toEqual(['ann@example.com']);
  });

  it.each(['nobody', 'a@b', '@example.com', `${'a'.repeat(250)}@example.com`, '4242424242424242@example.com', '', 7])(
    'is an address or refused: %j',
    async (email) => {
      const paymentId = idOf(await intent());
      const sale = { amount: 1000, currency: 'USD' };
      for (const [path, body] of [
        ['/payments/authorize', { ...sale, ...card() }],
        ['/payments', sale],
        ...['authorize', 'process', 'confirm'].map((route) => [`/payments/${paymentId}/${route}`, card()] as const),
      ] as const) {
        const answer = await send(path, { ...body, email });
        expect(answer).toMatchObject({
          status: 400,
          body: { code: 'validation_failed', errors: [{ pointer: '/email' }] },
        });
        if (typeof email === 'string' && email !== '') expect(answer.text).not.toContain(email);
      }
      expect((await readBy(paymentId)).status).toBe('PENDING');
      expect(asked(paymentId)).toEqual([]);
    },
  );

  it('is nowhere once fraud has judged, or the intent was canceled', async () => {
    const email = `nowhere-${merchant.id}@example.com`;
    const judged = await service.authorize(merchant, { email, capture: true });
    const blocked = await intent({ email });
    const canceled = await intent({ email });
    expect(await dumpOf(service.databases.ownerUrl)).toContain(email);
    service.fraud.next('BLOCK');
    const answers = [
      judged,
      blocked,
      await send(`/payments/${idOf(blocked)}/authorize`, card()),
      await send(`/payments/${idOf(canceled)}/cancel`, {}),
      await underReview({ email }),
    ];
    expect(await dumpOf(service.databases.ownerUrl)).not.toContain(email);
    expect(JSON.stringify(answers)).not.toContain(email);
    expect(asked(idOf(blocked))).toEqual([email]);
  });
});

describe('what fraud blocks', () => {
  it('has failed without an acquirer being asked or the token being used up, and says so under the same key again', async () => {
    service.fraud.next('BLOCK');
    const token = service.vault.token(merchant.id, { reusable: false });
    const key = freshKey();
    const body = { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', token } };
    const answer = await service.post('/payments/authorize', body, { as: merchant.principal, key });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        status: 'FAILED',
        lastError: { code: 'fraud_blocked' },
        acquirer: null,
        paymentMethod: { last4: '4242' },
      },
    });
    const paymentId = idOf(answer);
    expect(await service.operations(paymentId)).toEqual([]);
    expect(service.vault.forwarded.filter((request) => request.paymentId === paymentId)).toEqual([]);
    const again = await service.post('/payments/authorize', body, { as: merchant.principal, key });
    expect([again.status, again.text]).toEqual([answer.status, answer.text]);
    expect(await service.authorize(merchant, { paymentMethod: { type: 'card', token } })).toMatchObject({
      status: 201,
      body: { status: 'AUTHORIZED' },
    });
    const [created, failed, ...others] = await service.published(paymentId);
    expect([created?.type, failed?.type, others]).toEqual(['payment.created.v1', 'payment.failed.v1', []]);
    expect(failed?.payload).toMatchObject({ acquirer: null, attemptId: null, code: 'fraud_blocked' });
  });

  it('cannot be authorized, captured, canceled or changed any more', async () => {
    service.fraud.next('BLOCK');
    const paymentId = idOf(await service.authorize(merchant));
    const post = async (route: string, body: object) =>
      (await service.post(`/payments/${paymentId}/${route}`, body, { as: merchant.principal, key: freshKey() })).body[
        'code'
      ];
    expect(await post('authorize', { paymentMethod: { type: 'card', token: merchant.token } })).toBe(
      'payment_not_authorizable',
    );
    expect(await post('capture', {})).toBe('payment_not_capturable');
    expect(await post('cancel', {})).toBe('payment_not_cancelable');
    const patched = await service.ask(
      'PATCH',
      `/payments/${paymentId}`,
      { amount: 1 },
      { as: merchant.principal, key: freshKey() },
    );
    expect(patched.body['code']).toBe('payment_not_modifiable');
  });
});

describe('what people have to look at', () => {
  it('waits IN_REVIEW with no acquirer asked, and tells the world until when', async () => {
    const paymentId = await underReview();
    const { reviewId, decisionId, decideBy } = service.fraud.decisionOn(paymentId);
    expect(await readBy(paymentId)).toMatchObject({
      status: 'IN_REVIEW',
      fraud: { outcome: 'REVIEW', reviewId, decideBy },
    });
    expect(await service.operations(paymentId)).toEqual([]);
    const [, inReview] = await service.published(paymentId);
    expect(inReview).toMatchObject({ type: 'payment.in_review.v1', payload: { reviewId, decisionId, decideBy } });
  });

  it('is neither captured nor authorized again nor changed meanwhile', async () => {
    const paymentId = await underReview();
    const post = async (route: string, body: object) =>
      (await service.post(`/payments/${paymentId}/${route}`, body, { as: merchant.principal, key: freshKey() })).body[
        'code'
      ];
    expect(await post('authorize', { paymentMethod: { type: 'card', token: merchant.token } })).toBe(
      'payment_not_authorizable',
    );
    expect(await post('capture', {})).toBe('payment_not_capturable');
    expect(await post('refund', {})).toBe('payment_not_refundable');
    const patched = await service.ask(
      'PATCH',
      `/payments/${paymentId}`,
      { amount: 1 },
      { as: merchant.principal, key: freshKey() },
    );
    expect(patched.body['code']).toBe('payment_not_modifiable');
  });

  it('goes on to the acquirer when it is approved: a sale is captured', async () => {
    const paymentId = await underReview({ capture: true });
    await tell(paymentId, 'ALLOW');
    await eventually(async () => expect((await readBy(paymentId)).status).toBe('CAPTURED'));
    const operations = await service.operations(paymentId);
    expect(service.acquirer.approved('authorize', operations)).toHaveLength(1);
    expect(await publishedTypes(paymentId)).toEqual([
      'payment.created.v1',
      'payment.in_review.v1',
      'payment.authorized.v1',
      'payment.captured.v1',
    ]);
    const { body } = await service.get(`/payments/${paymentId}/events`, ADMIN);
    expect(
      (body['data'] as { type: string; data: object }[]).find(({ type }) => type === 'ReviewClosed'),
    ).toMatchObject({
      data: { outcome: 'ALLOW', decidedBy: RISK.id },
    });
  });

  it.each([
    ['it is rejected', 'usr_01kxyz6w3hf8btq2v9m4n7r5sd'],
    ['nobody decides until the deadline', 'deadline'],
  ])('fails when %s', async (_why, decidedBy) => {
    const paymentId = await underReview();
    await tell(paymentId, 'BLOCK', decidedBy);
    await eventually(async () =>
      expect(await readBy(paymentId)).toMatchObject({ status: 'FAILED', lastError: { code: 'fraud_rejected' } }),
    );
    expect(await service.operations(paymentId)).toEqual([]);
    expect(await publishedTypes(paymentId)).toEqual([
      'payment.created.v1',
      'payment.in_review.v1',
      'payment.failed.v1',
    ]);
  });

  it('fails by its own timer when fraud never tells of the end', async () => {
    const paymentId = await underReview();
    await lookAt(paymentId, { overdue: true });
    expect(await readBy(paymentId)).toMatchObject({ status: 'FAILED', lastError: { code: 'fraud_rejected' } });
    // What people say after that changes nothing.
    await deliver(paymentId, 'ALLOW');
    expect((await readBy(paymentId)).status).toBe('FAILED');
  });

  it('is canceled by the merchant, and an approval after that authorizes nothing', async () => {
    const paymentId = await underReview();
    const canceled = await service.post(
      `/payments/${paymentId}/cancel`,
      {},
      { as: merchant.principal, key: freshKey() },
    );
    expect(canceled).toMatchObject({ status: 200, body: { status: 'CANCELED' } });
    await deliver(paymentId, 'ALLOW');
    await service.app.get(SendOrders).settled();
    expect(await service.operations(paymentId)).toEqual([]);
    expect((await readBy(paymentId)).status).toBe('CANCELED');
  });

  it('ends once, when people approve and reject and the merchant cancels at the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      const paymentId = await underReview();
      const cancel = service.post(`/payments/${paymentId}/cancel`, {}, { as: merchant.principal, key: freshKey() });
      await Promise.all([deliver(paymentId, 'ALLOW'), deliver(paymentId, 'BLOCK'), cancel]);
      await service.app.get(SendOrders).settled();
      const { status } = await readBy(paymentId);
      const operations = await service.operations(paymentId);
      const types = await publishedTypes(paymentId);
      expect(['AUTHORIZED', 'FAILED', 'CANCELED']).toContain(status);
      // The cancel may have come when the approval had been sent: then what was authorized was voided.
      if (status === 'FAILED') expect([operations, types.slice(2)]).toEqual([[], ['payment.failed.v1']]);
      expect(service.acquirer.approved('authorize', operations).length).toBe(
        types.includes('payment.authorized.v1') ? 1 : 0,
      );
      expect(
        types.filter((type) => type === 'payment.authorized.v1' || type === 'payment.failed.v1').length,
      ).toBeLessThanOrEqual(1);
    }
  });

  it('is authorized once, when the approval is told twice', async () => {
    const paymentId = await underReview();
    await Promise.all([deliver(paymentId, 'ALLOW'), deliver(paymentId, 'ALLOW')]);
    await service.app.get(SendOrders).settled();
    expect((await readBy(paymentId)).status).toBe('AUTHORIZED');
    expect(await service.operations(paymentId)).toHaveLength(1);
  });

  it('does not lose an approval that comes before the payment is there', async () => {
    const paymentId = await underReview();
    const unborn = newId('pay');
    const payload = { ...decidedPayload(paymentId, 'ALLOW'), paymentId: unborn };
    const envelope = {
      eventId: newId('evt'),
      type: FRAUD_EVENTS.decided.type,
      occurredAt: new Date().toISOString(),
      aggregateId: payload.decisionId,
      sequence: 2,
      previousSequence: null,
      merchantId: merchant.id,
      correlationId: 'req_test',
      causationId: 'req_test',
    };
    const take = async (said: Readonly<Record<string, unknown>>) =>
      await service.database.transaction(
        async (tx) =>
          await service.app.get(FraudDecisionsController).decide(
            [
              {
                envelope: { ...envelope, payload: said },
                topic: 'fraud.decided',
                partition: 0,
                offset: 0n,
                headers: {},
              },
            ],
            tx,
          ),
      );
    await expect(take(payload)).rejects.toThrow('is not there (yet)');
    await expect(take({ ...payload, outcome: 'BLOCK' })).resolves.toBeUndefined();
  });
});

describe('while fraud does not answer', () => {
  it.each(['hang', 'failure', 'nonsense'] as const)(
    'a small payment goes on, and its history says that nobody has judged it: %s',
    async (mood) => {
      service.fraud.next(mood);
      const answer = await service.authorize(merchant);
      expect(answer).toMatchObject({ status: 201, body: { status: 'AUTHORIZED' } });
      expect((await readBy(idOf(answer))).fraud).toMatchObject({
        decisionId: null,
        outcome: 'ALLOW',
        policy: 'allow_under',
      });
    },
  );

  it('a large one waits, and goes on when fraud is back', async () => {
    service.fraud.next('failure');
    const answer = await service.authorize(merchant, { amount: 5001 });
    expect(answer).toMatchObject({ status: 202, body: { status: 'IN_REVIEW' } });
    const paymentId = idOf(answer);
    const [, inReview] = await service.published(paymentId);
    expect(inReview).toMatchObject({ type: 'payment.in_review.v1', payload: { reviewId: null, decisionId: null } });
    service.fraud.next('failure');
    await lookAt(paymentId);
    expect((await readBy(paymentId)).status).toBe('IN_REVIEW');
    await lookAt(paymentId);
    expect(await readBy(paymentId)).toMatchObject({ status: 'AUTHORIZED', fraud: { outcome: 'ALLOW', policy: null } });
    expect(service.fraud.questionsAbout(paymentId).at(-1)).toMatchObject({ method: { bin: '424242' } });
  });

  it.each([
    ['BLOCK', { status: 'FAILED', lastError: { code: 'fraud_blocked' } }],
    ['REVIEW', { status: 'IN_REVIEW', fraud: { policy: null } }],
  ] as const)('a payment that waits hears %s when fraud is back', async (mood, expected) => {
    service.fraud.next('failure');
    const paymentId = idOf(await service.authorize(merchant, { amount: 5001 }));
    service.fraud.next(mood);
    await lookAt(paymentId);
    expect(await readBy(paymentId)).toMatchObject(expected);
    expect(await service.operations(paymentId)).toEqual([]);
    if (mood === 'BLOCK') return;
    await deliver(paymentId, 'ALLOW');
    await service.app.get(SendOrders).settled();
    expect((await readBy(paymentId)).status).toBe('AUTHORIZED');
  });

  it('people may decide on a payment for whose judgement payment could not wait', async () => {
    service.fraud.next('failure');
    const paymentId = idOf(await service.authorize(merchant, { amount: 5001 }));
    service.fraud.next('REVIEW');
    const { merchantId, amount, currency } = await readBy(paymentId);
    const question = service.fraud.questionsAbout(paymentId)[0];
    expect(question).toMatchObject({ merchantId, amount, currency });
    // Its answer came too late for payment, but not for the people at fraud.
    await fetch(`${service.environment['FRAUD_URL'] ?? ''}/internal/fraud/decisions`, {
      method: 'POST',
      headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    await deliver(paymentId, 'ALLOW');
    await service.app.get(SendOrders).settled();
    expect((await readBy(paymentId)).status).toBe('AUTHORIZED');
  });

  it('a payment that waits is judged by the same facts, the addresses of its payer included, which are then forgotten', async () => {
    const created = await service.post(
      '/payments',
      { amount: 5001, currency: 'USD' },
      { as: merchant.principal, key: freshKey() },
    );
    const paymentId = idOf(created);
    service.fraud.next('failure');
    const confirmed = await service.post(
      `/payments/${paymentId}/confirm`,
      {
        paymentMethod: { type: 'card', token: merchant.token },
        clientSecret: created.body['clientSecret'],
        email: 'ann@example.com',
      },
      {
        as: userPrincipal(newId('usr'), 'customer'),
        key: freshKey(),
        headers: { 'x-forwarded-for': '203.0.113.9', 'x-payflow-client-country': 'DE' },
      },
    );
    expect(confirmed).toMatchObject({ status: 202, body: { status: 'IN_REVIEW' } });
    await lookAt(paymentId);
    const [first, second] = service.fraud.questionsAbout(paymentId);
    expect({ ...second, at: '' }).toEqual({ ...first, at: '' });
    expect(second).toMatchObject({ ip: '203.0.113.9', ipCountry: 'DE', email: 'ann@example.com' });
    expect((await readBy(paymentId)).status).toBe('AUTHORIZED');
    const [row] = await service.database.query(
      'SELECT payer_ip, payer_ip_country, payer_email FROM payment_reviews WHERE payment_id = $1',
      [paymentId],
    );
    expect(row).toEqual({ payer_ip: null, payer_ip_country: null, payer_email: null });
  });

  it('what was said of one card does not count for another', async () => {
    const created = await service.post(
      '/payments',
      { amount: 1000, currency: 'USD' },
      { as: merchant.principal, key: freshKey() },
    );
    const paymentId = idOf(created);
    const token = service.vault.token(merchant.id, { number: '4000000000000002' });
    const authorize = async (members: Readonly<Record<string, unknown>>) =>
      await service.post(
        `/payments/${paymentId}/authorize`,
        { paymentMethod: { type: 'card', token: merchant.token }, ...members },
        { as: merchant.principal, key: freshKey() },
      );
    // As if the request with the good card had died between fraud's word and the intent.
    await fetch(`${service.environment['FRAUD_URL'] ?? ''}/internal/fraud/decisions`, {
      method: 'POST',
      headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
      body: JSON.stringify({
        ...service.fraud.questionsAbout(idOf(await service.authorize(merchant)))[0],
        subjectId: paymentId,
      }),
    });
    expect(service.fraud.decisionOn(paymentId).outcome).toBe('ALLOW');
    expect(await authorize({ paymentMethod: { type: 'card', token } })).toMatchObject({
      status: 200,
      body: { status: 'FAILED', lastError: { code: 'fraud_unavailable' } },
    });
    expect(await service.operations(paymentId)).toEqual([]);
  });

  it('a payment that waits fails a day later, when fraud has not come back', async () => {
    service.fraud.next('failure');
    const paymentId = idOf(await service.authorize(merchant, { amount: 5001 }));
    await lookAt(paymentId, { overdue: true });
    expect(await readBy(paymentId)).toMatchObject({ status: 'FAILED', lastError: { code: 'fraud_rejected' } });
  });

  it.each([
    [{ whenDown: 'refuse' }, 1000, { status: 'FAILED', lastError: { code: 'fraud_unavailable' } }],
    [{ whenDown: 'review' }, 1, { status: 'IN_REVIEW' }],
    [{ whenDown: 'allow_under', amountMax: 200 }, 200, { status: 'AUTHORIZED' }],
    [{ whenDown: 'allow_under', amountMax: 200 }, 201, { status: 'IN_REVIEW' }],
  ])('the policy %j of the merchant holds for a payment of %i', async (policy, amount, expected) => {
    await setPolicy(policy);
    service.fraud.next('failure');
    const answer = await service.authorize(merchant, { amount });
    expect(answer.body).toMatchObject(expected);
  });

  it('a payment does not wait longer than its budget, and after ten silent answers not at all', async () => {
    const silent = service.merchant();
    // It has answered just now: the ten are in a row.
    expect((await readBy(idOf(await service.authorize(silent)), silent.principal)).fraud?.policy).toBeNull();
    for (let n = 0; n < 10; n += 1) {
      service.fraud.next('hang');
      expect((await service.authorize(silent)).status).toBe(201);
    }
    const asked = service.fraud.asked.length;
    expect((await service.authorize(silent)).status).toBe(201);
    expect(service.fraud.asked).toHaveLength(asked);
    // It is asked again when it has been left alone for a second.
    await eventually(async () => {
      expect((await readBy(idOf(await service.authorize(silent)), silent.principal)).fraud?.policy).toBeNull();
    });
  });
});

describe('the policy of a merchant', () => {
  it('is what the installation says until staff set another', async () => {
    const path = `/merchants/${merchant.id}/fraud-policy`;
    expect((await service.get(path, RISK)).body).toEqual({
      merchantId: merchant.id,
      whenDown: 'allow_under',
      amountMax: 5000,
      isDefault: true,
    });
    await setPolicy({ whenDown: 'refuse' });
    expect((await service.get(path, RISK)).body).toMatchObject({ whenDown: 'refuse', amountMax: 0, isDefault: false });
  });

  it('is not for merchants, and nonsense is refused', async () => {
    const path = `/merchants/${merchant.id}/fraud-policy`;
    expect((await service.get(path, merchant.principal)).status).toBe(403);
    const put = async (body: unknown) => (await service.ask('PUT', path, body, { as: RISK, key: freshKey() })).status;
    expect(await put({ whenDown: 'pray' })).toBe(400);
    expect(await put({ whenDown: 'allow_under', amountMax: -1 })).toBe(400);
    expect(await put({ whenDown: 'allow_under', amountMax: 1.5 })).toBe(400);
    expect((await service.get('/merchants/mer_no/fraud-policy', RISK)).status).toBe(404);
  });
});
