import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { AcquirerOutcome } from '../src/domain/commands.js';
import { OutcomeRecorder } from '../src/application/outcome-recorder.js';
import { takeUpDueOrders } from '../src/store/payment-attempts.js';
import { freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const orderOf = (merchant: Merchant, members: object = {}) => ({
  amount: 1000,
  currency: 'USD',
  paymentMethod: { type: 'card', token: merchant.token },
  ...members,
});

const outcomesOf = async (merchant: Merchant, paymentId: string): Promise<readonly unknown[]> => {
  const { body } = await service.get(`/payments/${paymentId}/attempts`, merchant.principal);
  return (body['data'] as readonly { operation: string; outcome: string }[]).map(
    ({ operation, outcome }) => `${operation} ${outcome}`,
  );
};

const report = async (
  paymentId: string,
  operationId: string,
  outcome: AcquirerOutcome,
  perhapsSentBefore = true,
): Promise<void> => {
  const cause = { requestId: 'req_inquiry', principalId: 'svc_payment' };
  await service.app
    .get(OutcomeRecorder)
    .record({ name: 'inquiry', paymentId, operationId, outcome, perhapsSentBefore, cause });
};

describe('when the acquirer does not answer', () => {
  it.each(['no answer after effect', 'no answer without effect'] as const)(
    'an authorization is PROCESSING, never FAILED: %s',
    async (mood) => {
      const merchant = service.merchant();
      const asked = { as: merchant.principal, key: freshKey() };
      service.vault.next(mood);
      const answer = await service.post('/payments/authorize', orderOf(merchant), asked);
      expect(answer).toMatchObject({
        status: 202,
        body: { status: 'PROCESSING', processing: { reason: 'no_answer' }, authorizedAmount: 0, lastError: null },
      });
      const replay = await service.post('/payments/authorize', orderOf(merchant), asked);
      expect([replay.status, replay.text]).toEqual([202, answer.text]);

      const paymentId = answer.body['paymentId'] as string;
      expect(await outcomesOf(merchant, paymentId)).toEqual(['authorize unknown']);
      const capture = await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal });
      expect(capture).toMatchObject({ status: 409, body: { code: 'payment_not_capturable' } });
      expect((await service.published(paymentId)).map(({ type }) => type)).toEqual(['payment.created.v1']);
    },
  );

  it.each([
    ['silent after effect', 'no_answer'],
    ['silent without effect', 'no_answer'],
    ['server error', 'acquirer_error'],
    ['nonsense', 'unintelligible_answer'],
    ['pending', 'acquirer_pending'],
    ['busy', 'acquirer_busy'],
  ] as const)('a capture stays an order, with its amount counted: %s', async (mood, reason) => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    const asked = { as: merchant.principal, key: freshKey() };
    service.acquirer.next('capture', mood);
    const answer = await service.post(`/payments/${paymentId}/capture`, { amount: 600, final: false }, asked);
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'PROCESSING', processing: { reason }, capturedAmount: 0, capturableAmount: 400 },
    });
    expect(await outcomesOf(merchant, paymentId)).toEqual(['authorize approved', 'capture unknown']);
    const replay = await service.post(`/payments/${paymentId}/capture`, { amount: 600, final: false }, asked);
    expect([replay.status, replay.text]).toEqual([202, answer.text]);
  });

  it('a cancel stays an order', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('void', 'silent after effect');
    const answer = await service.post(`/payments/${paymentId}/cancel`, {}, { as: merchant.principal });
    expect(answer).toMatchObject({ status: 202, body: { status: 'PROCESSING' } });
    const capture = await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal });
    expect(capture).toMatchObject({ status: 409, body: { code: 'payment_not_capturable' } });
  });

  it('a refund is PENDING, the payment is what it was, and the amount is not refundable twice', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    service.acquirer.next('refund', 'silent after effect');
    const ask = () => ({ as: merchant.principal, key: freshKey() });
    const answer = await service.post(`/payments/${paymentId}/refund`, { amount: 700 }, ask());
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'PENDING', refundStatus: 'PENDING', paymentStatus: 'CAPTURED', refundedAmount: 700 },
    });
    const second = await service.post(`/payments/${paymentId}/refund`, { amount: 700 }, ask());
    expect(second).toMatchObject({ status: 409, body: { code: 'refund_exceeds_captured', refundable: 300 } });
  });

  it('a sale whose capture is silent is PROCESSING with the money held', async () => {
    const merchant = service.merchant();
    service.acquirer.next('capture', 'silent without effect');
    const sale = await service.authorize(merchant, { capture: true });
    expect(sale).toMatchObject({
      status: 202,
      body: { status: 'PROCESSING', authorizedAmount: 1000, capturedAmount: 0 },
    });
  });
});

