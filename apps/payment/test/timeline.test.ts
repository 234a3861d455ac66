import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { paymentTimelineSchema, type TimelineItem, type TimelineKind, type TimelinePart } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { userPrincipal } from '@payflow/testing';

import { ContractServer } from './contract-server.js';
import { ADMIN, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

/** One list out of all services, also when one of them does not answer. */
const NOTHING: TimelinePart = { items: [], truncated: false };

/** Another service as payment asks it: its part, silence, or something else altogether. */
class PartFake {
  part: unknown = NOTHING;
  readonly server: ContractServer = new ContractServer(({ path, headers }) =>
    headers.authorization?.startsWith('Bearer ') === true && /^\/internal\/timeline\/pay_\w+$/.test(path)
      ? { status: 200, body: this.part }
      : this.server.violation(`no such request: ${path}`),
  );
}

const notification = new PartFake();
const settlement = new PartFake();
let service: PaymentUnderTest;
let merchant: Merchant;

beforeAll(async () => {
  service = await PaymentUnderTest.start({
    NOTIFICATION_URL: await notification.server.listen(),
    SETTLEMENT_URL: await settlement.server.listen(),
  });
  merchant = service.merchant();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect([...(await service.wrongs()), ...notification.server.violations, ...settlement.server.violations]).toEqual([]);
  await service.stop();
  await Promise.all([notification.server.close(), settlement.server.close()]);
});

const timelineOf = async (paymentId: string, as = merchant.principal) => {
  const { status, body } = await service.get(`/payments/${paymentId}/timeline`, as);
  expect(status).toBe(200);
  return paymentTimelineSchema.parse(body);
};

const item = (kind: TimelineKind, of: string, members: Partial<TimelineItem>): TimelineItem => ({
  at: '2099-01-01T00:00:00.000Z',
  kind,
  service: of,
  id: newId('evt'),
  causedBy: null,
  correlationId: null,
  summary: kind,
  links: {},
  ...members,
});

/** Every line with the line that it names as its cause. */
const withCauses = (data: readonly TimelineItem[]) => {
  const byId = new Map(data.map((one) => [one.id, one]));
  return data.map((one) => ({ one, cause: one.causedBy === null ? undefined : byId.get(one.causedBy) }));
};

describe("a payment's timeline", () => {
  it('tells of events, orders and what was published, and each leads back to the request', async () => {
    const paymentId = await service.capturedId(merchant);
    const { data, complete, missing } = await timelineOf(paymentId);
    expect({ complete, missing }).toEqual({ complete: true, missing: [] });
    const summaries = data.map(({ summary }) => summary).join('\n');
    for (const text of [
      /^PaymentCreated by /m,
      /^authorize 1000 USD at sim: approved/m,
      /^PaymentCaptured by /m,
      /^payment\.captured\.v1 published/m,
    ])
      expect(summaries).toMatch(text);
    const ids = data.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const operation of await service.operations(paymentId)) expect(ids).toContain(operation);
    for (const { eventId } of await service.published(paymentId)) expect(ids).toContain(eventId);

    const requests = new Set<string>();
    for (const { one, cause } of withCauses(data)) {
      let [line, above] = [one, cause];
      for (let steps = 0; above !== undefined && steps < data.length; steps += 1) {
        line = above;
        above = data.find(({ id }) => id === line.causedBy);
      }
      requests.add(String(line.causedBy));
    }
    expect([...requests]).toHaveLength(1);
    expect([...requests][0]).toMatch(/^req_|^[0-9a-f-]{8,}/);
  });

  it('comes in the order of time, a cause before its effect', async () => {
    const { data } = await timelineOf(await service.capturedId(merchant));
    const times = data.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('joins what the ledger, notification and settlement know, by ids that lead both ways', async () => {
    const paymentId = await service.capturedId(merchant);
    const captured = (await service.published(paymentId)).find(({ type }) => type === 'payment.captured.v1');
    const eventId = captured?.eventId ?? '';
    const posted = item('ledger_transaction', 'ledger', { id: newId('ltx'), causedBy: eventId });
    const delivered = item('webhook_delivery', 'notification', { id: newId('del'), causedBy: eventId });
    const line = item('balance_transaction', 'settlement', { id: newId('bt') });
    const batch = item('settlement', 'settlement', { id: newId('set'), causedBy: line.id });
    service.ledger.timeline = { items: [posted], truncated: false };
    notification.part = { items: [delivered], truncated: true };
    settlement.part = { items: [line, batch], truncated: false };
    const { data, complete, truncated } = await timelineOf(paymentId);
    for (const { one, cause } of withCauses(data))
      if ([posted.id, delivered.id].includes(one.id)) expect(cause?.id).toBe(eventId);
    expect(data.slice(-4).map(({ kind }) => kind)).toEqual([
      'ledger_transaction',
      'webhook_delivery',
      'balance_transaction',
      'settlement',
    ]);
    expect({ complete, truncated }).toEqual({ complete: false, truncated: ['notification'] });
    service.ledger.timeline = NOTHING;
    notification.part = NOTHING;
    settlement.part = NOTHING;
  });

  it('names a service that is down or answers nonsense, and shows the rest', async () => {
    const paymentId = await service.authorizedId(merchant);
    settlement.server.down = true;
    notification.part = { items: 'none' };
    const { data, complete, missing } = await timelineOf(paymentId);
    expect({ complete, missing }).toEqual({ complete: false, missing: ['notification', 'settlement'] });
    expect(data.map(({ service: of }) => of)).toContain('payment');
    settlement.server.down = false;
    notification.part = NOTHING;
    expect((await timelineOf(paymentId)).complete).toBe(true);
  });

  it('is for the merchant and for staff: to another merchant it is not there, to the payer it is not told', async () => {
    const payer = userPrincipal(newId('usr'));
    const token = service.vault.token(merchant.id, { userId: payer.id });
    const paymentId = await service.authorizedId(merchant, {
      userId: payer.id,
      paymentMethod: { type: 'card', token },
    });
    const path = `/payments/${paymentId}/timeline`;
    expect((await timelineOf(paymentId, ADMIN)).data.length).toBeGreaterThan(0);
    expect((await service.get(path, service.merchant().principal)).status).toBe(404);
    expect((await service.get(path, userPrincipal(newId('usr')))).status).toBe(404);
    expect(await service.get(path, payer)).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect((await service.get('/payments/pay_nothing/timeline', ADMIN)).status).toBe(404);
  });

  it('holds no card number and no secret', async () => {
    const { body } = await service.get(`/payments/${await service.capturedId(merchant)}/timeline`, ADMIN);
    expect(JSON.stringify(body)).not.toMatch(/clientSecret|4242\d{8}/);
  });
});
