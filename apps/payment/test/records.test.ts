import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '@payflow/postgres';
import { crashPointsMet } from '@payflow/service';
import { eventually } from '@payflow/testing';

import { compareReadModels } from '../src/application/rebuild.js';
import { freshKey, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

describe('the history of payments', () => {
  it.each([
    ["UPDATE payment_events SET data = '{}'"],
    ['DELETE FROM payment_events'],
    ['TRUNCATE payment_events'],
    ['ALTER TABLE payment_events DISABLE TRIGGER ALL'],
    ['DROP TABLE payment_events'],
  ])('cannot be changed by the service: %s', async (sql) => {
    await service.authorizedId(service.merchant());
    await expect(service.database.execute(sql)).rejects.toMatchObject({ code: '42501' });
  });

  it.each([["UPDATE payment_events SET data = '{}'"], ['DELETE FROM payment_events'], ['TRUNCATE payment_events']])(
    'cannot be changed by the owner of the tables either, without taking the trigger away: %s',
    async (sql) => {
      const owner = await Database.connect({
        url: service.databases.ownerUrl,
        applicationName: 'owner',
        poolSizeMax: 1,
      });
      await expect(owner.execute(sql)).rejects.toThrow('append-only');
      await owner.close();
    },
  );

  it('has one version for each event, with who caused it', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const rows = await service.database.query<{ version: bigint; principal_id: string; request_id: string }>(
      'SELECT version, principal_id, request_id FROM payment_events WHERE payment_id = $1 ORDER BY version',
      [paymentId],
    );
    expect(rows.map(({ version }) => version)).toEqual([1n, 2n, 3n, 4n, 5n]);
    for (const row of rows) expect(row).toMatchObject({ principal_id: merchant.principal.id });
    const [payment] = await service.database.query<{ version: bigint }>('SELECT version FROM payments WHERE id = $1', [
      paymentId,
    ]);
    expect(payment?.version).toBe(5n);
  });
});

describe('the read models', () => {
  it('are what the events say, and a changed row is named', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    await service.post(`/payments/${paymentId}/refund`, { amount: 100 }, { as: merchant.principal, key: freshKey() });
    expect((await compareReadModels(service.database)).differences).toEqual([]);

    const change = async (sql: string): Promise<void> => {
      expect(await service.database.execute(sql, [paymentId])).toBe(1);
    };
    await change('UPDATE payments SET amount = amount, refunded_minor = refunded_minor + 1 WHERE id = $1');
    await change('UPDATE refunds SET amount = amount + 1 WHERE payment_id = $1');
    const { differences } = await compareReadModels(service.database);
    expect(differences.map(({ table }) => table)).toEqual(['payments', 'refunds']);
    expect(differences.every((difference) => difference.paymentId === paymentId)).toBe(true);
    await change('UPDATE payments SET refunded_minor = refunded_minor - 1 WHERE id = $1');
    await change('UPDATE refunds SET amount = amount - 1 WHERE payment_id = $1');
  });

  it.each([
    ['captured_within_authorized', 'captured_minor = authorized_minor + 1'],
    ['refunded_within_captured', 'refunded_minor = captured_minor + 1'],
    ['fee_within_captured', 'fee_minor = captured_minor + 1'],
    ['amounts_not_negative', 'capturable_minor = -1'],
    ['authorized_once', 'authorized_minor = authorized_minor + 1'],
  ])('cannot break %s', async (constraint, assignment) => {
    const paymentId = await service.capturedId(service.merchant());
    await expect(
      service.database.execute(`UPDATE payments SET ${assignment} WHERE id = $1`, [paymentId]),
    ).rejects.toMatchObject({ code: '23514', constraint });
  });
});

describe('what was committed', () => {
  it('reaches the broker without being asked again', async () => {
    const paymentId = await service.capturedId(service.merchant());
    await eventually(async () => {
      const rows = await service.database.query<{ topic: string }>(
        'SELECT topic FROM outbox WHERE aggregate_id = $1 AND published_at IS NOT NULL',
        [paymentId],
      );
      expect(rows).toHaveLength(3);
    });
  });

  it('is numbered over all topics, and tells for each topic what came before on it', async () => {
    const merchant = service.merchant();
    const paymentId = await service.authorizedId(merchant);
    for (const amount of [100, 200, 300]) {
      const capture = { amount, final: false };
      await service.post(`/payments/${paymentId}/capture`, capture, { as: merchant.principal, key: freshKey() });
    }
    const events = await service.published(paymentId);
    expect(events.map(({ sequence, previousSequence }) => [sequence, previousSequence])).toEqual([
      [1, null],
      [2, null],
      [3, null],
      [4, 3],
      [5, 4],
    ]);
    for (const event of events) expect(event).toMatchObject({ aggregateId: paymentId, merchantId: merchant.id });
  });

  it('passes the places where a process may die', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    await service.post(`/payments/${paymentId}/refund`, {}, { as: merchant.principal });
    const places = [
      'after-intent-commit',
      'before-psp',
      'after-psp',
      'before-outcome-commit',
      'after-outcome-commit',
      'before-answer',
    ];
    const names = ['authorize', 'refund'].flatMap((name) => places.map((place) => `payment.${name}.${place}`));
    expect(crashPointsMet()).toEqual(expect.arrayContaining(names));
  });
});
