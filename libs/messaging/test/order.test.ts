import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import type { Messaging } from '../src/index.js';
import { type Bench, createBench, newAggregate, outgoing, recorder, sendEvents, wireEvent } from './support.js';

let bench: Bench;
let messaging: Messaging;

beforeAll(async () => {
  bench = await createBench();
  messaging = bench.messaging([
    recorder('test.ordered'),
    recorder('test.unordered', { ordered: false }),
    recorder('test.deletions', { ordered: false, topics: ['token.deleted'] }),
  ]);
  await messaging.cluster.ensureTopics();
  messaging.start();
}, 60_000);

afterAll(async () => {
  await bench.close();
}, 60_000);

const sequencesOf = async (consumer: string, aggregateId: string): Promise<readonly number[]> =>
  (await bench.effects(consumer))
    .filter((effect) => effect.aggregateId === aggregateId)
    .map(({ sequence }) => sequence);

describe('what is committed', () => {
  it('reaches each consumer once, in order', async () => {
    const aggregateId = newAggregate();
    for (const name of ['created', 'deleted', 'created'] as const)
      await bench.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId, name)]));
    await eventually(async () => {
      expect(await sequencesOf('test.ordered', aggregateId)).toEqual([1, 2, 3]);
      expect([...(await sequencesOf('test.unordered', aggregateId))].sort()).toEqual([1, 2, 3]);
    });
    expect(await messaging.outbox.lastSequence(bench.database, aggregateId)).toBe(3);
  });

  it('of the topics that a consumer does not read leaves no trace at it', async () => {
    const aggregateId = newAggregate();
    for (const name of ['created', 'deleted', 'created', 'deleted'] as const)
      await bench.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId, name)]));
    await eventually(async () => {
      expect(await sequencesOf('test.deletions', aggregateId)).toEqual([2, 4]);
      expect(await sequencesOf('test.ordered', aggregateId)).toEqual([1, 2, 3, 4]);
    });
    const inbox = await bench.database.query(
      `SELECT FROM inbox WHERE consumer = 'test.deletions' AND event_id IN (SELECT event_id FROM effects WHERE aggregate_id = $1)`,
      [aggregateId],
    );
    expect(inbox).toHaveLength(2);
  });

  it('is not published when its transaction rolls back', async () => {
    const aggregateId = newAggregate();
    const work = bench.database.transaction(async (tx) => {
      await messaging.outbox.publish(tx, [outgoing(aggregateId)]);
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect(await messaging.outbox.lastSequence(bench.database, aggregateId)).toBe(0);
  });

  it('is refused when the payload breaks its contract', async () => {
    const event = { ...outgoing(newAggregate()), payload: { tokenId: 7 } };
    await expect(bench.database.transaction((tx) => messaging.outbox.publish(tx, [event]))).rejects.toThrow(
      'token.created.v1',
    );
  });
});

describe('messages that come twice', () => {
  it('take effect once, whether the consumer is ordered or not', async () => {
    const aggregateId = newAggregate();
    const events = [wireEvent(aggregateId, 1), wireEvent(aggregateId, 2, 'deleted'), wireEvent(aggregateId, 3)];
    await sendEvents(messaging, events);
    await sendEvents(messaging, events);
    const marker = wireEvent(newAggregate(), 1);
    await sendEvents(messaging, [marker]);
    for (const consumer of ['test.ordered', 'test.unordered'])
      await eventually(async () => {
        expect(await sequencesOf(consumer, marker.envelope.aggregateId)).toEqual([1]);
        expect([...(await sequencesOf(consumer, aggregateId))].sort()).toEqual([1, 2, 3]);
      });
  });
});

describe('events that overtake each other', () => {
  it('wait for their predecessors, over topics', async () => {
    const aggregateId = newAggregate();
    await sendEvents(messaging, [wireEvent(aggregateId, 3), wireEvent(aggregateId, 2, 'deleted')]);
    await eventually(async () => {
      const parked = await bench.database.query('SELECT 1 FROM parked WHERE aggregate_id = $1', [aggregateId]);
      expect(parked).toHaveLength(2);
    });
    expect(await sequencesOf('test.ordered', aggregateId)).toEqual([]);
    await sendEvents(messaging, [wireEvent(aggregateId, 1)]);
    await eventually(async () => {
      expect(await sequencesOf('test.ordered', aggregateId)).toEqual([1, 2, 3]);
    });
    expect(await bench.database.query('SELECT 1 FROM parked WHERE aggregate_id = $1', [aggregateId])).toEqual([]);
  });
});

describe('progress', () => {
  it('is kept in the database, and Kafka is told of it', async () => {
    const admin = messaging.cluster.kafka.admin();
    await admin.connect();
    try {
      await eventually(async () => {
        const stored = await bench.database.query<{ topic: string; partition: number; next_offset: bigint }>(
          `SELECT topic, partition, next_offset FROM consumer_offsets WHERE consumer = 'test.ordered'`,
        );
        expect(stored.length).toBeGreaterThan(0);
        const committed = await admin.fetchOffsets({ groupId: messaging.cluster.nameOf('test.ordered') });
        for (const { topic, partition, next_offset: next } of stored) {
          const partitions = committed.find((one) => one.topic === messaging.cluster.nameOf(topic))?.partitions;
          expect(partitions?.find((one) => one.partition === partition)?.offset).toBe(String(next));
        }
      });
    } finally {
      await admin.disconnect();
    }
  });
});
