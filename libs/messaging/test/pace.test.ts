import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import type { Messaging } from '../src/index.js';
import { type Bench, createBench, newAggregate, outgoing, PATIENT, recorder } from './support.js';

/** Long beside what a few commits take, on a slow machine too. */
const PACE_MS = 6_000;

let bench: Bench;

beforeAll(async () => {
  bench = await createBench();
  await bench.messaging().cluster.ensureTopics();
}, 60_000);

afterAll(async () => {
  await bench.close();
}, 60_000);

/** One event in a commit of its own. */
const publish = async (messaging: Messaging, aggregateId: string): Promise<void> => {
  await bench.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId)]));
};

const expectSent = async (aggregateId: string, events: number): Promise<void> => {
  await eventually(async () => {
    const [row] = await bench.database.query<{ sent: number }>(
      'SELECT count(published_at)::int AS sent FROM outbox WHERE aggregate_id = $1',
      [aggregateId],
    );
    expect(row?.sent).toBe(events);
  }, PATIENT);
};

describe('a relay that has sent', () => {
  it('sends together what is committed while it rests', async () => {
    const messaging = bench.messaging([], { settings: { relayPaceMs: PACE_MS } });
    const [first, others] = [newAggregate(), newAggregate()];
    try {
      messaging.relay.start();
      await publish(messaging, first);
      await expectSent(first, 1);
      for (let count = 0; count < 3; count += 1) await publish(messaging, others);
      await expectSent(others, 3);
      // Marked by one transaction: sent by one request.
      const marks = await bench.database.query('SELECT DISTINCT xmin::text FROM outbox WHERE aggregate_id = $1', [
        others,
      ]);
      expect(marks).toHaveLength(1);
    } finally {
      await messaging.stop();
    }
  }, 90_000);

  it('does not rest when it is to stop', async () => {
    const messaging = bench.messaging([], { settings: { relayPaceMs: 3_600_000 } });
    const [first, last] = [newAggregate(), newAggregate()];
    messaging.relay.start();
    await publish(messaging, first);
    await expectSent(first, 1);
    await publish(messaging, last);
    await messaging.stop();
    await expectSent(last, 1);
  }, 90_000);
});

describe('a consumer that has caught up', () => {
  it('takes together what comes before its next fetch', async () => {
    const sizes: number[] = [];
    const consumer = recorder('test.pace');
    const messaging = bench.messaging([
      {
        ...consumer,
        paceMs: PACE_MS,
        handle: async (deliveries, tx) => {
          sizes.push(deliveries.length);
          await consumer.handle(deliveries, tx);
        },
      },
    ]);
    // One aggregate, so one partition: those of two could be two transactions.
    const aggregateId = newAggregate();
    const expectTaken = async (events: number): Promise<void> => {
      await eventually(async () => {
        const taken = (await bench.effects('test.pace')).filter((one) => one.aggregateId === aggregateId);
        expect(taken).toHaveLength(events);
      }, PATIENT);
    };
    try {
      messaging.start();
      await publish(messaging, aggregateId);
      await expectTaken(1);
      sizes.length = 0;
      for (let count = 0; count < 3; count += 1) await publish(messaging, aggregateId);
      await expectTaken(4);
      expect(sizes).toEqual([3]);
    } finally {
      await messaging.stop();
    }
  }, 90_000);
});
