import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { paymentDetailSchema, SETTLEMENT_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Outbox, PoisonError } from '@payflow/messaging';
import { eventually } from '@payflow/testing';
import type { z } from 'zod';

import { SettlementLinesController } from '../src/events/settlement-lines.controller.js';
import { ADMIN, freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

type Lines = z.infer<(typeof SETTLEMENT_EVENTS)['lines']['payload']>;
type Line = Lines['lines'][number];

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

let merchant: Merchant;
beforeEach(() => {
  merchant = service.merchant();
});

const line = (paymentId: string, gross: number, fee: number, type: Line['type'] = 'capture'): Line => ({
  paymentId,
  balanceTransactionId: newId('bt'),
  type,
  gross,
  fee,
  net: gross - fee,
});

const settlementOf = (lines: readonly Line[], settlementId: string = newId('set')): Lines => ({
  settlementId,
  merchantId: merchant.id,
  acquirer: 'sim',
  currency: 'USD',
  bank: 'sim',
  lines: [...lines],
});

/** By Kafka, as settlement tells it. */
const tell = async (...settlements: readonly Lines[]): Promise<void> => {
  await service.database.transaction(
    async (tx) =>
      await service.app.get(Outbox).publish(
        tx,
        settlements.map((payload) => ({
          definition: SETTLEMENT_EVENTS.lines,
          aggregateId: payload.settlementId,
          merchantId: merchant.id,
          key: merchant.id,
          payload,
          occurredAt: new Date(),
        })),
      ),
  );
};

/** The same at once and without the inbox, in one transaction. */
const deliver = async (...settlements: readonly Lines[]): Promise<void> => {
  const deliveries = settlements.map((payload, index) => ({
    envelope: {
      eventId: newId('evt'),
      type: SETTLEMENT_EVENTS.lines.type,
      occurredAt: new Date().toISOString(),
      aggregateId: payload.settlementId,
      sequence: index + 1,
      previousSequence: null,
      merchantId: merchant.id,
      correlationId: `req_${payload.settlementId}`,
      causationId: 'req_test',
      payload,
    },
    topic: SETTLEMENT_EVENTS.lines.topic,
    partition: 0,
    offset: BigInt(index),
    headers: {},
  }));
  await service.database.transaction(
    async (tx) => await service.app.get(SettlementLinesController).settle(deliveries, tx),
  );
};

const read = async (paymentId: string) =>
  paymentDetailSchema.parse((await service.get(`/payments/${paymentId}`, merchant.principal)).body);

const settledEvents = async (paymentId: string) =>
  (await service.published(paymentId)).filter(({ type }) => type === 'payment.settled.v1');

describe('a payment that is settled', () => {
  it('says what was settled and is otherwise what it was', async () => {
    const paymentId = await service.capturedId(merchant);
    const before = await read(paymentId);
    expect(before.settlements).toEqual([]);
    const settlement = settlementOf([line(paymentId, 1000, 59)]);
    await tell(settlement);
    await eventually(async () => expect((await read(paymentId)).settlements).toHaveLength(1));
    const after = await read(paymentId);
    const { settlementId } = settlement;
    expect(after.settlements).toMatchObject([{ settlementId, acquirer: 'sim', gross: 1000, fee: 59, net: 941 }]);
    expect({ ...after, settlements: [], updatedAt: '', version: 0 }).toEqual({ ...before, updatedAt: '', version: 0 });
    expect(after.version).toBe(before.version + 1);
    expect(await settledEvents(paymentId)).toMatchObject([
      {
        payload: {
          paymentId,
          settlementId,
          bank: 'sim',
          gross: 1000,
          fee: 59,
          net: 941,
          balanceTransactionIds: [settlement.lines[0]?.balanceTransactionId],
        },
      },
    ]);
  });

  it('sums up its lines of one settlement: a capture and a refund', async () => {
    const paymentId = await service.capturedId(merchant);
    await deliver(settlementOf([line(paymentId, 1000, 59), line(paymentId, -400, 0, 'refund')]));
    expect((await read(paymentId)).settlements).toMatchObject([{ gross: 600, fee: 59, net: 541 }]);
    expect((await settledEvents(paymentId))[0]).toMatchObject({
      payload: { gross: 600, balanceTransactionIds: [expect.any(String), expect.any(String)] },
    });
  });

  it('is settled once by each settlement, told twice, at the same moment too', async () => {
    const paymentId = await service.capturedId(merchant);
    const settlement = settlementOf([line(paymentId, 1000, 59)]);
    await Promise.all([deliver(settlement), deliver(settlement), deliver(settlement, settlement)]);
    await deliver(settlement);
    expect(await settledEvents(paymentId)).toHaveLength(1);
    expect((await read(paymentId)).settlements).toHaveLength(1);
  });

  it('is settled by several, of which each publication names its own cause', async () => {
    const paymentId = await service.capturedId(merchant);
    const [first, second] = [
      settlementOf([line(paymentId, 1000, 59)]),
      settlementOf([line(paymentId, -300, 0, 'refund')]),
    ];
    await deliver(second, first);
    const events = await settledEvents(paymentId);
    expect(
      new Map(
        events.map(({ payload, correlationId }) => [(payload as { settlementId: string }).settlementId, correlationId]),
      ),
    ).toEqual(new Map([first, second].map(({ settlementId }) => [settlementId, `req_${settlementId}`])));
    const { body } = await service.get(`/payments/${paymentId}/events`, ADMIN);
    expect((body['data'] as { version: number }[]).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('can be refunded while it is settled: both are in its history', async () => {
    for (let round = 0; round < 5; round += 1) {
      const paymentId = await service.capturedId(merchant);
      const refund = service.post(`/payments/${paymentId}/refund`, {}, { as: merchant.principal, key: freshKey() });
      const [answer] = await Promise.all([refund, deliver(settlementOf([line(paymentId, 1000, 59)]))]);
      expect(answer.status).toBe(200);
      expect(await read(paymentId)).toMatchObject({ status: 'REFUNDED', settlements: [{ gross: 1000 }] });
    }
  });

  it('is seen as it stood before it was settled', async () => {
    const paymentId = await service.capturedId(merchant);
    const { updatedAt } = await read(paymentId);
    await deliver(settlementOf([line(paymentId, 1000, 59)]));
    const asOf = await service.get(`/payments/${paymentId}?asOf=${updatedAt}`, merchant.principal);
    expect(asOf.body['settlements']).toEqual([]);
    const now = await service.get(`/payments/${paymentId}?asOf=${new Date().toISOString()}`, merchant.principal);
    expect(now.body['settlements']).toMatchObject([{ gross: 1000 }]);
  });
});

describe('many payments', () => {
  it('of several settlements are settled by one transaction, each with the version that follows', async () => {
    const paymentIds = await Promise.all(Array.from({ length: 12 }, () => service.capturedId(merchant)));
    const [one, two] = [paymentIds.slice(0, 8), paymentIds.slice(4)];
    await deliver(
      settlementOf(one.map((paymentId) => line(paymentId, 1000, 59))),
      settlementOf(two.map((paymentId) => line(paymentId, -10, 0, 'refund'))),
    );
    const settled = await Promise.all(paymentIds.map(async (paymentId) => (await read(paymentId)).settlements.length));
    expect(settled).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1]);
  });

  it('are not settled at all when one of them is not here, which is for people to see', async () => {
    const paymentId = await service.capturedId(merchant);
    const settlement = settlementOf([line(paymentId, 1000, 59), line(newId('pay'), 1000, 59)]);
    await expect(deliver(settlement)).rejects.toBeInstanceOf(PoisonError);
    expect((await read(paymentId)).settlements).toEqual([]);
  });
});
