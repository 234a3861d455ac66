import { setTimeout as wait } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';
import { Registry } from 'prom-client';

import { type Messaging, republish } from '../src/index.js';
import { type Bench, createBench, newAggregate, outgoing, PATIENT, recorder, TopicReader } from './support.js';

let bench: Bench;

beforeAll(async () => {
  bench = await createBench();
  await bench.messaging().cluster.ensureTopics();
}, 60_000);

afterAll(async () => {
  await bench.close();
}, 60_000);

const publish = async (messaging: Messaging, aggregateId: string): Promise<void> => {
  await bench.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId)]));
};

const sequencesIn = (reader: TopicReader, aggregateId: string): readonly number[] =>
  reader.messages
    .map(({ value }) => JSON.parse(String(value)) as { aggregateId: string; sequence: number })
    .filter((envelope) => envelope.aggregateId === aggregateId)
    .map(({ sequence }) => sequence);

/** The server process of the connection that holds the relay's lock. */
const lockHolder = async (): Promise<number | undefined> =>
  (
    await bench.database.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
  )[0]?.pid;

describe('the relay', () => {
  it('is one of several, and another goes on in order when its connection is terminated', async () => {
    const [one, two] = [bench.messaging(), bench.messaging()];
    one.relay.start();
    two.relay.start();
    const reader = await TopicReader.open(one, 'token.created');
    const aggregateId = newAggregate();
    try {
      const first = await eventually(async () => {
        const pid = await lockHolder();
        if (pid === undefined) throw new Error('no relay is elected yet');
        return pid;
      });
      expect([one.relay.isElected, two.relay.isElected].filter(Boolean)).toHaveLength(1);
      for (let count = 1; count <= 300; count += 1) {
        await publish(one, aggregateId);
        if (count === 150) await bench.database.query('SELECT pg_terminate_backend($1)', [first]);
      }
      await eventually(() => {
        // Sent twice is allowed, lost or out of order is not.
        const sequences = sequencesIn(reader, aggregateId);
        expect([...new Set(sequences)]).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
      }, PATIENT);
      expect(await lockHolder()).not.toBe(first);
      const unpublished = await bench.database.query('SELECT 1 FROM outbox WHERE published_at IS NULL');
      expect(unpublished).toEqual([]);
    } finally {
      await reader.close();
      await Promise.all([one.stop(), two.stop()]);
    }
  }, 180_000);

  it('sends what is left when it stops, and gives its lock up', async () => {
    const messaging = bench.messaging([], { settings: { relayPollMs: 60_000 } });
    messaging.relay.start();
    await eventually(() => {
      expect(messaging.relay.isElected).toBe(true);
    });
    const aggregateId = newAggregate();
    // Written past the library, so that nothing wakes the relay.
    await bench.database.execute(
      `INSERT INTO outbox (topic, key, headers, envelope, aggregate_id, sequence) VALUES ('token.created', 'k', '{}', '{}', $1, 1)`,
      [aggregateId],
    );
    await messaging.stop();
    expect(await bench.database.query('SELECT 1 FROM outbox WHERE published_at IS NULL')).toEqual([]);
    expect(await lockHolder()).toBeUndefined();
  }, 90_000);

  it('says how far behind it is', async () => {
    const registry = new Registry();
    const messaging = bench.messaging([], { registry });
    await publish(messaging, newAggregate());
    await wait(20);
    const text = await registry.metrics();
    expect(text).toMatch(/^payflow_outbox_unpublished_messages 1$/m);
    expect(Number(/^payflow_outbox_oldest_age_seconds (.+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  });

  it('sends rows that are too large for one batch in several', async () => {
    const messaging = bench.messaging([], { settings: { relayBatchBytesMax: 1_000 } });
    const aggregateId = newAggregate();
    for (let count = 0; count < 20; count += 1) await publish(messaging, aggregateId);
    const reader = await TopicReader.open(messaging, 'token.created');
    try {
      messaging.relay.start();
      await eventually(() => {
        expect(sequencesIn(reader, aggregateId)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      });
    } finally {
      await reader.close();
      await messaging.stop();
    }
  }, 90_000);
});

describe('republishing', () => {
  it('sends everything again in order, and consumers skip what they had', async () => {
    const messaging = bench.messaging([recorder('test.republished')]);
    const aggregateId = newAggregate();
    for (let count = 0; count < 5; count += 1) await publish(messaging, aggregateId);
    messaging.start();
    const own = async () => (await bench.effects('test.republished')).filter((one) => one.aggregateId === aggregateId);
    await eventually(async () => {
      expect((await own()).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    });
    const reader = await TopicReader.open(messaging, 'token.created');
    try {
      await eventually(() => {
        expect(sequencesIn(reader, aggregateId)).toHaveLength(5);
      });
      expect(await republish(bench.database, messaging.relay)).toBeGreaterThanOrEqual(5);
      const last = newAggregate();
      await publish(messaging, last);
      await eventually(async () => {
        expect(sequencesIn(reader, aggregateId)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
        expect((await bench.effects('test.republished')).some((one) => one.aggregateId === last)).toBe(true);
      });
      expect(await own()).toHaveLength(5);
    } finally {
      await reader.close();
      await messaging.stop();
    }
  }, 90_000);
});