describe('the answer that comes later', () => {
  it('is recorded by the same decision, once, whoever brings it', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('capture', 'silent after effect');
    await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal });
    const captureId = (await service.operations(paymentId)).at(-1) ?? '';
    const approved: AcquirerOutcome = { kind: 'approved', acquirerReference: 'sim_late' };
    await Promise.all(Array.from({ length: 10 }, async () => await report(paymentId, captureId, approved)));
    const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000, processing: null });
    expect((await service.published(paymentId)).map(({ type }) => type)).toEqual([
      'payment.created.v1',
      'payment.authorized.v1',
      'payment.captured.v1',
    ]);
  });

  it('overwrites nothing when it contradicts the record', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const before = await service.get(`/payments/${paymentId}`, merchant.principal);
    for (const operationId of await service.operations(paymentId)) {
      await report(paymentId, operationId, {
        kind: 'declined',
        code: 'card_declined',
        declineCode: null,
        adviceCode: null,
        message: 'Never mind.',
        technical: false,
      });
    }
    const after = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(after.text).toBe(before.text);
  });
});

describe('recovery', () => {
  it.each(['no answer after effect', 'no answer without effect'] as const)(
    'sends a silent authorization again under its own id, and it is authorized once: %s',
    async (mood) => {
      const merchant = service.merchant();
      service.vault.next(mood);
      const asked = await service.authorize(merchant);
      expect(asked).toMatchObject({ status: 202, body: { status: 'PROCESSING' } });
      const paymentId = asked.body['paymentId'] as string;
      const before = await service.get(`/payments/${paymentId}`, merchant.principal);
      const nextInquiryAt: unknown = expect.stringMatching(/Z$/);
      expect(before.body).toMatchObject({ processing: { attempts: 0, nextInquiryAt } });

      await service.recover(paymentId);
      const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
      expect(body).toMatchObject({ status: 'AUTHORIZED', processing: null });
      expect(service.acquirer.approved('authorize', await service.operations(paymentId))).toHaveLength(1);
    },
  );

  it('goes on with the capture of a sale', async () => {
    const merchant = service.merchant();
    service.vault.next('no answer after effect');
    const sale = await service.authorize(merchant, { capture: true });
    const paymentId = sale.body['paymentId'] as string;
    await service.recover(paymentId);
    const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(body).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000 });
  });

  it.each([
    ['capture', 'capture', false, 'CAPTURED'],
    ['cancel', 'void', false, 'CANCELED'],
    ['refund', 'refund', true, 'REFUNDED'],
  ] as const)('closes a silent %s, once, however many instances take it up', async (route, operation, sale, status) => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant, { capture: sale });
    service.acquirer.next(operation, 'silent after effect');
    const asked = await service.post(`/payments/${paymentId}/${route}`, {}, { as: merchant.principal });
    expect(asked.status).toBe(202);
    await service.recoverAtOnce(paymentId, 2);
    const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(body).toMatchObject({ status });
    expect(service.acquirer.approved(operation, await service.operations(paymentId))).toHaveLength(1);
  });

  it('does not take silence that goes on for a no, and tries again later', async () => {
    const merchant = service.merchant();
    service.vault.next('no answer after effect');
    service.acquirer.next('inquiry', 'server error', 'silent without effect');
    const asked = await service.authorize(merchant);
    const paymentId = asked.body['paymentId'] as string;
    await service.recover(paymentId);
    await service.recover(paymentId);
    const { body } = await service.get(`/payments/${paymentId}`, merchant.principal);
    expect(body).toMatchObject({ status: 'PROCESSING', lastError: null, processing: { attempts: 2 } });
    await service.recover(paymentId);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      status: 'AUTHORIZED',
    });
  });

  it('takes up what a process left behind that died without a key', async () => {
    const merchant = service.merchant();
    const held = service.acquirer.hold('authorize');
    const dying = service.post('/payments/authorize', orderOf(merchant, { reference: 'left-behind' }), {
      as: merchant.principal,
    });
    await held.arrived;
    const list = await service.get('/payments?reference=left-behind', merchant.principal);
    const [payment] = list.body['data'] as readonly { paymentId: string; status: string }[];
    expect(payment).toMatchObject({ status: 'PENDING' });
    await service.recover(payment?.paymentId ?? '');
    const { body } = await service.get(`/payments/${payment?.paymentId ?? ''}`, merchant.principal);
    expect(body).toMatchObject({ status: 'AUTHORIZED' });
    held.open();
    await dying;
    const after = await service.get(`/payments/${payment?.paymentId ?? ''}`, merchant.principal);
    expect(after.body).toMatchObject({ status: 'AUTHORIZED' });
  });
});

