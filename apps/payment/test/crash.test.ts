import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, freePort } from '@payflow/testing';

import { InquireDisputes } from '../src/application/inquire-disputes.js';
import { SendOrders } from '../src/application/send-orders.js';
import { WatchDisputes } from '../src/application/watch-disputes.js';
import { WatchReviews } from '../src/application/watch-reviews.js';
import { freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

// Each test starts a process, which takes its time when the machine is busy.
jest.setTimeout(60_000);

/** The instance that lives. Those that die have the same database, vault and acquirer. */
let service: PaymentUnderTest;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

/** An instance as a process of its own, which kills itself at that place. */
const startDoomed = async (
  crash: string,
  settings: Readonly<Record<string, string>> = {},
  beside = service,
): Promise<{ readonly url: string; readonly died: Promise<unknown> }> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = fork(new URL('../src/main.ts', import.meta.url), {
    execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
    env: { ...beside.environment, PATH: process.env['PATH'], PORT: String(port), PAYFLOW_CRASH: crash, ...settings },
    stdio: 'ignore',
  });
  running.add(child);
  const died = once(child, 'exit').then(([, signal]: unknown[]) => {
    running.delete(child);
    return signal;
  });
  await eventually(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200), { timeoutMs: 50_000 });
  return { url, died };
};

