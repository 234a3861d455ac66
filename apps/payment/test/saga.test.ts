import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ResolveOrders } from '../src/application/resolve-orders.js';
import { freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
/** Here nothing that never arrived is sent again: it is given up at once. */
let impatient: PaymentUnderTest;
beforeAll(async () => {
  [service, impatient] = await Promise.all([
    PaymentUnderTest.start(),
    PaymentUnderTest.start({ AUTHORIZATION_RESEND_SECONDS: '0' }),
  ]);
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect([...(await service.wrongs()), ...(await impatient.wrongs())]).toEqual([]);
  await Promise.all([service.stop(), impatient.stop()]);
});

const CAUSE = { requestId: 'req_test', principalId: 'svc_payment' };

const paymentOf = async (at: PaymentUnderTest, merchant: Merchant, paymentId: string) =>
  (await at.get(`/payments/${paymentId}`, merchant.principal)).body;

const attemptsOf = async (at: PaymentUnderTest, merchant: Merchant, paymentId: string) =>
  (await at.get(`/payments/${paymentId}/attempts`, merchant.principal)).body['data'] as readonly {
    readonly operation: string;
    readonly outcome: string;
    readonly inquiries: number;
    readonly nextInquiryAt: string | null;
  }[];

const outcomesOf = async (at: PaymentUnderTest, merchant: Merchant, paymentId: string) =>
  (await attemptsOf(at, merchant, paymentId)).map(({ operation, outcome }) => `${operation} ${outcome}`);

const arrivalsOf = async (at: PaymentUnderTest, paymentId: string) =>
  (await at.operations(paymentId)).map((reference) => at.acquirer.arrivalsOf(reference));

/** An authorization that the vault says nothing of: 202, and its id. */
const silentId = async (
  at: PaymentUnderTest,
  merchant: Merchant,
  mood: 'no answer after effect' | 'no answer without effect',
  members: object = {},
): Promise<string> => {
  at.vault.next(mood);
  const answer = await at.authorize(merchant, { ...members });
  if (answer.status !== 202) throw new Error(`given: ${answer.text}`);
  return answer.body['paymentId'] as string;
};

describe('an authorization that nobody answered', () => {
  it.each([
    ['had its effect is found, and not sent again', 'no answer after effect', 1],
    ['never arrived is sent once more under its own id', 'no answer without effect', 1],
  ] as const)('and %s', async (_what, mood, arrivals) => {
    const merchant = service.merchant();
    const paymentId = await silentId(service, merchant, mood);
    await service.recover(paymentId);
    expect(await paymentOf(service, merchant, paymentId)).toMatchObject({ status: 'AUTHORIZED', processing: null });
    expect(await arrivalsOf(service, paymentId)).toEqual([arrivals]);
    expect(await attemptsOf(service, merchant, paymentId)).toMatchObject([{ inquiries: 1, nextInquiryAt: null }]);
  });

  it('goes on to the capture of a sale, and finds that too when it is silent', async () => {
    const merchant = service.merchant();
    const paymentId = await silentId(service, merchant, 'no answer after effect', { capture: true });
    service.acquirer.next('capture', 'silent after effect');
    await service.recover(paymentId);
    expect(await paymentOf(service, merchant, paymentId)).toMatchObject({ status: 'PROCESSING' });
    await service.recover(paymentId);
    expect(await paymentOf(service, merchant, paymentId)).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000 });
    expect(await arrivalsOf(service, paymentId)).toEqual([1, 1]);
  });

  it('is sent by one of two runners: what the slower one learned by silence counts no more', async () => {
    const merchant = service.merchant();
    const paymentId = await silentId(service, merchant, 'no answer without effect');
    const [attemptId = ''] = await service.operations(paymentId);
    const held = service.acquirer.hold('inquiry');
    const orders = service.app.get(ResolveOrders);
    const slow = orders.resolve(paymentId, attemptId, CAUSE);
    await held.arrived;
    await orders.resolve(paymentId, attemptId, CAUSE);
    held.open();
    await slow;
    expect(await arrivalsOf(service, paymentId)).toEqual([1]);
    expect(await paymentOf(service, merchant, paymentId)).toMatchObject({ status: 'AUTHORIZED' });
  });

  it.each(['answered', 'silent'] as const)(
    'is given up when it is too old, and FAILED only when the acquirer has confirmed it: %s',
    async (reversal) => {
      const merchant = impatient.merchant();
      const paymentId = await silentId(impatient, merchant, 'no answer without effect');
      if (reversal === 'silent') impatient.acquirer.next('void', 'silent after effect');
      await impatient.recover(paymentId);
      if (reversal === 'silent') {
        expect(await paymentOf(impatient, merchant, paymentId)).toMatchObject({ status: 'PROCESSING' });
        await impatient.recover(paymentId);
      }
      expect(await paymentOf(impatient, merchant, paymentId)).toMatchObject({
        status: 'FAILED',
        lastError: { code: 'authorization_timed_out' },
      });
      expect(await outcomesOf(impatient, merchant, paymentId)).toEqual(['authorize failed', 'void approved']);
      expect(impatient.acquirer.held(await impatient.operations(paymentId))).toEqual([]);
    },
  );
});