describe('when the request certainly was not sent', () => {
  it('an authorization that recovery has taken up meanwhile stays open: it may be on its way there', async () => {
    const merchant = service.merchant();
    const held = service.acquirer.hold('authorize');
    const asked = { as: merchant.principal, key: freshKey() };
    const slow = service.post('/payments/authorize', orderOf(merchant, { reference: 'held-up' }), asked);
    await held.arrived;
    const list = await service.get('/payments?reference=held-up', merchant.principal);
    const [{ paymentId } = { paymentId: '' }] = list.body['data'] as readonly { paymentId: string }[];
    const [attempt = ''] = await service.operations(paymentId);
    await service.database.execute('UPDATE payment_attempts SET next_recovery_at = now() WHERE attempt_id = $1', [
      attempt,
    ]);
    expect(await takeUpDueOrders(service.database, 60_000, 20)).toMatchObject([
      { attempt_id: attempt, payment_id: paymentId, fence: 1 },
    ]);

    await report(paymentId, attempt, { kind: 'not_sent', reason: 'acquirer_unreachable' }, false);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      status: 'PROCESSING',
      lastError: null,
    });
    held.open();
    expect(await slow).toMatchObject({ status: 201, body: { status: 'AUTHORIZED' } });
  });

  it('an authorization is sent again under the same attempt, and goes through', async () => {
    const merchant = service.merchant();
    service.vault.next('not sent', 'not sent');
    const answer = await service.authorize(merchant);
    expect(answer).toMatchObject({ status: 201, body: { status: 'AUTHORIZED' } });
    const [attempt = ''] = await service.operations(answer.body['paymentId'] as string);
    expect(service.vault.forwarded.filter(({ attemptId }) => attemptId === attempt)).toHaveLength(3);
    expect(service.acquirer.arrivalsOf(attempt)).toBe(1);
  });

  it('an authorization fails after a few tries, since nothing was reserved', async () => {
    const merchant = service.merchant();
    service.vault.next('not sent', 'not sent', 'not sent');
    const answer = await service.authorize(merchant, { capture: true });
    expect(answer).toMatchObject({
      status: 201,
      body: { status: 'FAILED', lastError: { code: 'acquirer_unavailable', adviceCode: 'try_again_later' } },
    });
    expect(await outcomesOf(merchant, answer.body['paymentId'] as string)).toEqual(['authorize failed']);
  });
});

describe('when the process that runs a request dies', () => {
  it('the same key goes on with the same attempt, and the money is held once', async () => {
    const merchant = service.merchant();
    const token = service.vault.token(merchant.id, { reusable: false });
    const order = orderOf(merchant, { paymentMethod: { type: 'card', token } });
    const asked = { as: merchant.principal, key: freshKey() };
    const held = service.acquirer.hold('authorize');
    const dying = service.post('/payments/authorize', order, asked);
    await held.arrived;
    const early = await service.post('/payments/authorize', order, asked);
    expect(early).toMatchObject({ status: 409, body: { code: 'idempotency_key_in_use' } });

    await service.endLease(asked.key);
    const resumed = await service.post('/payments/authorize', order, asked);
    expect(resumed).toMatchObject({ status: 201, body: { status: 'AUTHORIZED' } });
    const attempts = await service.operations(resumed.body['paymentId'] as string);
    expect(attempts.map((attempt) => service.acquirer.arrivalsOf(attempt))).toEqual([2]);
    expect(service.acquirer.approved('authorize', attempts)).toHaveLength(1);

    // The dead one comes back to life: the fence has moved on, so its word counts for nothing.
    held.open();
    expect(await dying).toMatchObject({ status: 409, body: { code: 'concurrent_update' } });
    const replay = await service.post('/payments/authorize', order, asked);
    expect([replay.status, replay.text]).toEqual([201, resumed.text]);
    expect(await service.get('/payments', merchant.principal)).toMatchObject({
      body: { data: [{ status: 'AUTHORIZED' }] },
    });
  });

  it('a sale that was authorized goes on with its capture', async () => {
    const merchant = service.merchant();
    const asked = { as: merchant.principal, key: freshKey() };
    const held = service.acquirer.hold('capture');
    const dying = service.post('/payments/authorize', orderOf(merchant, { capture: true }), asked);
    await held.arrived;
    await service.endLease(asked.key);
    const resumed = await service.post('/payments/authorize', orderOf(merchant, { capture: true }), asked);
    expect(resumed).toMatchObject({ status: 201, body: { status: 'CAPTURED', capturedAmount: 1000 } });
    held.open();
    expect((await dying).status).toBe(409);
    const operations = await service.operations(resumed.body['paymentId'] as string);
    expect(operations.map((id) => service.acquirer.arrivalsOf(id))).toEqual([1, 2]);
    expect(service.acquirer.approved('capture', operations)).toHaveLength(1);
  });

  it.each([
    ['capture', 'capture', { amount: 600 }],
    ['cancel', 'void', {}],
    ['refund', 'refund', { amount: 600 }],
  ] as const)('a %s goes on under its own id', async (route, operation, body) => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant, { capture: route === 'refund' });
    const asked = { as: merchant.principal, key: freshKey() };
    const held = service.acquirer.hold(operation);
    const dying = service.post(`/payments/${paymentId}/${route}`, body, asked);
    await held.arrived;
    await service.endLease(asked.key);
    const resumed = await service.post(`/payments/${paymentId}/${route}`, body, asked);
    expect(resumed.status).toBe(200);
    held.open();
    expect((await dying).status).toBe(409);
    const operations = await service.operations(paymentId);
    expect(service.acquirer.arrivalsOf(operations.at(-1) ?? '')).toBe(2);
    expect(service.acquirer.approved(operation, operations)).toHaveLength(1);
    const replay = await service.post(`/payments/${paymentId}/${route}`, body, asked);
    expect(replay.text).toBe(resumed.text);
  });
});
