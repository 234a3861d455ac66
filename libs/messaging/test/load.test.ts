import { setTimeout as wait } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import { type Bench, createBench, newAggregate, outgoing, recorder } from './support.js';

const EVENTS = 20_000;
const WRITERS = 8;
const AGGREGATES = 400;
const EVENTS_PER_COMMIT = 10;
const COMMIT_DELAY_MS_MAX = 8;

let bench: Bench;

beforeAll(async () => {
  bench = await createBench();
}, 60_000);

afterAll(async () => {
  await bench.close();
}, 60_000);

describe('many writers that commit at random', () => {
  it('lose, double and reorder nothing', async () => {
    // Two instances: one relays, both consume.
    const consumer = recorder('test.load');
    const [one, two] = [bench.messaging([consumer]), bench.messaging([consumer])];
    one.start();
    two.start();
    const aggregates = Array.from({ length: AGGREGATES }, newAggregate);
    let left = EVENTS / EVENTS_PER_COMMIT;
    const writer = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const events = Array.from({ length: EVENTS_PER_COMMIT }, () => {
          const aggregateId = aggregates[Math.floor(Math.random() * AGGREGATES)] ?? '';
          return outgoing(aggregateId, Math.random() < 0.5 ? 'created' : 'deleted');
        });
        await bench.database.transaction(async (tx) => {
          await one.outbox.publish(tx, events);
          await wait(Math.random() * COMMIT_DELAY_MS_MAX);
        });
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));

    await eventually(
      async () => {
        const [row] = await bench.database.query<{ count: number }>('SELECT count(*)::int AS count FROM effects');
        expect(row?.count).toBeGreaterThanOrEqual(EVENTS);
      },
      { timeoutMs: 120_000, intervalMs: 250 },
    );
    const published = await bench.database.query<{ aggregateId: string; last: number }>(
      'SELECT aggregate_id AS "aggregateId", last_sequence::int AS last FROM publication_sequences',
    );
    expect(published.reduce((sum, { last }) => sum + last, 0)).toBe(EVENTS);
    const applied = new Map<string, number[]>();
    for (const { aggregateId, sequence } of await bench.effects('test.load'))
      applied.set(aggregateId, [...(applied.get(aggregateId) ?? []), sequence]);
    for (const { aggregateId, last } of published)
      expect(applied.get(aggregateId)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    expect(await bench.database.query('SELECT 1 FROM parked')).toEqual([]);
    expect(await bench.database.query('SELECT 1 FROM dead_letters')).toEqual([]);
  }, 300_000);
});