describe('a cancel of what nobody answered', () => {
  it.each(['no answer after effect', 'no answer without effect'] as const)(
    'gives it back and does not send it again, however often it is asked about: %s',
    async (mood) => {
      const merchant = service.merchant();
      const paymentId = await silentId(service, merchant, mood);
      const arrived = await arrivalsOf(service, paymentId);
      service.acquirer.next('void', 'silent without effect', 'silent without effect');
      const cancel = await service.post(`/payments/${paymentId}/cancel`, {}, { as: merchant.principal });
      expect(cancel).toMatchObject({ status: 202, body: { status: 'PROCESSING' } });
      await service.recover(paymentId);
      await service.recover(paymentId);
      expect(await paymentOf(service, merchant, paymentId)).toMatchObject({ status: 'CANCELED', capturableAmount: 0 });
      expect((await arrivalsOf(service, paymentId)).slice(0, 1)).toEqual(arrived);
      expect(service.acquirer.held(await service.operations(paymentId))).toEqual([]);
    },
  );
});

describe('an approval that nobody wants', () => {
  it('is reversed when it comes after a refusal, and recorded as late_success', async () => {
    const merchant = service.merchant();
    service.acquirer.next('authorize', 'decline');
    const answer = await service.authorize(merchant, { capture: true });
    const paymentId = answer.body['paymentId'] as string;
    const [attemptId = ''] = await service.operations(paymentId);
    service.acquirer.decide(attemptId, 'approved');
    expect(service.acquirer.held([attemptId])).toEqual([attemptId]);
    const synced = await service.post(`/payments/${paymentId}/sync`, {}, { as: merchant.principal });
    expect(synced).toMatchObject({ status: 200, body: { status: 'FAILED', capturedAmount: 0 } });
    expect(await outcomesOf(service, merchant, paymentId)).toEqual(['authorize late_success', 'void approved']);
    expect(service.acquirer.held([attemptId])).toEqual([]);

    await service.post(`/payments/${paymentId}/sync`, {}, { as: merchant.principal });
    expect(await arrivalsOf(service, paymentId)).toEqual([1, 1]);
  });

  it.each(['answered', 'silent'] as const)(
    'for less than was asked fails the payment and is given back: reversal %s',
    async (reversal) => {
      const merchant = service.merchant();
      service.acquirer.next('authorize', 'part');
      if (reversal === 'silent') service.acquirer.next('void', 'silent without effect');
      const answer = await service.authorize(merchant);
      expect(answer).toMatchObject({
        status: 201,
        body: { status: 'FAILED', lastError: { code: 'partial_approval' }, authorizedAmount: 0 },
      });
      const paymentId = answer.body['paymentId'] as string;
      if (reversal === 'silent') await service.recover(paymentId);
      expect(await outcomesOf(service, merchant, paymentId)).toEqual(['authorize partial_approval', 'void approved']);
      expect(service.acquirer.held(await service.operations(paymentId))).toEqual([]);
    },
  );
});

describe('a payer who is asked to act', () => {
  it('is waited for without being handed to people, and asked about gently', async () => {
    const merchant = service.merchant();
    service.acquirer.next('authorize', 'challenge');
    const answer = await service.authorize(merchant);
    expect(answer).toMatchObject({ status: 202, body: { status: 'REQUIRES_ACTION' } });
    const paymentId = answer.body['paymentId'] as string;
    const [attemptId = ''] = await service.operations(paymentId);
    for (let inquiry = 0; inquiry < 6; inquiry += 1) await service.recover(paymentId);
    const [attempt] = await attemptsOf(service, merchant, paymentId);
    expect(attempt).toMatchObject({ outcome: 'action_required', inquiries: 6 });
    const [{ soon } = { soon: false }] = await service.database.query<{ soon: boolean }>(
      `SELECT next_recovery_at BETWEEN now() + interval '4 minutes' AND now() + interval '5 minutes' AS soon
         FROM payment_attempts WHERE attempt_id = $1`,
      [attemptId],
    );
    expect(soon).toBe(true);
    expect((await service.published(paymentId)).map(({ type }) => type)).not.toContain('payment.stuck.v1');

    service.acquirer.decide(attemptId, 'approved');
    await service.recover(paymentId);
    expect(await paymentOf(service, merchant, paymentId)).toMatchObject({ status: 'AUTHORIZED', nextAction: null });
  });

  it('and lets his time go by fails the payment, once the acquirer has confirmed that nothing is held', async () => {
    const merchant = service.merchant();
    service.acquirer.next('authorize', 'challenge');
    service.acquirer.challengeMs = -1_000;
    const answer = await service.authorize(merchant);
    service.acquirer.challengeMs = 600_000;
    const paymentId = answer.body['paymentId'] as string;
    await service.recover(paymentId);
    expect(await paymentOf(service, merchant, paymentId)).toMatchObject({
      status: 'FAILED',
      lastError: { code: 'authorization_timed_out' },
    });
  });
});

