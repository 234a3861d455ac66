import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { OutcomeRecorder } from '../src/application/outcome-recorder.js';
import { ADMIN, freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start({ RECOVERY_DELAYS_SECONDS: '86400,86400' });
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

interface Shown {
  readonly exceptionId: string;
  readonly kind: string;
  readonly resolvedBy: string | null;
  readonly resolution: string | null;
}

const exceptionsOf = async (paymentId: string, filter = ''): Promise<readonly Shown[]> =>
  (await service.get(`/payment-exceptions?paymentId=${paymentId}${filter}`, ADMIN)).body['data'] as readonly Shown[];

/** A capture that no inquiry has found an answer to. */
const stuckId = async (merchant: Merchant): Promise<string> => {
  const paymentId = await service.authorizedId(merchant);
  service.acquirer.next('capture', 'pending');
  await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal });
  await service.recover(paymentId);
  await service.recover(paymentId);
  return paymentId;
};

describe('an order past its last inquiry', () => {
  it('is handed to people once, goes on being asked about, and resolves itself when it ends', async () => {
    const merchant = service.merchant();
    const paymentId = await stuckId(merchant);
    await service.recover(paymentId);
    expect(await exceptionsOf(paymentId, '&open=true')).toMatchObject([
      { kind: 'stuck', detail: { operation: 'capture', acquirer: 'sim', inquiries: 2 }, resolvedAt: null },
    ]);
    const stuck = (await service.published(paymentId)).filter(({ type }) => type === 'payment.stuck.v1');
    expect(stuck).toMatchObject([{ payload: { operation: 'capture', inquiries: 2 } }]);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      status: 'PROCESSING',
      processing: { attempts: 3 },
    });

    service.acquirer.decide((await service.operations(paymentId)).at(-1) ?? '', 'approved');
    await service.recover(paymentId);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      status: 'CAPTURED',
    });
    expect(await exceptionsOf(paymentId, '&open=true')).toEqual([]);
    expect(await exceptionsOf(paymentId, '&open=false')).toMatchObject([
      { kind: 'stuck', resolvedBy: 'svc_payment', resolution: 'It has ended: approved.' },
    ]);
  });
});

describe('an order whose answer cannot be recorded', () => {
  it('comes to people too, on the same schedule', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('capture', 'silent after effect');
    await service.post(`/payments/${paymentId}/capture`, {}, { as: merchant.principal });
    const broken = jest.spyOn(service.app.get(OutcomeRecorder), 'record').mockRejectedValue(new Error('a bug'));
    await service.recover(paymentId);
    await service.recover(paymentId);
    broken.mockRestore();
    expect(await exceptionsOf(paymentId, '&open=true')).toMatchObject([{ kind: 'stuck', detail: { inquiries: 2 } }]);

    await service.recover(paymentId);
    expect(await exceptionsOf(paymentId, '&open=true')).toEqual([]);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      status: 'CAPTURED',
    });
  });
});

describe('a contradiction', () => {
  it('is one case with both words in it, told ten times at once', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const operationId = (await service.operations(paymentId)).at(-1) ?? '';
    const recorder = service.app.get(OutcomeRecorder);
    const declined = {
      kind: 'declined',
      code: 'capture_declined',
      declineCode: 'processing_error',
      adviceCode: null,
      message: 'No.',
      technical: false,
    } as const;
    const cause = { requestId: 'req_contradiction', principalId: 'psp:sim' };
    const report = { name: 'recover', paymentId, operationId, outcome: declined, perhapsSentBefore: true, cause };
    await Promise.all(Array.from({ length: 10 }, async () => await recorder.record(report)));
    expect(await exceptionsOf(paymentId)).toMatchObject([
      {
        kind: 'contradiction',
        operationId,
        detail: {
          recorded: { state: 'approved' },
          reported: { outcome: 'declined', declineCode: 'processing_error', requestId: 'req_contradiction' },
        },
      },
    ]);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      status: 'CAPTURED',
    });
  });

  it('is none when a try that never left the house comes to nothing after another was approved', async () => {
    const paymentId = await service.capturedId(service.merchant());
    const cause = { requestId: 'req_late', principalId: 'svc_payment' };
    for (const operationId of await service.operations(paymentId)) {
      const outcome = { kind: 'not_sent', reason: 'acquirer_unreachable' } as const;
      const report = { name: 'recover', paymentId, operationId, outcome, perhapsSentBefore: false, cause };
      expect((await service.app.get(OutcomeRecorder).record(report)).isNews).toBe(false);
    }
    expect(await exceptionsOf(paymentId)).toEqual([]);
  });
});

describe('a reversal that the acquirer declines', () => {
  it('is for people: money is held that nobody wants', async () => {
    service.acquirer.next('authorize', 'part');
    service.acquirer.next('void', 'decline');
    const answer = await service.authorize(service.merchant());
    expect(await exceptionsOf(answer.body['paymentId'] as string)).toMatchObject([
      { kind: 'void_declined', detail: { cause: 'unwanted_approval', failure: { declineCode: 'processing_error' } } },
    ]);
  });

  it("is not when it was the merchant's own cancel: he is told", async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    service.acquirer.next('void', 'decline');
    const answer = await service.post(`/payments/${paymentId}/cancel`, {}, { as: merchant.principal });
    expect(answer).toMatchObject({ status: 422, body: { code: 'cancel_declined' } });
    expect(await exceptionsOf(paymentId)).toEqual([]);
  });
});

describe('the work list', () => {
  it('pages, filters, and is for staff only', async () => {
    const paymentId = await stuckId(service.merchant());
    await stuckId(service.merchant());
    const first = await service.get('/payment-exceptions?kind=stuck&limit=1', ADMIN);
    expect(first.body['data']).toHaveLength(1);
    const next = await service.get(
      `/payment-exceptions?kind=stuck&limit=1&cursor=${String(first.body['nextCursor'])}`,
      ADMIN,
    );
    expect(next.body['data']).toMatchObject([{ paymentId }]);
    expect(await exceptionsOf(paymentId, '&kind=contradiction')).toEqual([]);
    expect((await service.get('/payment-exceptions?kind=other', ADMIN)).status).toBe(400);
    expect((await service.get('/payment-exceptions', service.merchant().principal)).status).toBe(403);
  });

  it('is worked off with a word on what was found, once', async () => {
    const paymentId = await stuckId(service.merchant());
    const [{ exceptionId } = { exceptionId: '' }] = await exceptionsOf(paymentId);
    const path = `/payment-exceptions/${exceptionId}/resolve`;
    const body = { resolution: 'The acquirer has booked it; settled by hand.' };
    const asked = { as: ADMIN, key: freshKey() };
    const answer = await service.post(path, body, asked);
    expect(answer).toMatchObject({ status: 200, body: { resolvedBy: ADMIN.id, ...body } });
    const replay = await service.post(path, body, asked);
    expect([replay.status, replay.text]).toEqual([200, answer.text]);
    expect(await service.post(path, body, { as: ADMIN, key: freshKey() })).toMatchObject({
      status: 409,
      body: { code: 'payment_exception_resolved' },
    });
    const unknown = '/payment-exceptions/pex_01kxyz6w3hf8btq2v9m4n70001/resolve';
    expect(await service.post(unknown, body, { as: ADMIN })).toMatchObject({
      status: 404,
      body: { code: 'payment_exception_not_found' },
    });
    expect((await service.post(path, body, { as: service.merchant().principal })).status).toBe(403);
  });
});
