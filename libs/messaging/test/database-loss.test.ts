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
  it('is what the database says, also when Kafka believes that everything was read', async () => {
    const binding = recorder('test.restored');
    const before = bench.messaging([binding]);
    before.start();
    const aggregateId = newAggregate();
    for (let count = 0; count < 3; count += 1)
      await bench.database.transaction((tx) => before.outbox.publish(tx, [outgoing(aggregateId)]));
    const own = async () => (await bench.effects('test.restored')).filter((one) => one.aggregateId === aggregateId);
    await eventually(async () => {
      expect(await own()).toHaveLength(3);
    });
    await before.stop();
    // As after a restore from a backup that was made before any of it.
    for (const table of ['effects', 'inbox', 'gates', 'consumer_offsets'])
      await bench.database.execute(`DELETE FROM ${table} WHERE consumer = 'test.restored'`);
    const after = bench.messaging([binding]);
    after.start();
    await eventually(async () => {
      expect((await own()).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    });
    await after.stop();
  }, 180_000);
});