describe('a refund', () => {
  it('is PENDING until the acquirer has decided', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    service.acquirer.next('refund', 'pending');
    const answer = await service.post(`/payments/${paymentId}/refund`, { amount: 400 }, { as: merchant.principal });
    expect(answer).toMatchObject({ status: 202, body: { refundStatus: 'PENDING' } });
    await service.recover(paymentId);
    const refundId = answer.body['refundId'] as string;
    const refund = async () => (await service.get(`/refunds/${refundId}`, merchant.principal)).body;
    expect(await refund()).toMatchObject({ status: 'PENDING' });
    service.acquirer.decide(refundId, 'approved');
    await service.recover(paymentId);
    expect(await refund()).toMatchObject({ status: 'SUCCEEDED' });
    expect(service.acquirer.arrivalsOf(refundId)).toBe(1);
  });

  it('that succeeded and fails later is taken back, and its amount is refundable again', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const answer = await service.post(`/payments/${paymentId}/refund`, { amount: 400 }, { as: merchant.principal });
    service.acquirer.decide(answer.body['refundId'] as string, 'declined');
    const synced = await service.post(`/payments/${paymentId}/sync`, {}, { as: merchant.principal });
    expect(synced).toMatchObject({ status: 200, body: { status: 'CAPTURED', refundableAmount: 1000 } });
    expect((await service.published(paymentId)).at(-1)).toMatchObject({
      type: 'refund.failed.v1',
      payload: { reversed: true, amount: 400 },
    });
  });
});

describe('POST /payments/{id}/sync', () => {
  it('asks now: 202 while the acquirer has not decided, 200 when it has', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('capture', 'pending');
    await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal });
    const path = `/payments/${paymentId}/sync`;
    const asked = { as: merchant.principal, key: freshKey() };
    const before = await attemptsOf(service, merchant, paymentId);
    const early = await service.post(path, {}, asked);
    expect(early).toMatchObject({ status: 202, body: { status: 'PROCESSING', processing: { attempts: 0 } } });
    // Asking in between does not use the schedule up.
    expect(await attemptsOf(service, merchant, paymentId)).toEqual(before);

    service.acquirer.decide((await service.operations(paymentId)).at(-1) ?? '', 'approved');
    const late = await service.post(path, undefined, { as: merchant.principal, key: freshKey() });
    expect(late).toMatchObject({ status: 200, body: { status: 'CAPTURED' } });
    expect(late.headers.get('etag')).toBe(`"${String(late.body['version'])}"`);
    const replay = await service.post(path, {}, asked);
    expect([replay.status, replay.text, replay.headers.get('idempotent-replayed')]).toEqual([202, early.text, 'true']);
  });

  it('brings the word of an acquirer whose answer is still on its way', async () => {
    const merchant = service.merchant();
    const held = service.acquirer.hold('authorize');
    const slow = service.authorize(merchant, { reference: 'on-its-way' });
    await held.arrived;
    const list = await service.get('/payments?reference=on-its-way', merchant.principal);
    const [{ paymentId } = { paymentId: '' }] = list.body['data'] as readonly { paymentId: string }[];
    const synced = await service.post(`/payments/${paymentId}/sync`, {}, { as: merchant.principal });
    expect(synced).toMatchObject({ status: 200, body: { status: 'AUTHORIZED' } });
    held.open();
    expect(await slow).toMatchObject({ status: 201, body: { status: 'AUTHORIZED' } });
    expect(await arrivalsOf(service, paymentId)).toEqual([1]);
  });

  it("asks nobody about another merchant's payment, or about one that there is not", async () => {
    const paymentId = await service.authorizedId(service.merchant());
    const stranger = service.merchant();
    for (const id of [paymentId, 'pay_01kxyz6w3hf8btq2v9m4n70001', 'nonsense']) {
      const asked = { as: stranger.principal, key: freshKey() };
      const answer = await service.post(`/payments/${id}/sync`, {}, asked);
      expect(answer).toMatchObject({ status: 404, body: { code: 'payment_not_found' } });
    }
    expect(service.acquirer.inquiries).not.toContain((await service.operations(paymentId))[0]);
  });
});
