import { setTimeout as wait } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '@payflow/postgres';
import { eventually } from '@payflow/testing';

import { type Bench, createBench, newAggregate, outgoing, recorder } from './support.js';

let bench: Bench;

beforeAll(async () => {
  bench = await createBench();
}, 60_000);

afterAll(async () => {
  await bench.close();
}, 60_000);

describe('connections that break under a consumer and a relay', () => {
  it('cost no event, double none, and reorder none', async () => {
    const victim = await Database.connect({ url: bench.url, applicationName: 'victim', poolSizeMax: 8 });
    const service = bench.messaging([recorder('test.victim')], { database: victim });
    const publisher = bench.messaging();
    service.start();
    const aggregates = Array.from({ length: 20 }, newAggregate);
    for (let round = 0; round < 30; round += 1) {
      for (const aggregateId of aggregates)
        await bench.database.transaction((tx) => publisher.outbox.publish(tx, [outgoing(aggregateId)]));
      await bench.database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'victim' AND datname = current_database()`,
      );
      await wait(20);
    }
    await eventually(
      async () => {
        expect(await bench.effects('test.victim')).toHaveLength(600);
      },
      { timeoutMs: 120_000 },
    );
    const effects = await bench.effects('test.victim');
    for (const aggregateId of aggregates)
      expect(effects.filter((one) => one.aggregateId === aggregateId).map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
    expect(await bench.database.query('SELECT 1 FROM dead_letters')).toEqual([]);
    await service.stop();
    await victim.close();
  }, 180_000);
});

describe('where reading goes on', () => {
  /** Three events, applied by a consumer that then stopped. */
  const threeApplied = async (consumer: string) => {
    const binding = recorder(consumer);
    const before = bench.messaging([binding]);
    before.start();
    const aggregateId = newAggregate();
    for (let count = 0; count < 3; count += 1)
      await bench.database.transaction((tx) => before.outbox.publish(tx, [outgoing(aggregateId)]));
    const applied = async () =>
      (await bench.effects(consumer)).filter((one) => one.aggregateId === aggregateId).map(({ sequence }) => sequence);
    await eventually(async () => {
      expect(await applied()).toEqual([1, 2, 3]);
    });
    await before.stop();
    return { binding, applied };
  };

  it('is what the database says, also when Kafka believes that everything was read', async () => {
    const { binding, applied } = await threeApplied('test.restored');
    // As after a restore from a backup that was made before any of it.
    for (const table of ['effects', 'inbox', 'gates', 'consumer_offsets'])
      await bench.database.execute(`DELETE FROM ${table} WHERE consumer = 'test.restored'`);
    const after = bench.messaging([binding]);
    after.start();
    await eventually(async () => {
      expect(await applied()).toEqual([1, 2, 3]);
    });
    await after.stop();
  }, 180_000);

  it('is the beginning when the offsets are of another cluster, however far they are', async () => {
    const { binding, applied } = await threeApplied('test.elsewhere');
    // As if Kafka had been erased and filled again while the consumer was away, up to just where it had been.
    for (const table of ['effects', 'inbox', 'gates'])
      await bench.database.execute(`DELETE FROM ${table} WHERE consumer = 'test.elsewhere'`);
    await bench.database.execute(
      `UPDATE consumer_offsets SET cluster_id = 'the-one-that-was-erased' WHERE consumer = 'test.elsewhere'`,
    );
    const after = bench.messaging([binding]);
    after.start();
    await eventually(async () => {
      expect(await applied()).toEqual([1, 2, 3]);
    });
    await after.stop();
  }, 180_000);
});