/** Asks the doomed instance, and after its death, lease and all, the living one, with the same key. */
const askTwice = async (crash: string, merchant: Merchant, path: string, body: object, living = service) => {
  const key = freshKey();
  const doomed = await startDoomed(crash, {}, living);
  const lost = fetch(`${doomed.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: await living.authorization(merchant.principal),
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify(body),
  });
  await expect(lost).rejects.toThrow();
  expect(await doomed.died).toBe('SIGKILL');
  await living.database.execute(
    `UPDATE idempotency_keys SET lease_until = now() - interval '1 second' WHERE key = $1 AND state = 'running'`,
    [key],
  );
  const answer = await living.post(path, body, { as: merchant.principal, key });
  const replay = await living.post(path, body, { as: merchant.principal, key });
  expect([replay.status, replay.text]).toEqual([answer.status, answer.text]);
  return answer;
};

const orderOf = (owner: PaymentUnderTest, merchant: Merchant) => ({
  amount: 1000,
  currency: 'USD',
  capture: true,
  paymentMethod: { type: 'card', token: owner.vault.token(merchant.id, { reusable: false }) },
});

describe('killed in the middle of a request, the payment goes on under the same key, and the money moves once', () => {
  it.each([
    'idempotency.after-claim',
    'payment.authorize.after-intent-commit',
    'payment.authorize.before-psp',
    'payment.authorize.after-psp',
    'payment.authorize.before-outcome-commit',
    'payment.authorize.after-outcome-commit',
    'payment.authorize.before-psp@2',
    'payment.authorize.after-psp@2',
    'payment.authorize.before-outcome-commit@2',
    'payment.authorize.after-outcome-commit@2',
    'payment.authorize.before-answer',
  ])('a sale at %s', async (crash) => {
    const merchant = service.merchant();
    const answer = await askTwice(crash, merchant, '/payments/authorize', orderOf(service, merchant));
    expect(answer).toMatchObject({ status: 201, body: { status: 'CAPTURED', capturedAmount: 1000 } });
    const { body } = await service.get('/payments', merchant.principal);
    expect(body['data']).toMatchObject([{ paymentId: answer.body['paymentId'] }]);
    const operations = await service.operations(answer.body['paymentId'] as string);
    expect(operations).toHaveLength(2);
    expect(service.acquirer.approved('authorize', operations)).toHaveLength(1);
    expect(service.acquirer.approved('capture', operations)).toHaveLength(1);
    expect((await service.published(answer.body['paymentId'] as string)).map(({ type }) => type)).toEqual([
      'payment.created.v1',
      'payment.authorized.v1',
      'payment.captured.v1',
    ]);
  });

  it.each([
    ['capture', 'after-intent-commit'],
    ['capture', 'after-psp'],
    ['capture', 'after-outcome-commit'],
    ['refund', 'after-intent-commit'],
    ['refund', 'after-psp'],
    ['refund', 'before-answer'],
    ['cancel', 'after-psp'],
  ] as const)('a %s at %s', async (route, place) => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant, { capture: route === 'refund' });
    const answer = await askTwice(`payment.${route}.${place}`, merchant, `/payments/${paymentId}/${route}`, {});
    expect(answer.status).toBe(200);
    const operation = route === 'cancel' ? 'void' : route;
    expect(service.acquirer.approved(operation, await service.operations(paymentId))).toHaveLength(1);
  });
});

describe('killed while it finds out what nobody answered, another goes on, and the money moves once', () => {
  it.each([
    ['no answer after effect', 'payment.recover.after-inquiry'],
    ['no answer after effect', 'payment.recover.before-outcome-commit'],
    ['no answer after effect', 'payment.recover.after-outcome-commit'],
    ['no answer without effect', 'payment.recover.after-inquiry'],
    ['no answer without effect', 'payment.recover.before-psp'],
    ['no answer without effect', 'payment.recover.after-psp'],
    ['no answer without effect', 'payment.recover.after-psp@2'],
    ['no answer without effect', 'payment.recover.after-outcome-commit'],
  ] as const)('a sale with %s at %s', async (mood, crash) => {
    const doomed = await startDoomed(crash);
    const merchant = service.merchant();
    service.vault.next(mood);
    const answer = await service.authorize(merchant, { capture: true });
    expect(answer.status).toBe(202);
    const paymentId = answer.body['paymentId'] as string;
    await service.makeDue(paymentId);
    expect(await doomed.died).toBe('SIGKILL');

    await service.recover(paymentId);
    const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000 });
    const operations = await service.operations(paymentId);
    expect(operations).toHaveLength(2);
    expect(service.acquirer.approved('authorize', operations)).toHaveLength(1);
    expect(service.acquirer.approved('capture', operations)).toHaveLength(1);
    expect((await service.published(paymentId)).map(({ type }) => type)).toEqual([
      'payment.created.v1',
      'payment.authorized.v1',
      'payment.captured.v1',
    ]);
  });

  it.each(['payment.recover.after-give-up', 'payment.recover.after-psp', 'payment.recover.before-outcome-commit'])(
    'an authorization that is given up at %s',
    async (crash) => {
      const doomed = await startDoomed(crash, { AUTHORIZATION_RESEND_SECONDS: '0' });
      const merchant = service.merchant();
      service.vault.next('no answer without effect');
      const answer = await service.authorize(merchant);
      const paymentId = answer.body['paymentId'] as string;
      await service.makeDue(paymentId);
      expect(await doomed.died).toBe('SIGKILL');

      // The one that lives would send it, were it not being given back.
      await service.recover(paymentId);
      const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
      expect(body).toMatchObject({ status: 'FAILED', lastError: { code: 'authorization_timed_out' } });
      const [attemptId = ''] = await service.operations(paymentId);
      expect(service.acquirer.arrivalsOf(attemptId)).toBe(0);
    },
  );
});

describe('killed while people, or fraud, have a say, nobody is asked twice and the money moves once', () => {
  let judged: PaymentUnderTest;
  beforeAll(async () => {
    // A process that has just begun takes its time with its first question.
    judged = await PaymentUnderTest.startWithFraud({ FRAUD_BUDGET_MS: '5000' });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    expect(await judged.wrongs()).toEqual([]);
    await judged.stop();
  });

  it.each([
    // Before anything was written: the repetition is another payment, which is judged anew.
    ['idempotency.after-claim', 'ALLOW', 'CAPTURED', 2],
    ['payment.authorize.after-intent-commit', 'ALLOW', 'CAPTURED', 1],
    ['payment.authorize.after-psp', 'ALLOW', 'CAPTURED', 1],
    ['payment.authorize.after-intent-commit', 'BLOCK', 'FAILED', 1],
    ['payment.authorize.before-answer', 'REVIEW', 'IN_REVIEW', 1],
  ] as const)('at %s of a payment of which fraud says %s', async (crash, outcome, status, questions) => {
    const merchant = judged.merchant();
    judged.fraud.next(outcome);
    const answer = await askTwice(crash, merchant, '/payments/authorize', orderOf(judged, merchant), judged);
    expect(answer.body['status']).toBe(status);
    const { body } = await judged.get('/payments', merchant.principal);
    expect(body['data']).toMatchObject([{ paymentId: answer.body['paymentId'] }]);
    expect(judged.fraud.asked.filter(({ merchantId }) => merchantId === merchant.id)).toHaveLength(questions);
    const operations = await judged.operations(answer.body['paymentId'] as string);
    expect(judged.acquirer.approved('authorize', operations)).toHaveLength(status === 'CAPTURED' ? 1 : 0);
  });

  it.each([
    'payment.review.after-judgement',
    'payment.review.before-send',
    'payment.recover.before-psp',
    'payment.recover.after-psp',
    'payment.recover.before-outcome-commit',
    'payment.recover.after-outcome-commit',
  ])('at %s of a sale that had waited until fraud was back', async (crash) => {
    const merchant = judged.merchant();
    judged.fraud.next('failure');
    const amount = 60_000;
    const answer = await judged.authorize(merchant, { amount, capture: true });
    expect(answer).toMatchObject({ status: 202, body: { status: 'IN_REVIEW' } });
    const paymentId = answer.body['paymentId'] as string;
    const makeReviewDue = async (): Promise<void> => {
      await judged.database.execute(
        'UPDATE payment_reviews SET next_look_at = now() WHERE payment_id = $1 AND next_look_at IS NOT NULL',
        [paymentId],
      );
    };
    // It runs the timers; the one that lives does not, until it is told to.
    const doomed = await startDoomed(crash, {}, judged);
    await makeReviewDue();
    expect(await doomed.died).toBe('SIGKILL');

    await makeReviewDue();
    await judged.app.get(WatchReviews).pass();
    await judged.app.get(SendOrders).settled();
    await judged.recoverWhatIsOpen(paymentId);
    const read = await judged.get(`/payments/${paymentId}`, merchant.principal);
    expect(read.body).toMatchObject({ status: 'CAPTURED', capturedAmount: amount });
    const operations = await judged.operations(paymentId);
    expect(operations).toHaveLength(2);
    expect(judged.acquirer.approved('authorize', operations)).toHaveLength(1);
    expect(judged.acquirer.approved('capture', operations)).toHaveLength(1);
    expect((await judged.published(paymentId)).map(({ type }) => type)).toEqual([
      'payment.created.v1',
      'payment.in_review.v1',
      'payment.authorized.v1',
      'payment.captured.v1',
    ]);
  });
});

describe('killed while a dispute is answered, the payment tells the acquirer once, in effect', () => {
  /** A captured payment of 1000 that is disputed, and known to be. */
  const disputed = async (merchant: Merchant) => {
    const paymentId = await service.capturedId(merchant);
    const [attempt = ''] = await service.operations(paymentId);
    const authorizationId = service.acquirer.authorizationOf(attempt);
    const told = service.acquirer.disputes.raise({ paymentId, authorizationId, amount: 1000 });
    const cause = { requestId: 'test', principalId: 'psp:sim' };
    await service.app.get(InquireDisputes).ask('sim', told.disputeId, cause);
    const { body } = await service.get(`/disputes?paymentId=${paymentId}`, merchant.principal);
    const [dispute] = body['data'] as readonly { readonly disputeId: string }[];
    return { paymentId, told, disputeId: dispute?.disputeId ?? '' };
  };
  const look = async (paymentId: string): Promise<void> => {
    await service.database.execute(
      'UPDATE disputes SET next_look_at = now() WHERE payment_id = $1 AND next_look_at IS NOT NULL',
      [paymentId],
    );
    await service.app.get(WatchDisputes).pass();
  };
  const expectAccepted = async (
    merchant: Merchant,
    { paymentId, disputeId, told }: Awaited<ReturnType<typeof disputed>>,
  ): Promise<void> => {
    const read = await service.get(`/disputes/${disputeId}`, merchant.principal);
    expect(read.body).toMatchObject({ status: 'ACCEPTED', response: 'accept' });
    const responses = service.acquirer.disputes.responses.filter((response) => response.disputeId === told.disputeId);
    expect(new Set(responses.map(({ reference }) => reference))).toEqual(new Set([disputeId]));
    expect((await service.published(paymentId)).map(({ type }) => type).slice(-2)).toEqual([
      'dispute.opened.v1',
      'dispute.closed.v1',
    ]);
  };

  it.each(['idempotency.before-commit', 'idempotency.before-answer'])('at %s of the request', async (crash) => {
    const merchant = service.merchant();
    const given = await disputed(merchant);
    const answer = await askTwice(crash, merchant, `/disputes/${given.disputeId}/accept`, {});
    expect(answer).toMatchObject({ status: 202, body: { response: 'accept' } });
    await look(given.paymentId);
    await expectAccepted(merchant, given);
  });

  it.each(['payment.dispute.before-psp', 'payment.dispute.after-psp', 'payment.dispute.before-record-commit'])(
    'at %s',
    async (crash) => {
      const merchant = service.merchant();
      const given = await disputed(merchant);
      // It runs the timers; the one that lives does not, until it is told to.
      const doomed = await startDoomed(crash);
      await service.post(`/disputes/${given.disputeId}/accept`, {}, { as: merchant.principal, key: freshKey() });
      expect(await doomed.died).toBe('SIGKILL');
      await look(given.paymentId);
      await expectAccepted(merchant, given);
    },
  );
});
